//! The reconciler's half of the queue: rows of our own tables that want to be looked at, and whose wake-up
//! is missing.

use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Statement,
    sea_query::{LockBehavior, LockType},
};

use super::dialect::Dialect;
use crate::{App, Tx, error::Result};

/// How many rows one transaction takes.
const BATCH: u64 = 100;
/// A job that used up its attempts is given new ones after this long: what failed so often outside may
/// work again.
const SECOND_WIND: Duration = Duration::hours(1);

/// A table whose rows say in `due_at` when they want to be looked at, and in `look` how often they were
/// woken.
pub trait Due: EntityTrait
where
    Self::Model: IntoActiveModel<Self::ActiveModel>,
{
    /// When it wants to be looked at next.
    const DUE_AT: Self::Column;

    /// The key under which the row's last wake-up was enqueued.
    fn key(row: &Self::Model) -> String;

    /// Raises the row's look number, makes it due at a moment, and enqueues the job that its state calls
    /// for, all in the transaction.
    fn wake(
        app: &App,
        tx: &Tx,
        row: &Self::Model,
        due: DateTime<Utc>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// What became of the wake-up that a row had last.
#[derive(Debug, PartialEq, Eq)]
enum Last {
    /// It waits, runs, or is tried again: nothing is missing.
    Alive,
    /// It is dead or cancelled, and stays so until a person or a change of state says otherwise.
    Dead,
    /// It is gone, or ended without moving the due time, or used up its attempts long ago.
    Missing,
}

/// Wakes what has been due for longer than the grace and has no job. Safe beside other sweeps: each takes
/// the rows that no other has. Units: jobs enqueued.
pub async fn sweep<E>(app: &App, grace: Duration) -> Result<u64>
where
    E: Due,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let before = app.clock.now() - grace;
    let overdue = || E::find().filter(E::DUE_AT.lt(before)).order_by_asc(E::DUE_AT);
    // Nearly always nothing is overdue: that must not cost the writer a transaction.
    if overdue().one(app.db.reader()).await?.is_none() {
        return Ok(0);
    }
    let mut woken = 0;
    loop {
        let tx = app.db.begin().await?;
        let rows = overdue()
            .limit(BATCH)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&*tx)
            .await?;
        let batch = rows.len() as u64;
        for row in rows {
            woken += u64::from(wake::<E>(app, &tx, row).await?);
        }
        tx.commit().await?;
        if batch < BATCH {
            return Ok(woken);
        }
    }
}

async fn wake<E>(app: &App, tx: &Tx, row: E::Model) -> Result<bool>
where
    E: Due,
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let now = app.clock.now();
    let missing = last(tx, &E::key(&row), now).await? == Last::Missing;
    if missing {
        E::wake(app, tx, &row, now).await?;
    } else {
        // Seen now, so that the next round gets to the rows behind it.
        let mut seen = row.into_active_model();
        seen.set(E::DUE_AT, Some(now).into());
        E::update(seen).exec(&**tx).await?;
    }
    Ok(missing)
}

async fn last(tx: &Tx, key: &str, now: DateTime<Utc>) -> Result<Last> {
    let conn = &**tx;
    let d = Dialect::of(conn);
    let sql = format!(
        "SELECT status, attempts < max_attempts AS retryable, {cancelled} AS cancelled, {due} AS due FROM {jobs}
         WHERE {subject} = $1 AND idempotency_key = $2",
        due = d.due(),
        cancelled = d.cancelled(),
        subject = d.subject(),
        jobs = d.jobs(),
    );
    let subject = key.split(':').next().unwrap_or_default();
    let values = [subject.into(), key.into()];
    let Some(row) = conn.query_one_raw(Statement::from_sql_and_values(d.backend(), sql, values)).await?
    else {
        return Ok(Last::Missing);
    };
    let status: String = row.try_get("", "status")?;
    let retryable: bool = row.try_get("", "retryable")?;
    let due: i64 = row.try_get("", "due")?;
    let cancelled: bool = row.try_get("", "cancelled")?;
    let long_ago = due < (now - SECOND_WIND).timestamp_micros();
    Ok(match status.as_str() {
        "Done" => Last::Missing,
        "Killed" if cancelled => Last::Dead,
        // Losing a job costs latency only, whatever killed it.
        "Killed" if long_ago => Last::Missing,
        "Killed" => Last::Dead,
        "Failed" if !retryable && long_ago => Last::Missing,
        "Failed" if !retryable => Last::Dead,
        _ => Last::Alive,
    })
}
