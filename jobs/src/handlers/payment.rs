//! Money.

use std::time::Duration;

use domain::{
    App, Error, Result,
    payment::{
        deposit,
        jobs::{ChainScan, DepositConfirm, PayoutTrack, RefundSend, ReleaseSend},
        payout, scan,
    },
    queue::Outcome,
};

/// When a chain that could not be read is tried again.
const SCAN_AGAIN: Duration = Duration::from_secs(10);

pub(crate) async fn deposit_confirm(app: App, job: DepositConfirm) -> Result<Outcome> {
    deposit::confirm(&app, job.id).await
}

pub(crate) async fn chain_scan(app: App, _: ChainScan) -> Result<Outcome> {
    match scan::run(&app).await {
        // However long the node is away, the scanner is there when it comes back.
        Err(Error::Port(error)) if error.is_transient() => {
            tracing::warn!(%error, "the chain could not be read; it is tried again");
            Ok(Outcome::RetryIn(SCAN_AGAIN))
        }
        other => other,
    }
}

pub(crate) async fn release_send(app: App, job: ReleaseSend) -> Result<Outcome> {
    payout::send(&app, job.id).await
}

pub(crate) async fn refund_send(app: App, job: RefundSend) -> Result<Outcome> {
    payout::send(&app, job.id).await
}

pub(crate) async fn payout_track(app: App, job: PayoutTrack) -> Result<Outcome> {
    payout::track(&app, job.id).await
}
