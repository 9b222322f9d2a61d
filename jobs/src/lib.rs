//! What happens later: the worker pool, its queues, and the sweep that finds what was forgotten.
//!
//! Nothing is decided here. A job carries ids only; its handler calls a service of `domain`, which locks
//! the row, looks at its state, and does what is left to do.

use std::time::Duration;

use domain::{App, Error, Result, queue};
use tokio_util::sync::CancellationToken;

mod handlers;
mod pool;
pub mod registry;
mod runner;
mod sweep;
mod worker;

pub use registry::{Backoff, Limits, Registry};
pub use worker::migrate;

/// After so many jobs a drained queue is taken to be going round in circles.
const MOST_DRAINED: u64 = 2000;

/// Works until it is told to stop: takes no new jobs then, and returns when the running ones have ended, or
/// after 25 seconds. It comes back by itself when the database was away.
pub async fn run(app: App, shutdown: CancellationToken) {
    Box::pin(run_with(Registry::standard(), app, shutdown)).await;
}

/// [`run`] with queues of one's own: for tests.
pub async fn run_with(registry: Registry, app: App, shutdown: CancellationToken) {
    tokio::join!(pool::run(registry, app.clone(), shutdown.clone()), sweep::run(app, shutdown));
}

/// Runs everything that is due by `App`'s clock, one job after the other in the order of due times, until
/// nothing is due; no real time has to pass. Gives the number of attempts. For tests, which then need no pool.
///
/// # Errors
///
/// When the database fails, a job is of an unknown queue, or jobs go on making jobs without end.
pub async fn drain(app: &App) -> Result<u64> {
    drain_with(&Registry::standard(), app).await
}

/// [`drain`] with queues of one's own.
///
/// # Errors
///
/// As [`drain`].
pub async fn drain_with(registry: &Registry, app: &App) -> Result<u64> {
    let mut ran = 0;
    loop {
        sweep::round(app, Duration::ZERO).await?;
        let before = ran;
        while let Some(row) = queue::claim_next(app, "drain").await? {
            let queue = registry.find(&row.queue);
            let queue = queue.ok_or_else(|| Error::bug(format!("no queue is called {}", row.queue)))?;
            runner::run(app, queue, &row).await?;
            ran += 1;
            if ran >= MOST_DRAINED {
                return Err(Error::bug(format!(
                    "the queue does not come to rest: {} {:?}",
                    row.queue, row.key
                )));
            }
        }
        if ran == before {
            return Ok(ran);
        }
    }
}
