//! The queue as people see it: which jobs there are, in which state, and the two things one may do to them.
//!
//! All times are `App`'s, although apalis keeps the machine's.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use ulid::Ulid;

use super::{
    dialect::{Dialect, Meta, run_at},
    row::{JobFilter, JobRow, JobState, QueueCounts},
};
use crate::{
    App, Clock, Db,
    error::{Code, Error, Result},
    page::{Page, PageRequest, limits},
};

/// A worker that was silent for this long is gone. Workers beat every five seconds.
const SILENCE: Duration = Duration::seconds(20);

/// Jobs, the newest first. A cursor is the id of its job.
pub async fn list(app: &App, filter: &JobFilter, request: &PageRequest) -> Result<Page<JobRow>> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let (limit, backwards) = limits(request)?;
    let (mut condition, mut values) = matching(app, d, filter);
    within(request, &mut condition, &mut values)?;
    let order = if backwards { "ASC" } else { "DESC" };
    // One more than asked for tells whether the list goes on.
    let sql = format!("{} WHERE {condition} ORDER BY id {order} LIMIT {}", select(app, d), limit + 1);
    let found = conn.query_all_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    cut(found.iter().map(|row| job(app, row)).collect::<Result<_>>()?, request)
}

/// The page, from rows in the order of reading, of which there may be one more than asked for.
pub(super) fn cut(mut rows: Vec<JobRow>, request: &PageRequest) -> Result<Page<JobRow>> {
    let (limit, backwards) = limits(request)?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if backwards {
        rows.reverse();
    }
    Ok(Page {
        rows: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
        has_next: if backwards { request.before.is_some() } else { more },
        has_previous: if backwards { more } else { request.after.is_some() },
    })
}

/// How many jobs there are in all.
pub async fn count(app: &App, filter: &JobFilter) -> Result<u64> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let (condition, values) = matching(app, d, filter);
    let sql = format!("SELECT COUNT(*) AS n FROM {} WHERE {condition}", d.jobs());
    let row = conn.query_one_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(n.unsigned_abs())
}

/// One job.
pub async fn find(app: &App, id: &str) -> Result<Option<JobRow>> {
    Ok(find_many(app, &[id]).await?.pop())
}

/// The jobs with these ids, in any order; what is no id of a job is left out.
pub async fn find_many(app: &App, ids: &[&str]) -> Result<Vec<JobRow>> {
    let ids = ids.iter().filter_map(|id| Ulid::from_string(id).ok());
    let values: Vec<Value> = ids.map(|id| id.to_string().into()).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let sql = format!("{} WHERE id IN ({})", select(app, d), numbered(1, values.len()));
    let rows = conn.query_all_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    rows.iter().map(|row| job(app, row)).collect()
}

/// Every queue that holds or held a job, by name.
pub async fn queues(app: &App) -> Result<Vec<QueueCounts>> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let sql = format!(
        "SELECT job_type, state, COUNT(*) AS n, MIN(due) AS oldest
         FROM (SELECT job_type, {state} AS state, {due} AS due FROM {jobs}) AS j
         GROUP BY job_type, state ORDER BY job_type, state",
        state = state(app, d),
        due = d.due(),
        jobs = d.jobs(),
    );
    let mut queues: Vec<QueueCounts> = Vec::new();
    for row in conn.query_all_raw(Statement::from_string(d.backend(), sql)).await? {
        let name: String = row.try_get("", "job_type")?;
        let state = JobState::parse(&row.try_get::<String>("", "state")?)?;
        let count: i64 = row.try_get("", "n")?;
        let oldest: i64 = row.try_get("", "oldest")?;
        if queues.last().is_none_or(|queue| queue.name != name) {
            queues.push(QueueCounts { name, counts: Vec::new(), oldest_ready: None });
        }
        if let Some(queue) = queues.last_mut() {
            queue.counts.push((state, count.unsigned_abs()));
            if state == JobState::Ready {
                queue.oldest_ready = Some(app.clock.now() - moment(oldest)?);
            }
        }
    }
    Ok(queues)
}

/// Makes a dead, failed or cancelled job ready again, with all its attempts. False when it is in another
/// state, or not there.
pub async fn retry(app: &App, conn: &impl ConnectionTrait, id: &str) -> Result<bool> {
    let d = Dialect::of(conn);
    let sql = format!(
        "UPDATE {} SET status = 'Pending', attempts = 0, run_at = {}, done_at = NULL, lock_by = NULL, metadata = {}
         WHERE id = $1 AND status IN ('Killed', 'Failed')",
        d.jobs(),
        d.at(2),
        d.meta(3),
    );
    let now = app.clock.now();
    let values = [id.into(), run_at(&app.clock, now).into(), Meta::due(now).text(d).into()];
    let done = conn.execute_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    Ok(done.rows_affected() > 0)
}

/// Stops a job that no worker has. False when it is running, ended, or not there.
pub async fn cancel(app: &App, conn: &impl ConnectionTrait, id: &str) -> Result<bool> {
    let d = Dialect::of(conn);
    let sql = format!(
        "UPDATE {} SET status = 'Killed', done_at = {}, lock_by = NULL, metadata = {}
         WHERE id = $1 AND (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts))",
        d.jobs(),
        d.at(2),
        d.meta(3),
    );
    let meta = Meta { cancelled: true, ..Meta::due(app.clock.now()) };
    let values = [id.into(), app.clock.wall().timestamp().into(), meta.text(d).into()];
    let done = conn.execute_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    Ok(done.rows_affected() > 0)
}

/// When a worker of any process was last heard of, by the machine's clock.
pub async fn last_beat(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let conn = db.reader();
    let d = Dialect::of(conn);
    let sql = format!("SELECT {} AS beat FROM {}", d.seconds("MAX(last_seen)"), d.workers());
    let row = conn.query_one_raw(Statement::from_string(d.backend(), sql)).await?;
    let beat: Option<i64> = row.map_or(Ok(None), |row| row.try_get("", "beat"))?;
    Ok(beat.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
}

/// Whether any worker is alive: for the readiness check.
pub async fn workers_beating(db: &Db, clock: &Clock) -> Result<bool> {
    Ok(last_beat(db).await?.is_some_and(|beat| clock.wall() - beat < SILENCE))
}

/// Parameters by their numbers.
pub(super) fn numbered(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Narrows a condition to what a request's cursors leave.
pub(super) fn within(request: &PageRequest, condition: &mut String, values: &mut Vec<Value>) -> Result<()> {
    for (cursor, field, sign) in [(&request.after, "after", '<'), (&request.before, "before", '>')] {
        if let Some(cursor) = cursor {
            values.push(job_id(cursor, field)?.into());
            condition.push_str(&format!(" AND id {sign} ${}", values.len()));
        }
    }
    Ok(())
}

fn matching(app: &App, d: Dialect, filter: &JobFilter) -> (String, Vec<Value>) {
    let mut condition = "1 = 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let state = filter.state.map(|state| state.as_str().to_owned());
    let wanted = [
        ("job_type".to_owned(), filter.queue.clone()),
        (self::state(app, d), state),
        (d.subject().to_owned(), filter.subject.clone()),
    ];
    for (column, value) in wanted {
        if let Some(value) = value {
            // Nothing has a NUL in it, and PostgreSQL takes none as a parameter.
            if value.contains('\0') {
                return ("1 = 0".to_owned(), Vec::new());
            }
            values.push(value.into());
            condition.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    (condition, values)
}

/// The state as an SQL expression.
fn state(app: &App, d: Dialect) -> String {
    format!(
        "(CASE WHEN status = 'Pending' AND {due} <= {now} THEN 'READY'
               WHEN status = 'Pending' THEN 'SCHEDULED'
               WHEN status IN ('Queued', 'Running') THEN 'RUNNING'
               WHEN status = 'Done' THEN 'DONE'
               WHEN status = 'Failed' AND attempts < max_attempts THEN 'FAILED'
               WHEN {cancelled} THEN 'CANCELLED'
               ELSE 'DEAD' END)",
        due = d.due(),
        now = app.clock.now().timestamp_micros(),
        cancelled = d.cancelled(),
    )
}

pub(super) fn select(app: &App, d: Dialect) -> String {
    format!(
        "SELECT id, job_type, {state} AS state, CAST(attempts AS BIGINT) AS attempts,
                CAST(max_attempts AS BIGINT) AS max_attempts, job, {error} AS last_error, {due} AS due,
                {started} AS started_at, {finished} AS finished_at, {subject} AS subject
         FROM {jobs}",
        state = state(app, d),
        error = d.last_error(),
        due = d.due(),
        started = d.seconds("lock_at"),
        finished = d.seconds("done_at"),
        subject = d.subject(),
        jobs = d.jobs(),
    )
}

pub(super) fn job(app: &App, row: &QueryResult) -> Result<JobRow> {
    let seconds = |column: &str| -> Result<Option<DateTime<Utc>>> {
        let seconds: Option<i64> = row.try_get("", column)?;
        Ok(seconds.and_then(|s| DateTime::from_timestamp(s, 0)).map(|wall| from_wall(&app.clock, wall)))
    };
    let payload: Vec<u8> = row.try_get("", "job")?;
    let subject: Option<String> = row.try_get("", "subject")?;
    Ok(JobRow {
        id: row.try_get("", "id")?,
        queue: row.try_get("", "job_type")?,
        state: JobState::parse(&row.try_get::<String>("", "state")?)?,
        attempts: row.try_get("", "attempts")?,
        max_attempts: row.try_get("", "max_attempts")?,
        payload: String::from_utf8_lossy(&payload).into_owned(),
        last_error: row.try_get("", "last_error")?,
        run_at: moment(row.try_get("", "due")?)?,
        started_at: seconds("started_at")?,
        finished_at: seconds("finished_at")?,
        subject: subject.filter(|subject| !subject.is_empty()),
    })
}

fn moment(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::bug("a job is due out of time"))
}

/// A moment of the machine's clock on `App`'s.
fn from_wall(clock: &Clock, at: DateTime<Utc>) -> DateTime<Utc> {
    clock.now() + (at - clock.wall())
}

fn job_id(cursor: &str, field: &str) -> Result<String> {
    let bad = || {
        Error::rejected(
            field,
            Code::Invalid,
            "This is not a cursor of this list: take one from pageInfo or edges.",
        )
    };
    Ulid::from_string(cursor).map(|id| id.to_string()).map_err(|_| bad())
}
