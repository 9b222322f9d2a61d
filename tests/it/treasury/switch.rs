//! Pausing all outgoing money.

use std::time::Duration;

use domain::{
    entities::{PaymentId, chain_transaction},
    payment::payout,
    treasury::switch,
};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

const PAUSE: &str = "mutation($input: OutgoingPauseInput!) { outgoingPause(input: $input) {
    treasury { outgoingPaused { at by { id } reason } } userErrors { field code message } } }";
const RESUME: &str = "mutation($input: OutgoingResumeInput!) { outgoingResume(input: $input) {
    treasury { outgoingPaused { at } } userErrors { field code message } } }";

async fn pause(app: &TestApp, by: &Someone, reason: &str) -> Value {
    app.mutate(&by.token, PAUSE, json!({ "reason": reason })).await
}

async fn resume(app: &TestApp, by: &Someone) -> Value {
    app.mutate(&by.token, RESUME, json!({ "note": "All is well." })).await
}

/// An approved milestone, whose payout is queued and not looked at yet.
async fn approved(app: &TestApp, deal: &Deal) -> String {
    app.submitted(deal, &deal.milestones[0]).await;
    text(&ok(app.approve(deal, &deal.milestones[0], &new_key()).await)["payment"]["id"])
}

async fn signed(app: &TestApp) -> u64 {
    chain_transaction::Entity::find().count(app.app.db.reader()).await.unwrap()
}

/// How often somebody was told about the treasury.
async fn alerts(app: &TestApp, someone: &Someone) -> usize {
    let query = "{ viewer { notifications(first: 100) { nodes { kind } } } }";
    let answer = app.gql(&someone.token, query, json!({})).await;
    let nodes = answer["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap();
    nodes.iter().filter(|node| node["kind"] == "TREASURY_ALERT").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_what_is_not_signed_until_it_is_over() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let release = approved(&app, &deal).await;

    assert_eq!(errors(&pause(&app, &admin, "no").await), ["reason:TOO_SHORT"]);
    assert_eq!(errors(&pause(&app, &admin, &"x".repeat(501)).await), ["reason:TOO_LONG"]);
    assert_eq!(errors(&resume(&app, &admin).await), [":ILLEGAL_STATE"]);
    let done = ok(pause(&app, &admin, "The key may be known to others.").await);
    let shown = &done["treasury"]["outgoingPaused"];
    assert_eq!(shown["reason"], "The key may be known to others.");
    assert_eq!(shown["by"]["id"], json!(admin.id));
    assert_eq!(errors(&pause(&app, &admin, "Once more.").await), [":ILLEGAL_STATE"]);

    app.settle().await;
    assert_eq!(signed(&app).await, 0, "nothing is signed while it is paused");
    let held = "query($id: ID!) { payment(id: $id) { status failureReason } }";
    let held = app.gql(&deal.freelancer.token, held, json!({ "id": release })).await;
    assert_eq!(held["data"]["payment"]["status"], "ON_HOLD", "{held}");
    // An administrator's words are not for everybody.
    assert_eq!(held["data"]["payment"]["failureReason"], "an administrator has paused outgoing payments");

    // At once, not when the held payment would have looked by itself.
    assert!(ok(resume(&app, &admin).await)["treasury"]["outgoingPaused"].is_null());
    app.drain().await;
    assert_eq!(signed(&app).await, 1);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    assert_eq!(alerts(&app, &admin).await, 2, "one for the pause, one for its end");
    let log = "{ auditLog(first: 2) { nodes { action actor { id } details } } }";
    let log = app.gql(&admin.token, log, json!({})).await["data"]["auditLog"]["nodes"].clone();
    assert_eq!((&log[0]["action"], &log[1]["action"]), (&json!("outgoing.resume"), &json!("outgoing.pause")));
    assert_eq!(log[0]["actor"]["id"], json!(admin.id));
    assert!(text(&log[0]["details"]).contains("All is well."), "{log}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_committed_before_the_signature_wins() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let release: PaymentId = approved(&app, &deal).await.parse().unwrap();

    // The look finds no pause, because that is not committed, and comes as far as the signature.
    let tx = app.app.db.begin().await.unwrap();
    assert!(switch::engage(&app.app, &tx, None, "the books are being checked").await.unwrap());
    assert!(!switch::engage(&app.app, &tx, None, "again").await.unwrap(), "the first reason stands");
    let look = {
        let app = app.app.clone();
        tokio::spawn(async move { payout::send(&app, release).await })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!look.is_finished(), "it waits for the switch");
    tx.commit().await.unwrap();
    look.await.unwrap().unwrap();
    assert_eq!(signed(&app).await, 0);

    app.drain().await;
    let held = "query($id: ID!) { payment(id: $id) { status failureReason } }";
    let held = app.gql(&deal.freelancer.token, held, json!({ "id": release.to_string() })).await;
    assert_eq!(held["data"]["payment"]["status"], "ON_HOLD", "{held}");
    assert_eq!(held["data"]["payment"]["failureReason"], "the books are being checked");
    assert_eq!(alerts(&app, &admin).await, 1);

    ok(resume(&app, &admin).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// What is signed is the chain's: it goes on, and is followed to its end.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_before_a_pause_goes_on() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    approved(&app, &deal).await;
    app.drain().await;
    assert_eq!(signed(&app).await, 1);
    ok(pause(&app, &admin, "Just to be sure.").await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PAID");
    app.finish().await;
}
