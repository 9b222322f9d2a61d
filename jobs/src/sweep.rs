//! The sweep: the queue may lose anything, because what is due stands in our own tables and is found here.

use std::time::Duration;

use chrono::Duration as Span;
use domain::{
    App, Result,
    entities::{chain_cursor, mail, object_deletion, payment, scheduled_task, upload},
    queue,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::worker;

/// When the tables are looked through, by the machine's clock: every five seconds. These ticks wake the sweep and nothing
/// else: what is to be done, and that it is done once, stands in the tables.
const TICKS: &str = "*/5 * * * * *";
/// What is due has this long to be worked on before its wake-up counts as lost, in `App`'s time.
const GRACE: Duration = Duration::from_secs(30);
/// How often jobs that are done are deleted and the planner is told of new rows, in real time: the queue's rows are apalis',
/// and carry the machine's time.
const TIDY: Duration = Duration::from_secs(600);

/// Sweeps until it is told to stop, at once when `App`'s clock was moved.
pub(crate) async fn run(app: App, shutdown: CancellationToken) {
    let mut tidied: Option<Instant> = None;
    while !shutdown.is_cancelled() {
        match round(&app, GRACE).await {
            Ok(0) => (),
            Ok(found) => tracing::warn!(found, "the sweep found rows whose wake-up was lost"),
            Err(error) => tracing::error!(%error, "the sweep failed"),
        }
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            match tidy(&app).await {
                Ok(gone) => tracing::debug!(gone, "old jobs deleted"),
                Err(error) => tracing::error!(%error, "old jobs could not be deleted"),
            }
            tidied = Some(Instant::now());
        }
        tokio::select! {
            () = shutdown.cancelled() => (),
            () = app.clock.moved() => (),
            () = worker::tick(TICKS) => (),
        }
    }
}

/// Looks through every table once; one that fails does not keep the others from being looked through.
/// Units: jobs enqueued.
pub(crate) async fn round(app: &App, grace: Duration) -> Result<u64> {
    let grace = Span::from_std(grace).unwrap_or(Span::zero());
    queue::pull_forward(app).await?;
    let found = [
        queue::sweep::<payment::Entity>(app, grace).await,
        queue::sweep::<chain_cursor::Entity>(app, grace).await,
        queue::sweep::<scheduled_task::Entity>(app, grace).await,
        queue::sweep::<mail::Entity>(app, grace).await,
        queue::sweep::<upload::Entity>(app, grace).await,
        queue::sweep::<object_deletion::Entity>(app, grace).await,
    ];
    found.into_iter().sum()
}

/// Keeps the queue small and quick. Units: rows deleted.
async fn tidy(app: &App) -> Result<u64> {
    let gone = queue::prune(app).await?;
    queue::analyze(&app.db).await?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ticks_by_the_machines_clock() {
        assert!(TICKS.parse::<cron::Schedule>().is_ok());
        let began = Instant::now();
        worker::tick("* * * * * *").await;
        assert!(began.elapsed() < Duration::from_millis(1_500));
    }
}
