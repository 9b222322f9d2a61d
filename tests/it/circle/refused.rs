//! Orders that Circle does not take: seen, told once, and ended by an administrator only when nothing can have been paid.

use std::sync::Arc;

use domain::{App, entities::PaymentStatus, ledger::Account, money::Usdc, payment::payout};
use sandbox::circle::Accepted;
use serde_json::{Value, json};

use super::{World, faults::Gone};
use crate::support::{
    errors, ok,
    proxy::{Fault, Proxy},
    text,
};

pub(super) const PAYOUTS: &str = "POST /v1/payouts";
/// What administrators are told.
const STUCK: &str = "A payment is stuck at Circle";

/// A refusal in Circle's own form.
pub(super) fn says(status: u16, code: i64) -> Fault {
    Fault::Says(status, json!({ "code": code, "message": "Not for you" }))
}

/// A release whose order Circle meets with this from the first asking on.
pub(super) async fn met_with(world: &World, proxy: &Proxy, fault: Fault) -> String {
    let release = world.approve(0).await;
    world.app.drain().await;
    proxy.on(PAYOUTS, fault);
    world.after(11).await;
    assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted);
    release
}

impl World {
    pub(super) async fn ends_paid_once(self, release: &str) {
        self.after(600).await;
        self.after(600).await;
        self.after(600).await;
        assert_eq!(self.standing(release).await, "COMPLETED");
        let [accepted]: [Accepted; 1] = self.circle().accepted().try_into().unwrap();
        let order = self.order(release).await.unwrap();
        assert_eq!(accepted.idempotency_key, order.idempotency_key.to_string());
        assert_eq!(order.trouble, None);
        self.app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_is_seen_told_once_and_ended_by_an_administrator() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let (app, deal) = (&world.app, &world.deal);
    let release = met_with(&world, &proxy, says(422, 2)).await;
    let seen = "SUBMITTED: Circle refuses the payout: \"Not for you\" (code 2, HTTP 422)";
    assert_eq!(world.standing(&release).await, seen);
    for _ in 0..3 {
        let before = proxy.requests(PAYOUTS);
        world.after(601).await;
        assert_eq!((world.standing(&release).await.as_str(), proxy.requests(PAYOUTS)), (seen, before + 1));
    }
    assert_eq!(world.mails(&world.admin, STUCK), 1, "once for the payment, not for each try");
    assert_eq!(errors(&world.retry(&deal.freelancer, &release).await), [":FORBIDDEN"]);

    let key = world.order(&release).await.unwrap().idempotency_key;
    let asked = proxy.requests(PAYOUTS);
    let ended = ok(world.retry(&world.admin, &release).await)["payment"].clone();
    assert_eq!((&ended["id"], &ended["status"]), (&json!(release), &json!("FAILED")));
    assert!(text(&ended["failureReason"]).contains("Not for you"), "{ended}");
    assert_eq!(proxy.requests(PAYOUTS), asked + 1, "Circle was asked afresh");
    assert_eq!(world.order(&release).await.unwrap().idempotency_key, key);
    assert_eq!(app.status_of(deal, &deal.milestones[0]).await, "APPROVED");
    assert_eq!(world.balance(Account::Fees).await, Usdc::ZERO, "the reservation is taken back");
    assert_eq!(app.contract_of(deal, "inEscrow { amount }").await["inEscrow"]["amount"], "100.00");
    app.drain().await;
    for person in [&deal.client, &deal.freelancer] {
        assert_eq!(world.mails(person, "Payment failed: a payout"), 1);
    }

    // What has failed is not asked for any more, and is paid by another payment.
    proxy.cure();
    payout::track(&app.app, world.row(&release).await.id).await.unwrap();
    world.after(601).await;
    assert!(world.circle().accepted().is_empty());
    let again = ok(world.retry(&world.admin, &release).await)["payment"].clone();
    assert_eq!(again["retryOf"]["id"], json!(release));
    app.settle().await;
    assert_eq!(world.standing(&text(&again["id"])).await, "COMPLETED");
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_taken_when_it_is_asked_for_again_goes_on() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, says(400, 2)).await;
    proxy.cure();
    let going = ok(world.retry(&world.admin, &release).await)["payment"].clone();
    assert_eq!((&going["id"], &going["status"]), (&json!(release), &json!("CONFIRMING")));
    assert_eq!(going["failureReason"], Value::Null, "nothing is wrong any more");
    assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"]);
    world.ends_paid_once(&release).await;
}

/// Circle has it, and the answer got lost: whatever it says afterwards, it is not paid again.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_accepted_is_never_ended() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, Fault::Cut).await;
    assert_eq!(world.circle().accepted().len(), 1);
    // Just now, any refusal may have been overtaken by the asking that is still on its way.
    for fault in [says(400, 2), says(403, 3)] {
        proxy.cure();
        proxy.on(PAYOUTS, fault);
        for _ in 0..2 {
            assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"]);
        }
    }
    // Later, who may not ask learns nothing about what was accepted before.
    world.after(601).await;
    world.after(601).await;
    assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"]);
    assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted);
    proxy.cure();
    world.ends_paid_once(&release).await;
}

/// Where every asking was refused, being forbidden to ask is an answer, too.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_forbidden_from_the_first_is_ended() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, says(403, 3)).await;
    world.after(601).await;
    let ended = ok(world.retry(&world.admin, &release).await)["payment"].clone();
    assert_eq!(ended["status"], "FAILED", "{ended}");
    assert!(world.circle().accepted().is_empty());
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_ends_nothing() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, says(400, 2)).await;
    for fault in [
        Fault::Status(500),
        Fault::Status(429),
        // Something between us and Circle.
        Fault::Status(403),
        Fault::Status(400),
        Fault::Cut,
        says(400, -1),
        says(401, 1),
        says(409, 1_083),
    ] {
        let what = format!("{fault:?}");
        // The first that Circle gets is accepted: from then on it only seems not to be.
        proxy.cure();
        proxy.on(PAYOUTS, fault);
        assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"], "{what}");
        assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted, "{what}");
    }
    proxy.cure();
    world.ends_paid_once(&release).await;
}

/// A process that died over the asking may have got it through.
#[tokio::test(flavor = "multi_thread")]
async fn an_asking_that_nobody_heard_the_answer_of_is_waited_for() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, says(400, 2)).await;
    let (app, id) = (&world.app.app, world.row(&release).await.id);
    let dying = App { circle: Some(Arc::new(Gone(app.circle.clone().unwrap()))), ..app.clone() };
    world.app.advance(chrono::Duration::minutes(10));
    let life = payout::track(&dying, id);
    assert!(tokio::time::timeout(std::time::Duration::from_secs(5), life).await.is_err());
    assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"]);
    assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted);
    // It did not come, and by now it never will.
    world.after(601).await;
    assert_eq!(ok(world.retry(&world.admin, &release).await)["payment"]["status"], "FAILED");
    assert!(world.circle().accepted().is_empty());
    world.app.finish().await;
}

/// Whatever words Circle finds, and however often one cause follows the other.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_hear_of_each_cause_once() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = met_with(&world, &proxy, says(422, 2)).await;
    assert_eq!(world.mails(&world.admin, STUCK), 1);
    let another = Fault::Lie(json!({ "amount": { "amount": "1.00", "currency": "USD" } }));
    for (fault, mails, seen) in [
        (says(400, 3), 1, "(code 3, HTTP 400)"),
        (says(422, 2), 1, "(code 2, HTTP 422)"),
        (another.clone(), 2, "another payout"),
        (says(422, 2), 2, "(code 2, HTTP 422)"),
        (another, 2, "another payout"),
    ] {
        proxy.cure();
        proxy.on(PAYOUTS, fault);
        world.after(601).await;
        let standing = world.standing(&release).await;
        assert!(standing.starts_with("SUBMITTED: ") && standing.contains(seen), "{standing}");
        assert_eq!(world.mails(&world.admin, STUCK), mails, "{standing}");
    }
    proxy.cure();
    world.ends_paid_once(&release).await;
}
