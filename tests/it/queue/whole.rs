//! The whole of MegiLance over this queue.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{CONFIRMATIONS, TestApp, new_key, ok, text};

/// Every wake-up is gone, as after a restore that left the queue out.
async fn lose_the_queue(app: &TestApp) {
    let db = app.app.db.writer();
    let jobs = if db.get_database_backend() == DbBackend::Postgres { "apalis.jobs" } else { "Jobs" };
    db.execute_unprepared(&format!("DELETE FROM {jobs}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_queue_again_and_again_costs_nothing_but_time() {
    let app = TestApp::start().await;
    let deal = app.deal(&[1000]).await;
    let milestone = &deal.milestones[0];
    let until = async |status: &str| {
        for _ in 0..10 {
            lose_the_queue(&app).await;
            app.mine(1).await;
            if app.status_of(&deal, milestone).await == status {
                return;
            }
        }
        panic!("{} and never {status}", app.status_of(&deal, milestone).await);
    };
    let funding = ok(app.fund(&deal, milestone, &new_key()).await);
    let treasury = text(&funding["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &treasury, 1_000_000_000).await.unwrap();
    until("FUNDED").await;
    let submit = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        milestone { id } userErrors { field code message } } }";
    let work = json!({ "milestoneId": milestone, "note": "Done as agreed." });
    ok(app.mutate(&deal.freelancer.token, submit, work).await);
    ok(app.approve(&deal, milestone, &new_key()).await);
    until("PAID").await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 900_000_000);
    app.mine(u64::from(CONFIRMATIONS)).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_pool_does_the_real_work() {
    let app = TestApp::start().await;
    let stop = CancellationToken::new();
    let pool = tokio::spawn(jobs::run(app.app.clone(), stop.clone()));
    let ada = app.register("ada", "CLIENT").await;
    for _ in 0..100 {
        if !app.mails(&ada.email).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(app.mails(&ada.email).len(), 1);
    stop.cancel();
    pool.await.unwrap();
    app.finish().await;
}
