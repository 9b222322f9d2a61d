//! The jobs about each of several things, by one statement.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, Statement, Value};

use super::{
    dialect::Dialect,
    read::{cut, job, numbered, select, within},
    row::JobRow,
};
use crate::{
    App,
    error::Result,
    page::{Page, PageRequest, limits},
};

/// Whether a request makes sense for a list of jobs, told without asking the database.
pub fn check_page(request: &PageRequest) -> Result<()> {
    limits(request)?;
    within(request, &mut String::new(), &mut Vec::new())
}

/// The page of jobs about each of some things (their public ids), newest first.
pub async fn about(
    app: &App,
    subjects: &[&str],
    request: &PageRequest,
) -> Result<HashMap<String, Page<JobRow>>> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let (limit, backwards) = limits(request)?;
    let (mut condition, mut values) = matching(d, subjects);
    within(request, &mut condition, &mut values)?;
    let order = if backwards { "ASC" } else { "DESC" };
    // One more than asked for tells whether a list goes on.
    let sql = format!(
        "SELECT * FROM (SELECT j.*, ROW_NUMBER() OVER (PARTITION BY subject ORDER BY id {order}) AS place
                        FROM ({} WHERE {condition}) AS j) AS placed
         WHERE place <= {} ORDER BY place",
        select(app, d),
        limit + 1,
    );
    let mut rows: HashMap<String, Vec<JobRow>> =
        subjects.iter().map(|subject| ((*subject).to_owned(), Vec::new())).collect();
    for row in conn.query_all_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await? {
        let row = job(app, &row)?;
        if let Some(rows) = row.subject.as_ref().and_then(|subject| rows.get_mut(subject)) {
            rows.push(row);
        }
    }
    rows.into_iter().map(|(subject, rows)| Ok((subject, cut(rows, request)?))).collect()
}

/// How many jobs there are in all about each of some things.
pub async fn count_about(app: &App, subjects: &[&str]) -> Result<HashMap<String, u64>> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let (condition, values) = matching(d, subjects);
    let sql = format!(
        "SELECT subject, COUNT(*) AS n FROM (SELECT {} AS subject FROM {} WHERE {condition}) AS j GROUP BY subject",
        d.subject(),
        d.jobs(),
    );
    let mut counts: HashMap<String, u64> =
        subjects.iter().map(|subject| ((*subject).to_owned(), 0)).collect();
    for row in conn.query_all_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await? {
        let count: i64 = row.try_get("", "n")?;
        counts.insert(row.try_get("", "subject")?, count.unsigned_abs());
    }
    Ok(counts)
}

/// The condition that jobs are about these things, and its parameters.
fn matching(d: Dialect, subjects: &[&str]) -> (String, Vec<Value>) {
    let condition = format!("{} IN ({})", d.subject(), numbered(1, subjects.len()));
    (condition, subjects.iter().map(|subject| (*subject).into()).collect())
}
