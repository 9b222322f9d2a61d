//! A node that is slow, fails, breaks off and lies: nobody is credited wrongly, nobody is paid twice, and all goes on when it
//! is over. One node that tells the same lie everywhere cannot be seen through: for that a credit can need two.

use std::time::Duration as Real;

use chrono::Duration;
use domain::entities::chain_transaction;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{
    Deal, TestApp, invariants, new_key, ok,
    proxy::{Fault, Proxy},
    text,
};

/// What goes wrong, in which call (`""`: in all), and for how many rounds.
fn troubles() -> Vec<(&'static str, Fault)> {
    let busy = Fault::Refused { code: -32005, message: "limit exceeded" };
    let known = Fault::Refused { code: -32000, message: "already known" };
    let slow = Fault::Slow(Real::from_millis(50));
    vec![
        ("", Fault::Status(503)),
        ("", Fault::Cut),
        ("", slow),
        ("eth_sendRawTransaction", Fault::Cut),
        ("eth_sendRawTransaction", Fault::Status(500)),
        ("eth_sendRawTransaction", known),
        ("eth_sendRawTransaction", busy.clone()),
        ("eth_getTransactionReceipt", Fault::Cut),
        ("eth_getTransactionReceipt", Fault::Lie(Value::Null)),
        ("eth_getBlockByNumber", Fault::Status(429)),
        ("eth_getLogs", busy.clone()),
        ("eth_getLogs", Fault::Cut),
        ("eth_call", Fault::Status(502)),
        ("eth_estimateGas", busy),
    ]
}

impl Fault {
    fn begin(self, proxy: &Proxy, method: &'static str) {
        if method.is_empty() { proxy.all(self) } else { proxy.set(method, self) }
    }
}

/// The next block, and everything that is due by then.
async fn rounds(app: &TestApp, count: usize) {
    for _ in 0..count {
        app.evm.mine(1).unwrap();
        app.advance(Duration::seconds(2));
        app.drain().await;
    }
}

/// Goes on until a milestone is where it should be; back-offs have grown meanwhile.
async fn until(app: &TestApp, deal: &Deal, milestone: &str, goal: &str, what: &str) {
    for _ in 0..60 {
        if app.status_of(deal, milestone).await == goal {
            return app.books_agree().await;
        }
        rounds(app, 1).await;
    }
    panic!("{what}: {} and never {goal}", app.status_of(deal, milestone).await);
}

/// An application behind a proxy, with a deal of so many milestones of 10 USDC.
async fn start(milestones: usize) -> (TestApp, Proxy, Deal) {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let deal = app.deal(&vec![10; milestones]).await;
    (app, proxy, deal)
}

async fn approve(app: &TestApp, deal: &Deal, milestone: &str) -> String {
    text(&ok(app.approve(deal, milestone, &new_key()).await)["payment"]["id"])
}

async fn head(app: &TestApp) -> Value {
    invariants::rpc(&app.evm.rpc_url(), "eth_getBlockByNumber", json!(["latest", false])).await
}

async fn signed(app: &TestApp) -> u64 {
    chain_transaction::Entity::find().count(app.app.db.reader()).await.unwrap()
}

/// A receipt of success with a transfer in it, of a block that never was at the height of one that is.
async fn made_up_receipt(app: &TestApp, hash: &str, from: &str, to: &str) -> Value {
    let padded = |address: &str| format!("0x{:0>64}", address.trim_start_matches("0x"));
    let topic = ethers_core::utils::keccak256("Transfer(address,address,uint256)");
    let place = json!({
        "transactionHash": hash, "transactionIndex": "0x0", "blockHash": format!("0x{}", "fa".repeat(32)),
        "blockNumber": head(app).await["number"],
    });
    let mut log = json!({
        "address": app.app.chain.usdc().to_string(), "logIndex": "0x0", "removed": false,
        "topics": [format!("0x{}", hex::encode(topic)), padded(from), padded(to)],
        "data": format!("0x{:064x}", 10_000_000),
    });
    let mut receipt = json!({ "status": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x1" });
    for object in [&mut log, &mut receipt] {
        object.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
    }
    receipt["logs"] = json!([log]);
    receipt
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_survives_whatever_a_node_does() {
    let troubles = troubles();
    let (app, proxy, deal) = start(troubles.len()).await;
    for (milestone, (method, fault)) in deal.milestones.iter().zip(troubles) {
        let what = format!("{method} {fault:?}");
        app.submitted(&deal, milestone).await;
        fault.begin(&proxy, method);
        let payment = approve(&app, &deal, milestone).await;
        rounds(&app, 4).await;
        app.holds(false).await;
        proxy.cure();
        until(&app, &deal, milestone, "PAID", &what).await;
        assert_eq!(app.payment(&deal.client, &payment).await["status"], "COMPLETED", "{what}");
    }
    // Each exactly once: the checker of invariants counts the transfers on the chain.
    let paid = i64::try_from(deal.milestones.len()).unwrap() * 9_000_000;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, paid);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_survives_whatever_a_node_does() {
    let troubles = troubles();
    let (app, proxy, deal) = start(troubles.len()).await;
    let treasury = app.app.chain.treasury().to_string();
    for (milestone, (method, fault)) in deal.milestones.iter().zip(troubles) {
        let what = format!("{method} {fault:?}");
        ok(app.fund(&deal, milestone, &new_key()).await);
        fault.begin(&proxy, method);
        app.evm.pay(&deal.client.address(), &treasury, 10_000_000).await.unwrap();
        rounds(&app, 4).await;
        app.holds(false).await;
        proxy.cure();
        until(&app, &deal, milestone, "FUNDED", &what).await;
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_on_another_chain() {
    let (app, proxy, deal) = start(1).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    proxy.set("eth_chainId", Fault::Lie(json!("0x1")));
    let payment = approve(&app, &deal, &deal.milestones[0]).await;
    rounds(&app, 8).await;
    assert!(proxy.calls("eth_chainId") > 1, "it was asked, and again");
    assert_eq!((signed(&app).await, proxy.calls("eth_sendRawTransaction")), (0, 0));
    assert_eq!(app.payment(&deal.client, &payment).await["status"], "QUEUED");
    app.holds(false).await;
    proxy.cure();
    until(&app, &deal, &deal.milestones[0], "PAID", "after another chain").await;
    assert_eq!(signed(&app).await, 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_nothing_completes_no_payout() {
    let (app, proxy, deal) = start(2).await;
    let (freelancer, treasury) = (deal.freelancer.address(), app.app.chain.treasury().to_string());
    for (milestone, status) in deal.milestones.iter().zip(["0x1", "0x0"]) {
        app.submitted(&deal, milestone).await;
        // The node says that it has the bytes, and later that they are mined: both is untrue.
        proxy.set("eth_sendRawTransaction", Fault::Refused { code: -32000, message: "already known" });
        let payment = approve(&app, &deal, milestone).await;
        app.drain().await;
        let hash = text(&app.payment(&deal.client, &payment).await["transactionHash"]);
        let mut receipt = made_up_receipt(&app, &hash, &treasury, &freelancer).await;
        receipt["status"] = json!(status);
        proxy.set_for("eth_getTransactionReceipt", json!(hash), Fault::Lie(receipt));
        rounds(&app, 6).await;
        assert_eq!(app.payment(&deal.client, &payment).await["status"], "SUBMITTED");
        app.holds(false).await;
        proxy.cure();
        until(&app, &deal, milestone, "PAID", "after a made-up receipt").await;
        assert_eq!(
            app.payment(&deal.client, &payment).await["transactionHash"],
            json!(hash),
            "the same bytes"
        );
    }
    assert_eq!((app.usdc_of(&freelancer).await, signed(&app).await), (18_000_000, 2));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_nothing_credits_nobody() {
    let (app, proxy, deal) = start(1).await;
    let milestone = &deal.milestones[0];
    let payload = ok(app.fund(&deal, milestone, &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    let hash = format!("0x{}", "ab".repeat(32));
    let receipt = made_up_receipt(&app, &hash, &deal.client.address(), &treasury).await;
    proxy.set_for("eth_getTransactionReceipt", json!(hash), Fault::Lie(receipt));
    let report =
        "mutation($input: PaymentReportTransactionInput!) { paymentReportTransaction(input: $input) {
        payment { id } userErrors { field code message } } }";
    ok(app.mutate(&deal.client.token, report, json!({ "paymentId": id, "transactionHash": hash })).await);
    rounds(&app, 6).await;
    assert!(proxy.calls("eth_getTransactionReceipt") > 0, "the hint was followed");
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDING");
    assert_eq!(app.payment(&deal.client, &id).await["received"]["amount"], "0.00");
    app.books_agree().await;
    proxy.cure();
    app.evm.pay(&deal.client.address(), &treasury, 10_000_000).await.unwrap();
    until(&app, &deal, milestone, "FUNDED", "after a made-up receipt").await;
    app.finish().await;
}

/// Puts the head back to where it is now, whatever comes after.
async fn stand_still(app: &TestApp, proxy: &Proxy) {
    let old = head(app).await;
    proxy.set("eth_blockNumber", Fault::Lie(old["number"].clone()));
    proxy.set_for("eth_getBlockByNumber", json!("latest"), Fault::Lie(old));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_head_delays_and_does_no_more() {
    let (app, proxy, deal) = start(1).await;
    let milestone = &deal.milestones[0];
    let payload = ok(app.fund(&deal, milestone, &new_key()).await);
    stand_still(&app, &proxy).await;
    let treasury = text(&payload["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &treasury, 10_000_000).await.unwrap();
    rounds(&app, 6).await;
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDING");
    proxy.cure();
    until(&app, &deal, milestone, "FUNDED", "after an old head").await;

    app.submit(&deal, milestone).await;
    stand_still(&app, &proxy).await;
    let payment = approve(&app, &deal, milestone).await;
    rounds(&app, 6).await;
    assert_ne!(app.payment(&deal.client, &payment).await["status"], "COMPLETED");
    proxy.cure();
    until(&app, &deal, milestone, "PAID", "after an old head").await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_nonce_is_not_used_again() {
    let (app, proxy, deal) = start(3).await;
    app.paid(&deal, &deal.milestones[0]).await;
    for (milestone, stale) in deal.milestones[1..].iter().zip(["0x0", "0x63"]) {
        app.submitted(&deal, milestone).await;
        proxy.set("eth_getTransactionCount", Fault::Lie(json!(stale)));
        approve(&app, &deal, milestone).await;
        until(&app, &deal, milestone, "PAID", "with a stale nonce").await;
        proxy.cure();
    }
    assert_eq!((app.usdc_of(&deal.freelancer.address()).await, signed(&app).await), (27_000_000, 3));
    app.finish().await;
}

/// The deadline is the chain's: until it has been read up to there, nobody knows that nothing came.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_in_time_is_waited_for_while_nobody_reads_the_chain() {
    let (app, proxy, deal) = start(1).await;
    let milestone = &deal.milestones[0];
    let payload = ok(app.fund(&deal, milestone, &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    proxy.set("eth_getLogs", Fault::Refused { code: -32005, message: "limit exceeded" });
    app.evm.pay(&deal.client.address(), &treasury, 10_000_000).await.unwrap();
    app.advance(Duration::hours(25));
    rounds(&app, 4).await;
    assert!(proxy.calls("eth_getLogs") > 0, "the chain was to be read");
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDING");
    assert_eq!(app.payment(&deal.client, &id).await["status"], "AWAITING_FUNDS");
    app.holds(false).await;
    proxy.cure();
    until(&app, &deal, milestone, "FUNDED", "after the deadline").await;
    app.finish().await;
}
