//! One attempt at a job: what the row says before, and what is written down after.
//!
//! We write the end of an attempt ourselves, in one statement, instead of leaving it to apalis: its
//! acknowledgement travels through a channel that is not emptied while a worker shuts down, knows no
//! back-off, and looks rows up by worker.

use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Statement};

use super::{
    Job,
    dialect::{Dialect, Meta, run_at},
};
use crate::{
    App,
    error::{Error, Result},
    events,
    payment::jobs::{ChainScan, DepositConfirm, PayoutTrack},
};

/// A job whose attempts ended so often without a word, because the process died, is kept away from it for a while. It may be
/// what kills the process; or it was merely there, as the scanner always is.
pub const QUARANTINE: i64 = 3;

/// The queues of jobs that look at the chain again and again.
const LOOKS: [&str; 3] = [ChainScan::QUEUE, DepositConfirm::QUEUE, PayoutTrack::QUEUE];

/// A row that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The row's id, a ULID.
    pub id: String,
    /// The worker that holds it.
    pub worker: String,
    /// The queue it came from.
    pub queue: String,
    /// The subject, the version and the look that it is about.
    pub key: Option<String>,
    /// The payload, JSON.
    pub payload: Vec<u8>,
    /// Attempts that counted before this one.
    pub attempts: i64,
    /// How many may count.
    pub max_attempts: i64,
    /// How many of them ended with an error that we saw.
    pub errors: i64,
    /// How often it was quarantined.
    pub quarantines: i64,
}

impl Attempt {
    /// How many of them ended because the process died.
    pub const fn crashes(&self) -> i64 {
        self.attempts - self.errors
    }

    /// Whether another error is the last.
    pub const fn is_last(&self) -> bool {
        self.attempts + 1 >= self.max_attempts
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to do.
    Done,
    /// To be looked at again; it does not count as an attempt.
    Later(Duration),
    /// It failed and is tried again after this long, unless that was its last attempt.
    Failed {
        /// What went wrong.
        error: String,
        /// How long until the next attempt.
        after: Duration,
    },
    /// The process died too often while it ran: it is tried again after this long, once, before the next wait, unless it has
    /// no attempt left.
    Quarantined(Duration),
    /// It will never work, and why.
    Dead(String),
}

/// The row, if that worker still holds it.
pub async fn load(app: &App, id: &str, worker: &str) -> Result<Option<Attempt>> {
    let conn = app.db.reader();
    let d = Dialect::of(conn);
    let sql = format!(
        "SELECT {} FROM {} WHERE id = $1 AND lock_by = $2 AND status IN ('Queued', 'Running')",
        columns(d),
        d.jobs()
    );
    let row =
        conn.query_one_raw(Statement::from_sql_and_values(d.backend(), sql, [id.into(), worker.into()]));
    row.await?.as_ref().map(attempt).transpose()
}

/// Takes the next row that is due by `App`'s clock, in the order of due times, then of writing: for
/// draining the queue without workers, which take rows by the machine's clock.
pub async fn claim_next(app: &App, worker: &str) -> Result<Option<Attempt>> {
    let conn = app.db.writer();
    let d = Dialect::of(conn);
    // The row names its worker by a foreign key. One that never beats belongs to no queue.
    let sql = format!(
        "INSERT INTO {} (id, worker_type, storage_name, layers, last_seen) VALUES ($1, 'drain', 'drain', '', {})
         ON CONFLICT (id) DO NOTHING",
        d.workers(),
        d.at(2)
    );
    conn.execute_raw(Statement::from_sql_and_values(d.backend(), sql, [worker.into(), 0_i64.into()])).await?;

    let sql = format!(
        "UPDATE {jobs} SET status = 'Queued', lock_by = $1, lock_at = {now}
         WHERE id = (SELECT id FROM {jobs}
                     WHERE (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts)) AND {due} <= $3
                     ORDER BY {due}, {order} LIMIT 1 {lock})
         RETURNING {columns}",
        jobs = d.jobs(),
        now = d.at(2),
        due = d.due(),
        order = d.order_of_writing(),
        lock = d.skip_locked(),
        columns = columns(d),
    );
    let now = app.clock.now().timestamp_micros();
    let values = [worker.into(), app.clock.wall().timestamp().into(), now.into()];
    let row = conn.query_one_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    row.as_ref().map(attempt).transpose()
}

/// Writes down how an attempt ended and lets go of the row. False when the worker no longer held it: then
/// another has it, and this end is not written.
pub async fn finish(app: &App, attempt: &Attempt, end: &End) -> Result<bool> {
    let tx = app.db.begin().await?;
    let d = Dialect::of(&*tx);
    let now = app.clock.now();
    let result = |error: Option<&str>| match error {
        Some(error) => serde_json::json!({ "Err": error }).to_string(),
        None => r#"{"Ok":null}"#.to_owned(),
    };
    let after = |wait: Duration| now + chrono::Duration::from_std(wait).unwrap_or(chrono::Duration::days(1));
    let mut due = now;
    let (mut attempts, mut errors, mut quarantines) = (attempt.attempts, attempt.errors, attempt.quarantines);
    let (status, last_result, done) = match end {
        End::Done => {
            attempts += 1;
            ("Done", Some(result(None)), true)
        }
        End::Later(wait) => {
            due = after(*wait);
            ("Pending", None, false)
        }
        End::Failed { error, after: wait } => {
            attempts += 1;
            errors += 1;
            due = after(*wait);
            ("Failed", Some(result(Some(error))), attempt.is_last())
        }
        End::Quarantined(wait) => {
            let error = format!(
                "quarantined for {} s: the process died {} times while running this",
                wait.as_secs(),
                attempt.crashes()
            );
            attempts += 1;
            quarantines += 1;
            // The next crash is one too many again.
            errors = attempts - (QUARANTINE - 1);
            due = after(*wait);
            ("Failed", Some(result(Some(&error))), attempt.is_last())
        }
        End::Dead(reason) => {
            attempts += 1;
            errors += 1;
            ("Killed", Some(result(Some(reason))), true)
        }
    };
    let sql = format!(
        "UPDATE {} SET status = $3, attempts = $4, run_at = {}, last_result = {}, done_at = {}, metadata = {}, lock_by = NULL
         WHERE id = $1 AND lock_by = $2",
        d.jobs(),
        d.at(5),
        d.json(6),
        d.at(7),
        d.meta(8),
    );
    let values = [
        attempt.id.as_str().into(),
        attempt.worker.as_str().into(),
        status.into(),
        attempts.into(),
        run_at(&app.clock, due).into(),
        last_result.into(),
        done.then(|| app.clock.wall().timestamp()).into(),
        Meta { errors, quarantines, ..Meta::due(due) }.text(d).into(),
    ];
    let done = tx.execute_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    // A look that went well is no news: the chain is looked at every few seconds.
    let news = match end {
        End::Later(_) => false,
        End::Done => !LOOKS.contains(&attempt.queue.as_str()),
        End::Failed { .. } | End::Quarantined(_) | End::Dead(_) => true,
    };
    if news {
        events::job_updated(app, &*tx, &attempt.id).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Gives back every row that a worker still holds, without counting an attempt: for a worker that stops in
/// good order. Units: rows.
pub async fn release(app: &App, worker: &str) -> Result<u64> {
    let conn = app.db.writer();
    let d = Dialect::of(conn);
    let sql = format!(
        "UPDATE {} SET status = 'Pending', lock_by = NULL, lock_at = NULL
         WHERE lock_by = $1 AND status IN ('Queued', 'Running')",
        d.jobs()
    );
    let done = conn.execute_raw(Statement::from_sql_and_values(d.backend(), sql, [worker.into()])).await?;
    Ok(done.rows_affected())
}

/// The queue named by an apalis notification's payload, so that its worker can be woken.
pub fn queue_of(notification: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(notification).ok()?;
    Some(event.get("job_type")?.as_str()?.to_owned())
}

fn columns(d: Dialect) -> String {
    format!(
        "id, lock_by, job_type, idempotency_key, job, CAST(attempts AS BIGINT) AS attempts,
         CAST(max_attempts AS BIGINT) AS max_attempts, {} AS errors, {} AS quarantines",
        d.errors(),
        d.quarantines()
    )
}

fn attempt(row: &QueryResult) -> Result<Attempt> {
    let read = || -> Result<Attempt, sea_orm::DbErr> {
        Ok(Attempt {
            id: row.try_get("", "id")?,
            worker: row.try_get("", "lock_by")?,
            queue: row.try_get("", "job_type")?,
            key: row.try_get("", "idempotency_key")?,
            payload: row.try_get("", "job")?,
            attempts: row.try_get("", "attempts")?,
            max_attempts: row.try_get("", "max_attempts")?,
            errors: row.try_get("", "errors")?,
            quarantines: row.try_get("", "quarantines")?,
        })
    };
    read().map_err(Error::from)
}
