//! What has to come before what on a payout's way: stored before sent, locked before signed, deep before done.

use std::time::Duration as Real;

use chrono::Duration;
use domain::{fault::Scope, payment::payout};
use sandbox::evm::Mining;
use serde_json::{Value, json};

use super::{handle, queued, signed};
use crate::support::{TestApp, new_key, ok, proxy::Fault, text};

/// How many transactions of the treasury the chain has taken or keeps waiting.
async fn heard_of(app: &TestApp) -> Value {
    let treasury = app.app.chain.treasury().to_string();
    app.rpc("eth_getTransactionCount", json!([treasury, "pending"])).await
}

/// The chain never hears of bytes that are not stored: next time it may be others, and it would take both.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_broadcast_before_it_is_stored() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    let before = heard_of(&app).await;
    for point in ["payout.sign", "payout.persist"] {
        let scope = Scope::new();
        scope.arm(point, "return(error)").unwrap();
        Box::pin(scope.run(app.drain())).await;
        scope.disarm(point);
        assert!(scope.hits() > 0, "it comes by {point}");
        assert!(signed(&app, &release).await.is_empty(), "nothing is stored at {point}");
        assert_eq!(heard_of(&app).await, before, "and nothing sent");
        // Past the back-off.
        app.advance(Duration::seconds(10));
    }
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// A replacement that could not be stored was not sent: the chain would take what nobody watches.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_is_stored_before_it_is_broadcast() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    app.drain().await;
    // The deposit has its last look, so that only the payout is due next time.
    app.advance(Duration::minutes(1));
    app.drain().await;
    app.advance(Duration::minutes(5));
    let scope = Scope::new();
    scope.arm("payment.lock", "return(error)").unwrap();
    Box::pin(scope.run(app.drain())).await;
    scope.disarm("payment.lock");
    assert!(scope.hits() > 0, "it was stuck, and more was to be offered");
    let all = signed(&app, &release).await;
    assert_eq!(all.len(), 1, "which was not stored");

    app.settle().await;
    let paid = app.payment(&deal.client, &release).await;
    assert_eq!((&paid["status"], &paid["transactionHash"]), (&json!("COMPLETED"), &json!(all[0].hash)));
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// A block may go until it is deep enough: the same bytes are sent again then.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_a_reorg_takes_back_is_sent_again() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.drain().await;
    let first = signed(&app, &release).await;
    // Two blocks deep, of three.
    app.mine(1).await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "CONFIRMING");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "APPROVED");
    app.reorg(2).await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 0, "it is gone");
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    let hashes = |rows: &[domain::entities::chain_transaction::Model]| {
        rows.iter().map(|row| row.hash.clone()).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&signed(&app, &release).await), hashes(&first), "no other was signed");
    app.finish().await;
}

/// An administrator sends it elsewhere while the chain is asked: what was read before that is not signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_was_overtaken_signs_nothing() {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.funded(&deal, &deal.milestones[0]).await;
    let other = app.new_payout_wallet(&deal.client, 45).await;
    let refund = ok(app.refund(&deal, &deal.milestones[0], None, &new_key()).await);
    let refund = text(&refund["payment"]["id"]);

    proxy.set("eth_estimateGas", Fault::Slow(Real::from_secs(5)));
    let look = {
        let (app, id) = (app.app.clone(), refund.parse().unwrap());
        tokio::spawn(async move { payout::send(&app, id).await })
    };
    for _ in 0..500 {
        if proxy.calls("eth_estimateGas") > 0 {
            break;
        }
        tokio::time::sleep(Real::from_millis(10)).await;
    }
    let way = json!({ "reason": "Their wallet is lost.", "idempotencyKey": new_key() });
    ok(handle(&app, &admin, "paymentRedirect", &refund, way).await);
    assert!(proxy.calls("eth_estimateGas") > 0 && !look.is_finished(), "the chain has not answered yet");
    look.await.unwrap().unwrap();
    assert!(signed(&app, &refund).await.is_empty(), "it was to go elsewhere");

    proxy.cure();
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&other.address()).await, 100_000_000);
    assert_eq!(app.usdc_of(&deal.client.address()).await, 0);
    app.finish().await;
}
