//! Money.

use domain::{
    App, Result,
    payment::{
        deposit,
        jobs::{ChainScan, DepositConfirm, PayoutTrack, RefundSend, ReleaseSend},
        payout, scan,
    },
    queue::Outcome,
};

pub(crate) async fn deposit_confirm(app: App, job: DepositConfirm) -> Result<Outcome> {
    deposit::confirm(&app, job.id).await
}

pub(crate) async fn chain_scan(app: App, _: ChainScan) -> Result<Outcome> {
    scan::run(&app).await
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
