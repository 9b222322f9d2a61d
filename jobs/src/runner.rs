//! One attempt, from the row to the row: the same for workers and for [`crate::drain`].

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use domain::{
    App, Error, Result, fault,
    queue::{self, Attempt, End, Outcome, QUARANTINE},
};
use futures::FutureExt;
use tracing::Instrument;

use crate::registry::{Backoff, Queue};

/// How long to wait before the end of an attempt is written again, when the database did not take it.
const STORE_AGAIN: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(2), Duration::from_secs(5)];

/// How long a job is kept away from a process that died too often while it ran. What kills processes does so once in half an
/// hour; what was merely there when they died goes on soon.
const QUARANTINED: Backoff = Backoff { base: Duration::from_secs(30), cap: Duration::from_secs(30 * 60) };

/// Runs the job that a worker was given, unless the row is no longer that worker's.
///
/// # Errors
///
/// When the database did not say what the job is, or did not take its end. The row then still belongs to
/// the worker, which has to give it back.
pub(crate) async fn attempt(app: &App, queue: &Queue, id: &str, worker: &str) -> Result<()> {
    match queue::load(app, id, worker).await? {
        Some(row) => run(app, queue, &row).await,
        None => Ok(()),
    }
}

/// Runs a job and writes down how it ended.
///
/// # Errors
///
/// When the database did not take the end.
pub(crate) async fn run(app: &App, queue: &Queue, row: &Attempt) -> Result<()> {
    let key = row.key.as_deref().unwrap_or_default();
    let span = tracing::info_span!("job", queue = queue.name, id = %row.id, key, attempt = row.attempts + 1);
    async {
        let end = attempt_once(app, queue, row).await;
        match &end {
            End::Done => tracing::debug!("done"),
            End::Later(wait) => tracing::debug!(?wait, "later"),
            End::Failed { error, .. } if row.is_last() => tracing::error!(error, "failed for the last time"),
            End::Failed { error, after } => tracing::warn!(error, ?after, "failed, to be tried again"),
            End::Quarantined(wait) => {
                tracing::error!(
                    crashes = row.crashes(),
                    ?wait,
                    "quarantined: the process died while running this"
                );
            }
            End::Dead(reason) => tracing::error!(reason, "dead"),
        }
        fault::point("job.end").await?;
        store(app, row, &end).await
    }
    .instrument(span)
    .await
}

async fn attempt_once(app: &App, queue: &Queue, row: &Attempt) -> End {
    // Here and not in apalis: a row taken over from a dead worker passes its check.
    if row.attempts >= row.max_attempts {
        return End::Dead(format!("no attempt left after {}", row.attempts));
    }
    if row.crashes() >= QUARANTINE {
        // Each is four times as long as the one before.
        return End::Quarantined(QUARANTINED.after(2 * row.quarantines));
    }
    let failed = |error: String| End::Failed { error, after: queue.limits.backoff.after(row.errors) };
    let (app, payload) = (app.clone(), row.payload.clone());
    let work = async move { (queue.handler)(app, payload).await };
    match tokio::time::timeout(queue.limits.time, AssertUnwindSafe(work).catch_unwind()).await {
        Err(_) => failed(format!("took longer than {:?}", queue.limits.time)),
        Ok(Err(panic)) => failed(format!("panicked: {}", words(&*panic))),
        Ok(Ok(Ok(Outcome::Done))) => End::Done,
        Ok(Ok(Ok(Outcome::RetryIn(wait)))) => End::Later(wait),
        Ok(Ok(Ok(Outcome::Fail(reason)))) => End::Dead(reason),
        // What the outside refuses now (a spent quota, a changed key) it may grant once an operator has seen to
        // it: only our own verdict ends a job.
        Ok(Ok(Err(error @ Error::Port(_)))) => failed(error.to_string()),
        Ok(Ok(Err(error))) if error.is_transient() => failed(error.to_string()),
        Ok(Ok(Err(error))) => End::Dead(error.to_string()),
    }
}

async fn store(app: &App, row: &Attempt, end: &End) -> Result<()> {
    let mut waits = STORE_AGAIN.into_iter();
    loop {
        match queue::finish(app, row, end).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                tracing::warn!("another worker took this job over: its end is not written");
                return Ok(());
            }
            Err(error) => match waits.next() {
                Some(wait) if matches!(error, Error::Database(_)) => tokio::time::sleep(wait).await,
                _ => return Err(error),
            },
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}
