//! The way into the queue: a job row is written in the caller's transaction.
//!
//! The queue is a wake-up, not the truth: what is due stands in our own tables, and losing every row of
//! the queue costs latency only. apalis' own push cannot join a SeaORM transaction, hence the INSERT here;
//! the exact version pins and the tests through the real worker guard it.

use std::{fmt::Display, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{App, error::Result};

mod about;
mod attempt;
mod dialect;
mod due;
mod manage;
mod read;
mod row;
mod upkeep;

pub use about::{about, check_page, count_about};
pub use attempt::{Attempt, End, QUARANTINE, claim_next, finish, load, queue_of, release};
pub use due::{Due, sweep};
pub use manage::{Order, manage};
pub use read::{cancel, count, find, find_many, last_beat, list, queues, retry, workers_beating};
pub use row::{JobFilter, JobRow, JobState, QueueCounts};
pub use upkeep::{KEEP_DEAD, KEEP_DONE, analyze, beat, index, prune, pull_forward, ready};

use dialect::{Dialect, Meta, run_at};

/// A payload: ids only, so that it never goes stale.
pub trait Job: Serialize + DeserializeOwned + Clone + Send + Sync + Unpin + 'static {
    /// The queue's name, which is apalis' job type.
    const QUEUE: &'static str;
    /// How often it is tried before it is dead.
    const MAX_ATTEMPTS: i32 = 25;
}

/// How a job ended, when it ended as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do, or the next look is already in the queue.
    Done,
    /// Try the same row again after this long.
    RetryIn(Duration),
    /// It will never work: dead, with the reason.
    Fail(String),
}

/// The key that keeps one wake-up from being queued twice: subject, state version, look number. apalis
/// keeps the keys of finished rows for ever, so another look needs another number.
pub fn key(subject: impl Display, version: i32, look: i32) -> String {
    format!("{subject}:{version}:{look}")
}

/// Puts a job into the queue, due at a moment of `App`'s clock, within the caller's transaction. Nothing
/// happens when the key is there already.
pub async fn enqueue<J: Job>(
    app: &App,
    conn: &impl ConnectionTrait,
    job: &J,
    key: &str,
    due: DateTime<Utc>,
) -> Result<()> {
    let payload = serde_json::to_vec(job).map_err(|e| crate::Error::bug(format!("job payload: {e}")))?;
    let d = Dialect::of(conn);
    // apalis wants a ULID; a UUIDv7 has the same shape, and ours rise within the process.
    let id = ulid::Ulid::from(app.clock.new_id::<Uuid>().as_u128()).to_string();
    let sql = format!(
        "INSERT INTO {jobs} (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata, idempotency_key)
         VALUES ($1, $2, $3, 'Pending', 0, $4, {run_at}, 0, {meta}, $7)
         ON CONFLICT (job_type, idempotency_key) DO NOTHING",
        jobs = d.jobs(),
        run_at = d.at(5),
        meta = d.meta(6),
    );
    let values = [
        payload.into(),
        id.into(),
        J::QUEUE.into(),
        J::MAX_ATTEMPTS.into(),
        run_at(&app.clock, due).into(),
        Meta::due(due).text(d).into(),
        key.into(),
    ];
    conn.execute_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?;
    Ok(())
}
