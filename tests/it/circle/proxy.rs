//! A Circle that is slow, fails, breaks off and lies: nobody is paid twice, nothing is lost, and all ends when it is over. How a
//! payout ended is Circle's word; what it says of another payout, or in words that we do not know, is not.

use std::time::Duration as Real;

use domain::entities::PaymentStatus;
use serde_json::{Value, json};

use super::World;
use crate::support::proxy::{Fault, Proxy};

const ORDER: &str = "POST /v1/payouts";
const ASK: &str = "GET /v1/payouts/";
const ADD: &str = "POST /v1/addressBook/recipients";
const ENTRY: &str = "GET /v1/addressBook/recipients/";
const BALANCE: &str = "GET /v1/businessAccount/balances";

/// What goes wrong, and in which requests (`""`: in all).
fn troubles() -> Vec<(&'static str, Fault)> {
    let slow = Fault::Slow(Real::from_millis(50));
    let broken = Fault::Says(500, json!({ "code": -1, "message": "Something went wrong" }));
    vec![
        ("", Fault::Status(503)),
        ("", Fault::Cut),
        ("", slow),
        (ORDER, Fault::Cut),
        (ORDER, Fault::Status(500)),
        (ORDER, Fault::Status(429)),
        (ORDER, broken.clone()),
        (ORDER, Fault::Status(403)),
        (ASK, Fault::Cut),
        (ASK, Fault::Status(502)),
        (ASK, Fault::Status(404)),
        (ADD, Fault::Cut),
        (ADD, broken),
        (ENTRY, Fault::Status(500)),
        (BALANCE, Fault::Cut),
        (BALANCE, Fault::Status(429)),
    ]
}

fn begin(proxy: &Proxy, request: &'static str, fault: Fault) {
    if request.is_empty() { proxy.all(fault) } else { proxy.on(request, fault) }
}

impl World {
    /// Goes on until a payment is paid; back-offs have grown meanwhile.
    pub(super) async fn until_paid(&self, id: &str, what: &str) {
        for _ in 0..40 {
            if self.standing(id).await == "COMPLETED" {
                return;
            }
            self.after(120).await;
        }
        panic!("{what}: {}", self.standing(id).await);
    }

    /// Every order was accepted once, under its own key, and under no other.
    async fn each_is_paid_once(self, releases: &[String]) {
        let mut keys = Vec::new();
        for release in releases {
            keys.push(self.order(release).await.unwrap().idempotency_key.to_string());
        }
        keys.sort();
        let mut accepted: Vec<_> =
            self.circle().accepted().into_iter().map(|payout| payout.idempotency_key).collect();
        accepted.sort();
        assert_eq!(accepted, keys);
        self.app.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_survives_whatever_circle_does() {
    let troubles = troubles();
    let (world, proxy) = World::behind_proxy(&vec![10; troubles.len()]).await;
    let mut releases = Vec::new();
    for (part, (request, fault)) in troubles.into_iter().enumerate() {
        let what = format!("{request} {fault:?}");
        // An address that Circle has to be asked for anew.
        world.circle().forget_recipient(&world.deal.freelancer.address()).unwrap();
        begin(&proxy, request, fault);
        let release = world.approve(part).await;
        world.app.drain().await;
        for _ in 0..3 {
            world.after(11).await;
        }
        world.app.holds(false).await;
        proxy.cure();
        world.until_paid(&release, &what).await;
        releases.push(release);
    }
    world.each_is_paid_once(&releases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_about_a_payout_end_nothing() {
    let lies = [
        json!({ "status": "under_review" }),
        json!({ "amount": { "amount": "1.00", "currency": "USD" }, "status": "complete" }),
        json!({ "amount": { "amount": "9.000001", "currency": "USD" }, "status": "failed" }),
        json!({ "destination": { "type": "address_book", "id": "somebody else" }, "status": "complete" }),
    ];
    let (world, proxy) = World::behind_proxy(&vec![10; lies.len()]).await;
    let mut releases = Vec::new();
    for (part, lie) in lies.into_iter().enumerate() {
        let what = lie.to_string();
        for request in [ORDER, ASK] {
            proxy.on(request, Fault::Lie(lie.clone()));
        }
        let release = world.approve(part).await;
        world.app.drain().await;
        for seconds in [11, 11, 601, 601] {
            world.after(seconds).await;
            let status = world.row(&release).await.status;
            let goes_on = [PaymentStatus::Queued, PaymentStatus::Submitted, PaymentStatus::Confirming];
            assert!(goes_on.contains(&status), "{what}: {status:?}");
        }
        world.app.holds(false).await;
        proxy.cure();
        world.until_paid(&release, &what).await;
        releases.push(release);
    }
    world.each_is_paid_once(&releases).await;
}

/// An id that Circle does not know is given up for the one that its key has; another order's is not taken at all.
#[tokio::test(flavor = "multi_thread")]
async fn lies_about_ids_are_seen_through() {
    let (world, proxy) = World::behind_proxy(&[10, 10, 10]).await;
    proxy.on(ORDER, Fault::Lie(json!({ "id": "8f2c1e5a-64ee-4b0c-9a37-2f1d0c3b5a11" })));
    let first = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.row(&first).await.status, PaymentStatus::Confirming);
    assert_ne!(world.order(&first).await.unwrap().circle_id, Some(world.circle().accepted()[0].id.clone()));
    proxy.cure();
    world.until_paid(&first, "an id that nobody has").await;
    let theirs = world.circle().accepted()[0].id.clone();
    assert_eq!(world.order(&first).await.unwrap().circle_id, Some(theirs.clone()));

    // The first one's, which is complete.
    proxy.on(ORDER, Fault::Lie(json!({ "id": theirs, "status": "complete" })));
    let second = world.approve(1).await;
    world.app.drain().await;
    for seconds in [11, 11, 601] {
        world.after(seconds).await;
    }
    assert_eq!(
        world.standing(&second).await,
        "SUBMITTED: Circle answers with another payout than the one that was ordered"
    );
    assert_eq!(world.order(&second).await.unwrap().circle_id, None);
    proxy.cure();
    world.until_paid(&second, "the id of another order").await;

    proxy.on(ASK, Fault::Lie(json!({ "id": "somebody else's", "status": "failed" })));
    let third = world.approve(2).await;
    world.app.drain().await;
    for seconds in [11, 11, 601] {
        world.after(seconds).await;
    }
    assert_eq!(world.row(&third).await.status, PaymentStatus::Confirming);
    proxy.cure();
    world.until_paid(&third, "another id").await;
    world.each_is_paid_once(&[first, second, third]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_before_an_order_hold_it_and_no_more() {
    let (world, proxy) = World::behind_proxy(&[10, 10]).await;
    let empty = json!({ "available": [{ "amount": "0.00", "currency": "USD" }] });
    for (part, (requests, lie, held)) in [
        ([BALANCE, BALANCE], empty, "ON_HOLD: the balance at Circle is low"),
        ([ADD, ENTRY], json!({ "status": "denied" }), "ON_HOLD: Circle does not pay to the payee's address"),
    ]
    .into_iter()
    .enumerate()
    {
        world.circle().forget_recipient(&world.deal.freelancer.address()).unwrap();
        for request in requests {
            proxy.on(request, Fault::Lie(lie.clone()));
        }
        let release = world.approve(part).await;
        world.app.drain().await;
        world.after(11).await;
        assert_eq!(world.standing(&release).await, held);
        assert!(world.order(&release).await.is_none());
        proxy.cure();
        world.until_paid(&release, held).await;
    }
    assert_eq!(world.circle().accepted().len(), 2);
    world.app.finish().await;
}

/// Unknown words and odd forms are no reason to ask with another key.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_asked_for_again_under_its_key() {
    let (world, proxy) = World::behind_proxy(&[10]).await;
    proxy.on(ORDER, Fault::Says(201, Value::String("fine".to_owned())));
    let release = world.approve(0).await;
    world.app.drain().await;
    for _ in 0..3 {
        world.after(11).await;
    }
    let key = world.order(&release).await.unwrap().idempotency_key;
    proxy.cure();
    world.until_paid(&release, "an answer in no form").await;
    assert_eq!(world.order(&release).await.unwrap().idempotency_key, key);
    world.each_is_paid_once(&[release]).await;
}
