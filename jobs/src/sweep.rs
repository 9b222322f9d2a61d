//! The sweep: the queue may lose anything, because what is due stands in our own tables and is found here.

use std::time::Duration;

use chrono::Duration as Span;
use domain::{
    App, Result,
    entities::{
        account_token, chain_cursor, event, idempotency_key, mail, object_deletion, payment, scheduled_task,
        upload, wallet_challenge,
    },
    queue,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::worker;

/// When the tables are looked through, by the machine's clock: every five seconds. These ticks wake the sweep and nothing
/// else: what is to be done, and that it is done once, stands in the tables.
const TICKS: &str = "*/5 * * * * *";
/// What is due has this long to be worked on before its wake-up counts as lost, in `App`'s time.
const GRACE: Duration = Duration::from_secs(30);
/// How often old rows are deleted and the planner is told of new ones, in real time.
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
                Ok(gone) => tracing::debug!(gone, "old rows deleted"),
                Err(error) => tracing::error!(%error, "old rows could not be deleted"),
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

/// Deletes what nobody will ask for again. Units: rows.
async fn tidy(app: &App) -> Result<u64> {
    let now = app.clock.now();
    let db = app.db.writer();
    let (day, month) = (now - Span::days(1), now - Span::days(30));
    let mut gone = queue::prune(app).await?;
    gone +=
        event::Entity::delete_many().filter(event::Column::CreatedAt.lt(day)).exec(db).await?.rows_affected;
    gone += idempotency_key::Entity::delete_many()
        .filter(idempotency_key::Column::CreatedAt.lt(month))
        .exec(db)
        .await?
        .rows_affected;
    // A day longer than they are good, so that one who comes late hears that it expired.
    gone += wallet_challenge::Entity::delete_many()
        .filter(wallet_challenge::Column::ExpiresAt.lt(day))
        .exec(db)
        .await?
        .rows_affected;
    gone += account_token::Entity::delete_many()
        .filter(account_token::Column::ExpiresAt.lt(day))
        .exec(db)
        .await?
        .rows_affected;
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
