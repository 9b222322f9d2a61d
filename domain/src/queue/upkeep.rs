//! Upkeep of apalis' tables: what the pool does between jobs.

use chrono::Duration;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::dialect::Dialect;
use crate::{App, Db, error::Result};

/// How long a finished job is kept, so that one can see what happened.
pub const KEEP_DONE: Duration = Duration::days(1);
/// How long a dead or cancelled job is kept.
pub const KEEP_DEAD: Duration = Duration::days(30);
/// How many rows one statement deletes.
const BATCH: i64 = 1000;

/// Adds our one index to apalis' table: jobs by what they are about. Called after apalis' migrations.
pub async fn index(db: &Db) -> Result<()> {
    let conn = db.writer();
    let d = Dialect::of(conn);
    let sql =
        format!("CREATE INDEX IF NOT EXISTS megilance_jobs_subject ON {} (({}))", d.jobs(), d.subject());
    conn.execute_unprepared(&sql).await?;
    Ok(())
}

/// Tells the planner how the table has grown: without it, it reads whole tables.
pub async fn analyze(db: &Db) -> Result<()> {
    let conn = db.writer();
    conn.execute_unprepared(&format!("ANALYZE {}", Dialect::of(conn).jobs())).await?;
    Ok(())
}

/// Says that a worker lives. apalis does so while it polls; a worker that only finishes what it has polls
/// no more.
pub async fn beat(app: &App, worker: &str) -> Result<()> {
    let d = Dialect::of(app.db.writer());
    let sql = format!("UPDATE {} SET last_seen = {} WHERE id = $1", d.workers(), d.at(2));
    run(app, d, sql, vec![worker.into(), app.clock.wall().timestamp().into()]).await?;
    Ok(())
}

/// Those of the queues that hold a job which a worker may take now. Costs an index probe a queue.
pub async fn ready(app: &App, queues: &[&'static str]) -> Result<Vec<String>> {
    if queues.is_empty() {
        return Ok(Vec::new());
    }
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let names: Vec<String> = queues.iter().map(|name| format!("SELECT '{name}' AS name")).collect();
    let sql = format!(
        "SELECT q.name FROM ({names}) AS q
         WHERE EXISTS (SELECT 1 FROM {jobs} WHERE job_type = q.name AND status = 'Pending' AND run_at <= {now})
            OR EXISTS (SELECT 1 FROM {jobs} WHERE job_type = q.name AND status = 'Failed'
                       AND attempts < max_attempts AND run_at <= {now})",
        names = names.join(" UNION ALL "),
        jobs = d.jobs(),
        now = d.at(1),
    );
    let values = [app.clock.wall().timestamp().into()];
    let rows = conn.query_all_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    Ok(rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?)
}

/// Makes runnable what became due because `App`'s clock was moved: such rows wait for the machine's clock.
/// Units: rows.
pub async fn pull_forward(app: &App) -> Result<u64> {
    let d = Dialect::of(app.db.writer());
    let sql = format!(
        "UPDATE {jobs} SET run_at = {now}
         WHERE status IN ('Pending', 'Failed') AND run_at > {later} AND {due} <= $3",
        jobs = d.jobs(),
        now = d.at(1),
        later = d.at(2),
        due = d.due(),
    );
    let wall = app.clock.wall().timestamp();
    // A second beyond now: what is rounded up to the next second comes by itself.
    run(app, d, sql, vec![wall.into(), (wall + 1).into(), app.clock.now().timestamp_micros().into()]).await
}

/// Deletes jobs that ended long ago and workers that are long gone. Units: rows.
pub async fn prune(app: &App) -> Result<u64> {
    let d = Dialect::of(app.db.writer());
    let jobs = d.jobs();
    let mut pruned = 0;
    for (states, keep) in [("status = 'Done'", KEEP_DONE), ("status IN ('Killed', 'Failed')", KEEP_DEAD)] {
        let sql = format!(
            "DELETE FROM {jobs} WHERE id IN (
                SELECT id FROM {jobs} WHERE {states} AND done_at IS NOT NULL AND done_at < {before} LIMIT {BATCH})",
            before = d.at(1),
        );
        let before = (app.clock.wall() - keep).timestamp();
        loop {
            let gone = run(app, d, sql.clone(), vec![before.into()]).await?;
            pruned += gone;
            if gone < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    let sql = format!(
        "DELETE FROM {workers} WHERE last_seen < {before}
         AND NOT EXISTS (SELECT 1 FROM {jobs} WHERE {jobs}.lock_by = {workers}.id)",
        workers = d.workers(),
        before = d.at(1),
    );
    Ok(pruned + run(app, d, sql, vec![(app.clock.wall() - KEEP_DONE).timestamp().into()]).await?)
}

async fn run(app: &App, d: Dialect, sql: String, values: Vec<Value>) -> Result<u64> {
    let done = app.db.writer().execute_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    Ok(done.rows_affected())
}
