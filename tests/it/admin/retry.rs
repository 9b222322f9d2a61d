//! Payouts that failed for good, tried again by an admin.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

const RETRY: &str = "mutation($input: PaymentRetryInput!) { paymentRetry(input: $input) {
    payment { id kind status amount { amount } net { amount } retryOf { id } }
    userErrors { field code message } } }";

async fn retry(app: &TestApp, by: &Someone, payment: &str, key: &str) -> Value {
    app.mutate(&by.token, RETRY, json!({ "paymentId": payment, "idempotencyKey": key })).await
}

/// The newest of the contract's payments of a kind.
async fn newest(app: &TestApp, deal: &Deal, kind: &str) -> Value {
    let nodes = app.contract_of(deal, "payments(first: 50) { nodes { id kind status } }").await;
    let nodes = nodes["payments"]["nodes"].as_array().unwrap().clone();
    nodes.into_iter().find(|row| row["kind"] == kind).unwrap()
}

/// A payout that was on its way when its payee was blocked: mined again, it is reverted.
async fn failed(app: &TestApp, deal: &Deal, kind: &str, payee: &Someone) -> String {
    app.reorg(1).await;
    app.token("blacklist(address)", &payee.address()).await;
    app.settle().await;
    app.settle().await;
    let payment = newest(app, deal, kind).await;
    assert_eq!(payment["status"], "FAILED", "{payment}");
    text(&payment["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_release_is_paid_by_another_payment() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let part = &deal.milestones[0];
    app.submitted(&deal, part).await;
    let release = ok(app.approve(&deal, part, &new_key()).await)["payment"]["id"].clone();
    app.drain().await;
    assert_eq!(errors(&retry(&app, &admin, &text(&release), &new_key()).await), ["paymentId:ILLEGAL_STATE"]);
    let lost = failed(&app, &deal, "RELEASE", &deal.freelancer).await;
    assert_eq!(app.status_of(&deal, part).await, "APPROVED");
    assert_eq!(errors(&retry(&app, &deal.freelancer, &lost, &new_key()).await), [":FORBIDDEN"]);

    // Two admins at once, and one of them twice: one payment.
    let (key, other) = (new_key(), new_key());
    let (one, two) = tokio::join!(retry(&app, &admin, &lost, &key), retry(&app, &admin, &lost, &other));
    let (won, refused) = if errors(&one).is_empty() { (one, two) } else { (two, one) };
    assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"]);
    let again = ok(won)["payment"].clone();
    assert!(text(&refused["userErrors"][0]["message"]).contains(&text(&again["id"])), "{refused}");
    assert_eq!((&again["retryOf"]["id"], &again["net"]["amount"]), (&json!(lost), &json!("90.00")));

    // The cause is still there: it waits, and goes through after the cure.
    app.drain().await;
    assert_eq!(newest(&app, &deal, "RELEASE").await["status"], "ON_HOLD");
    app.token("unBlacklist(address)", &deal.freelancer.address()).await;
    app.advance(Duration::minutes(10));
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &text(&again["id"])).await["status"], "COMPLETED");
    assert_eq!(app.payment(&deal.client, &lost).await["status"], "FAILED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    assert_eq!(app.status_of(&deal, part).await, "PAID");
    assert_eq!(app.contract_of(&deal, "status").await["status"], "COMPLETED");
    assert_eq!(
        errors(&retry(&app, &admin, &text(&again["id"]), &new_key()).await),
        ["paymentId:ILLEGAL_STATE"]
    );
    let log = "{ auditLog(first: 1, filter: { action: \"payment.retry\" }) { nodes { subjectId } } }";
    let log = app.gql(&admin.token, log, json!({})).await;
    assert_eq!(log["data"]["auditLog"]["nodes"][0]["subjectId"], json!(lost));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_answers_with_the_same_payment() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.paid(&deal, &deal.milestones[0]).await;
    let bonus = "mutation($input: ContractBonusInput!) { contractBonus(input: $input) {
        payment { depositAddress } userErrors { field code message } } }";
    let input =
        json!({ "contractId": deal.contract, "amount": { "amount": "50" }, "idempotencyKey": new_key() });
    let deposit = ok(app.mutate(&deal.client.token, bonus, input).await);
    let address = text(&deposit["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, 50_000_000).await.unwrap();
    app.mine(5).await;
    let lost = failed(&app, &deal, "BONUS", &deal.freelancer).await;
    app.token("unBlacklist(address)", &deal.freelancer.address()).await;
    let key = new_key();
    let first = ok(retry(&app, &admin, &lost, &key).await)["payment"]["id"].clone();
    assert_eq!(ok(retry(&app, &admin, &lost, &key).await)["payment"]["id"], first);
    app.settle().await;
    assert_eq!(ok(retry(&app, &admin, &lost, &key).await)["payment"]["status"], "COMPLETED");
    let other = newest(&app, &deal, "RELEASE").await;
    assert_eq!(errors(&retry(&app, &admin, &text(&other["id"]), &key).await), ["idempotencyKey:CONFLICT"]);
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 135_000_000);
    app.finish().await;
}

/// Its milestone went back to where it was, and may have gone on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_refund_is_given_anew_instead() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let part = &deal.milestones[0];
    app.funded(&deal, part).await;
    ok(app.refund(&deal, part, None, &new_key()).await);
    app.drain().await;
    let lost = failed(&app, &deal, "REFUND", &deal.client).await;
    let refused = retry(&app, &admin, &lost, &new_key()).await;
    assert_eq!(errors(&refused), ["paymentId:ILLEGAL_STATE"]);
    assert!(text(&refused["userErrors"][0]["message"]).contains("milestoneRefund"), "{refused}");
    assert_eq!(app.status_of(&deal, part).await, "FUNDED");
    app.finish().await;
}

/// A part of a dispute's resolution: with it the milestone has its end after all.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_part_of_a_resolution_is_paid_after_all() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let part = &deal.milestones[0];
    app.funded(&deal, part).await;
    let open = "mutation($input: DisputeOpenInput!) { disputeOpen(input: $input) {
        dispute { id } userErrors { field code message } } }";
    let input =
        json!({ "milestoneId": part, "kind": "QUALITY", "description": "It is not what we agreed on." });
    let dispute = text(&ok(app.mutate(&deal.client.token, open, input).await)["dispute"]["id"]);
    let take = "mutation($input: DisputeTakeInput!) { disputeTake(input: $input) {
        dispute { id } userErrors { field code message } } }";
    ok(app.mutate(&admin.token, take, json!({ "disputeId": dispute })).await);
    let resolve = "mutation($input: DisputeResolveInput!) { disputeResolve(input: $input) {
        dispute { status } userErrors { field code message } } }";
    let input = json!({
        "disputeId": dispute, "refundAmount": { "amount": "40" }, "resolution": "Half of it was done, and well.",
        "idempotencyKey": new_key(),
    });
    ok(app.mutate(&admin.token, resolve, input).await);
    app.drain().await;
    let lost = failed(&app, &deal, "REFUND", &deal.client).await;
    assert_eq!(app.status_of(&deal, part).await, "DISPUTED");
    app.token("unBlacklist(address)", &deal.client.address()).await;
    ok(retry(&app, &admin, &lost, &new_key()).await);
    app.settle().await;
    assert_eq!(app.status_of(&deal, part).await, "SPLIT");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 40_000_000);
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 54_000_000);
    app.finish().await;
}
