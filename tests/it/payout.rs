//! Payouts that do not go by themselves: stuck, overtaken, held, above the limit, blocked.

mod order;

use chrono::Duration;
use domain::entities::{ChainTransactionStatus as Status, PaymentId, Usdc, chain_transaction};
use sandbox::evm::Mining;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::{CONFIRMATIONS, Deal, Someone, TestApp, errors, new_key, ok, text, with};

mod approval;
mod gas;

/// A mutation that takes a payment's id, and more: its payload.
async fn handle(app: &TestApp, by: &Someone, mutation: &str, payment: &str, more: Value) -> Value {
    let seen = "payment { id status failureReason needsApproval approvedBy { id } heldBy { id } }";
    app.call(&by.token, mutation, seen, with(json!({ "paymentId": payment }), more)).await
}

fn because() -> Value {
    json!({ "reason": "Something is odd here." })
}

fn keyed() -> Value {
    json!({ "idempotencyKey": new_key() })
}

/// A release of 100 that is queued and not looked at yet.
async fn queued(app: &TestApp) -> (Deal, String) {
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let release = ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    (deal, text(&release["payment"]["id"]))
}

/// What was signed for a payment, the oldest first.
async fn signed(app: &TestApp, payment: &str) -> Vec<chain_transaction::Model> {
    let id: PaymentId = payment.parse().unwrap();
    chain_transaction::Entity::find()
        .filter(chain_transaction::Column::PaymentId.eq(id))
        .order_by_asc(chain_transaction::Column::Id)
        .all(app.app.db.reader())
        .await
        .unwrap()
}

/// Five minutes without a block, and one look.
async fn stuck(app: &TestApp) {
    app.advance(Duration::minutes(5));
    app.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_payout_is_replaced_at_its_nonce_for_more_gas() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    app.drain().await;
    app.advance(Duration::minutes(5) - Duration::seconds(1));
    app.drain().await;
    assert_eq!(signed(&app, &release).await.len(), 1, "patience is five minutes");
    app.advance(Duration::seconds(1));
    app.drain().await;
    stuck(&app).await;
    let all = signed(&app, &release).await;
    assert_eq!(all.len(), 3);
    for pair in all.windows(2) {
        let [old, new] = pair else { unreachable!() };
        assert_eq!((old.nonce, &old.to_address, old.amount), (new.nonce, &new.to_address, new.amount));
        assert!(new.max_fee_per_gas * 8 >= old.max_fee_per_gas * 9, "{old:?} {new:?}");
        assert!(new.max_priority_fee_per_gas * 8 >= old.max_priority_fee_per_gas * 9, "{old:?} {new:?}");
    }
    assert_eq!(app.payment(&deal.client, &release).await["transactionHash"], json!(all[2].hash));
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    let statuses: Vec<_> = signed(&app, &release).await.into_iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Superseded, Status::Superseded, Status::Final]);
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// All hashes are watched: a miner may take the one that was to be replaced.
#[tokio::test(flavor = "multi_thread")]
async fn the_chain_may_take_the_transaction_that_was_replaced() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    app.drain().await;
    stuck(&app).await;
    let all = signed(&app, &release).await;
    assert_eq!(all.len(), 2);
    app.drop_waiting(&all[1].hash).await;
    app.rpc("eth_sendRawTransaction", json!([format!("0x{}", hex::encode(&all[0].raw))])).await;
    app.settle().await;
    let paid = app.payment(&deal.client, &release).await;
    assert_eq!((&paid["status"], &paid["transactionHash"]), (&json!("COMPLETED"), &json!(all[0].hash)));
    let statuses: Vec<_> = signed(&app, &release).await.into_iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Final, Status::Superseded]);
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// What waits behind another is not what keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_in_line_is_replaced() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let mut releases = Vec::new();
    for part in &deal.milestones {
        app.submitted(&deal, part).await;
    }
    app.evm.set_mining(Mining::Manual).unwrap();
    for part in &deal.milestones {
        releases.push(text(&ok(app.approve(&deal, part, &new_key()).await)["payment"]["id"]));
        app.drain().await;
    }
    stuck(&app).await;
    let counts = [signed(&app, &releases[0]).await.len(), signed(&app, &releases[1]).await.len()];
    assert_eq!(counts, [2, 1]);
    app.settle().await;
    for release in &releases {
        assert_eq!(app.payment(&deal.client, release).await["status"], "COMPLETED");
    }
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 135_000_000);
    app.finish().await;
}

/// Somebody else used the treasury's key: only when that is final, the payment has failed, and an admin pays it anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_somebody_else_used_ends_the_payout() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    app.drain().await;
    let ours = signed(&app, &release).await;
    app.drop_waiting(&ours[0].hash).await;
    let treasury = app.app.chain.treasury().to_string();
    app.rpc("anvil_impersonateAccount", json!([treasury])).await;
    let nothing = json!([{ "from": treasury, "to": treasury, "value": "0x0" }]);
    app.rpc("eth_sendTransaction", nothing).await;
    app.mine(u64::from(CONFIRMATIONS) - 1).await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "SUBMITTED", "not final yet");
    app.mine(1).await;
    let failed = app.payment(&deal.client, &release).await;
    assert_eq!(failed["status"], "FAILED", "{failed}");
    assert_eq!(signed(&app, &release).await[0].status, Status::Superseded);
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "APPROVED");

    // Whoever has the key may take more: nothing goes out until an admin has looked.
    let admin = app.admin().await;
    let again = ok(handle(&app, &admin, "paymentRetry", &release, keyed()).await);
    app.settle().await;
    let id = text(&again["payment"]["id"]);
    assert_eq!(app.payment(&deal.client, &id).await["status"], "ON_HOLD");
    app.resume_outgoing(&admin).await;
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &text(&again["payment"]["id"])).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_holds_a_payout_and_lets_it_go() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (deal, release) = queued(&app).await;
    let held = ok(handle(&app, &admin, "paymentHold", &release, because()).await);
    assert_eq!(
        (&held["payment"]["status"], &held["payment"]["heldBy"]["id"]),
        (&json!("ON_HOLD"), &json!(admin.id))
    );
    assert_eq!(
        errors(&handle(&app, &admin, "paymentHold", &release, because()).await),
        ["paymentId:ILLEGAL_STATE"]
    );
    // Neither time nor a new wallet lets it go.
    app.advance(Duration::hours(30));
    app.settle().await;
    let waiting = app.payment(&deal.freelancer, &release).await;
    assert_eq!(waiting["status"], "ON_HOLD");
    assert!(text(&waiting["failureReason"]).contains("Something is odd"), "{waiting}");
    assert!(app.mails(&deal.freelancer.email).iter().any(|mail| mail.subject.contains("held")));

    ok(handle(&app, &admin, "paymentResume", &release, json!({})).await);
    assert_eq!(
        errors(&handle(&app, &admin, "paymentResume", &release, json!({})).await),
        ["paymentId:ILLEGAL_STATE"]
    );
    app.drain().await;
    assert_eq!(app.payment(&deal.freelancer, &release).await["status"], "SUBMITTED");
    // From the signature on nobody stops it.
    for (mutation, more) in
        [("paymentHold", because()), ("paymentResume", json!({})), ("paymentApprove", keyed())]
    {
        let refused = handle(&app, &admin, mutation, &release, more).await;
        assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"], "{mutation}");
    }
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    let log = "{ auditLog(first: 2, filter: { subjectId: \"PAY\" }) { nodes { action } } }"
        .replace("PAY", &release);
    let log = app.gql(&admin.token, &log, json!({})).await;
    assert_eq!(
        log["data"]["auditLog"]["nodes"],
        json!([{ "action": "payment.resume" }, { "action": "payment.hold" }])
    );
    app.finish().await;
}

/// Nobody handles payments of a contract of their own, whatever they have become since.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_is_a_party_handles_none_of_its_payments() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc::ZERO)).await;
    let (deal, release) = queued(&app).await;
    app.drain().await;
    app.appoint(&deal.client).await;
    for (mutation, more) in [
        ("paymentHold", because()),
        ("paymentResume", json!({})),
        ("paymentApprove", keyed()),
        ("paymentRedirect", json!({ "reason": "Mine, all mine.", "idempotencyKey": new_key() })),
    ] {
        let refused = handle(&app, &deal.client, mutation, &release, more).await;
        assert_eq!(errors(&refused), [":FORBIDDEN"], "{mutation}");
    }
    assert_eq!(app.payment(&deal.client, &release).await["status"], "ON_HOLD");
    app.finish().await;
}

/// Above the limit, and not at it, a payout waits for an admin who did not start it.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_payout_above_the_limit_needs_another_admin() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc(100_000_000))).await;
    let (admin, other) = (app.admin().await, app.admin_named("olga").await);
    // At the limit.
    let (deal, release) = queued(&app).await;
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    let refused = handle(&app, &other, "paymentApprove", &release, keyed()).await;
    assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"]);

    // Above it, and started by an admin.
    let deal = app.deal_of("carl", "fred", &[101]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    let refund = "mutation($input: MilestoneRefundInput!) { milestoneRefund(input: $input) {
        payment { id needsApproval } userErrors { field code message } } }";
    let input = json!({ "milestoneId": deal.milestones[0], "reason": "They agreed on it.", "idempotencyKey": new_key() });
    let refund = ok(app.mutate(&admin.token, refund, input).await)["payment"].clone();
    assert_eq!(refund["needsApproval"], json!(true));
    let refund = text(&refund["id"]);
    app.drain().await;
    let waiting = app.payment(&deal.client, &refund).await;
    assert_eq!(waiting["status"], "ON_HOLD");
    assert!(text(&waiting["failureReason"]).contains("approval"), "{waiting}");
    assert!(app.mails(&other.email).iter().any(|mail| mail.subject.contains("held")), "admins are told");
    app.advance(Duration::days(2));
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "ON_HOLD");
    // Resuming does not go around it.
    ok(handle(&app, &admin, "paymentResume", &refund, json!({})).await);
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "ON_HOLD");
    assert_eq!(errors(&handle(&app, &admin, "paymentApprove", &refund, keyed()).await), [":FORBIDDEN"]);
    let key = keyed();
    let approved = ok(handle(&app, &other, "paymentApprove", &refund, key.clone()).await);
    assert_eq!(approved["payment"]["approvedBy"]["id"], json!(other.id));
    assert_eq!(
        ok(handle(&app, &other, "paymentApprove", &refund, key).await)["payment"]["id"],
        json!(refund)
    );
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 101_000_000);
    app.finish().await;
}

/// The wallet that paid is blocked: what goes back waits, and goes to the client's payout wallet when an admin says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_to_a_blocked_wallet_is_redirected() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let part = &deal.milestones[0];
    app.funded(&deal, part).await;
    app.token("blacklist(address)", &deal.client.address()).await;
    app.evm.mine(1).unwrap();
    let refund = text(&ok(app.refund(&deal, part, None, &new_key()).await)["payment"]["id"]);
    app.drain().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "ON_HOLD");
    let way = || json!({ "reason": "Their wallet is blocked.", "idempotencyKey": new_key() });
    // The payout wallet is the blocked one.
    let refused = handle(&app, &admin, "paymentRedirect", &refund, way()).await;
    assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"]);

    let other = app.new_payout_wallet(&deal.client, 42).await;
    app.settle().await;
    assert_eq!(
        app.payment(&deal.client, &refund).await["status"],
        "ON_HOLD",
        "by itself it goes nowhere else"
    );
    ok(handle(&app, &admin, "paymentRedirect", &refund, way()).await);
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&other.address()).await, 100_000_000);
    assert_eq!(app.status_of(&deal, part).await, "REFUNDED");
    app.finish().await;
}

/// What was approved was one way: with another wallet it has to be approved again.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_does_not_follow_a_new_wallet() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc(50_000_000))).await;
    let (deal, release) = queued(&app).await;
    let admin = app.admin().await;
    app.token("blacklist(address)", &deal.freelancer.address()).await;
    app.evm.mine(1).unwrap();
    ok(handle(&app, &admin, "paymentApprove", &release, keyed()).await);
    app.drain().await;
    let other = app.new_payout_wallet(&deal.freelancer, 44).await;
    app.settle().await;
    let waiting = app.payment(&deal.freelancer, &release).await;
    assert_eq!(waiting["status"], "ON_HOLD");
    assert!(text(&waiting["failureReason"]).contains("approval"), "{waiting}");
    ok(handle(&app, &admin, "paymentApprove", &release, keyed()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&other.address()).await, 90_000_000);
    app.finish().await;
}

/// Less coin than a transfer may cost: nothing is signed that could not be sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_treasury_without_enough_coin_for_gas_signs_nothing() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    let treasury = app.app.chain.treasury().to_string();
    app.rpc("anvil_setBalance", json!([treasury, "0x1"])).await;
    app.drain().await;
    let held = app.payment(&deal.freelancer, &release).await;
    assert_eq!(held["status"], "ON_HOLD");
    assert!(text(&held["failureReason"]).contains("coin for gas"), "{held}");
    assert!(signed(&app, &release).await.is_empty());
    app.rpc("anvil_setBalance", json!([treasury, "0xde0b6b3a7640000"])).await;
    app.advance(Duration::minutes(10));
    app.settle().await;
    assert_eq!(app.payment(&deal.freelancer, &release).await["status"], "COMPLETED");
    app.finish().await;
}

/// A freelancer whose wallet is blocked links another one: the release that was held goes there.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_payout_wallet_frees_a_held_release() {
    let app = TestApp::start().await;
    let (deal, release) = queued(&app).await;
    app.token("blacklist(address)", &deal.freelancer.address()).await;
    app.evm.mine(1).unwrap();
    app.drain().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "ON_HOLD");
    let other = app.new_payout_wallet(&deal.freelancer, 43).await;
    let admin = app.admin().await;
    let refused = json!({ "reason": "Follow the wallet.", "idempotencyKey": new_key() });
    let refused = handle(&app, &admin, "paymentRedirect", &release, refused).await;
    assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"]);
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&other.address()).await, 90_000_000);
    app.finish().await;
}
