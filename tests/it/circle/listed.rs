//! Orders that Circle may have accepted unheard: before one is ended Circle's list of payouts is looked through, to its end.

use std::time::Duration;

use domain::{
    entities::{PaymentStatus, circle_payout},
    payment::payout,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use super::{
    World,
    refused::{PAYOUTS, met_with, says},
};
use crate::support::{
    errors, ok,
    proxy::{Fault, Proxy},
    text,
};

/// The list, its pages after the first, and a payout by its id.
pub(super) const LIST: &str = "GET /v1/payouts?";
const NEXT_PAGE: &str = "GET /v1/payouts?pageAfter";
pub(super) const BY_ID: &str = "GET /v1/payouts/";

/// A release that Circle has accepted unheard; then its payee's entry is gone, and every asking is refused.
async fn unheard(world: &World, proxy: &Proxy) -> String {
    let release = met_with(world, proxy, Fault::Cut).await;
    assert_eq!(world.circle().accepted().len(), 1);
    proxy.cure();
    proxy.on(PAYOUTS, says(404, 2));
    for _ in 0..2 {
        world.after(601).await;
    }
    assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted);
    release
}

impl World {
    /// paymentRetry is refused, and nothing has changed; what it says.
    async fn stays(&self, id: &str, what: &str) -> String {
        let payload = self.retry(&self.admin, id).await;
        assert_eq!(errors(&payload), ["paymentId:ILLEGAL_STATE"], "{what}: {payload}");
        assert_eq!(self.row(id).await.status, PaymentStatus::Submitted, "{what}");
        text(&payload["userErrors"][0]["message"])
    }

    /// paymentRetry by the admin: the state that it comes to.
    async fn comes_to(&self, id: &str) -> Value {
        let payment = ok(self.retry(&self.admin, id).await)["payment"].clone();
        assert_eq!(payment["id"], json!(id));
        payment["status"].clone()
    }

    /// A part whose order never came to Circle, though nobody here knows.
    async fn lost_on_the_way(&self, part: usize) -> String {
        let release = self.approve(part).await;
        self.dies_asking(&release).await;
        assert_eq!(self.row(&release).await.status, PaymentStatus::Submitted);
        release
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_accepted_unheard_goes_on_by_the_list() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = unheard(&world, &proxy).await;
    let before = proxy.requests(LIST);
    assert_eq!(world.comes_to(&release).await, "COMPLETED", "the list says so");
    assert_eq!(proxy.requests(LIST), before + 2, "a page, and the end of the list");
    let order = world.order(&release).await.unwrap();
    assert_eq!(order.circle_id, Some(world.circle().accepted()[0].id.clone()));
    assert_eq!(order.doubt_until, None);
    proxy.cure();
    world.ends_paid_once(&release).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_had_ends_nothing() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = unheard(&world, &proxy).await;
    let page = json!([{ "id": "p1", "status": "pending" }]);
    for (request, fault) in [
        (LIST, Fault::Status(500)),
        (LIST, Fault::Cut),
        (LIST, Fault::Status(404)),
        (LIST, says(403, 3)),
        (LIST, Fault::Says(200, json!({ "data": "nothing" }))),
        (LIST, Fault::Says(200, json!([]))),
        // Midway.
        (NEXT_PAGE, Fault::Status(503)),
        (NEXT_PAGE, Fault::Cut),
        (NEXT_PAGE, says(400, 2)),
        // Without an end.
        (LIST, Fault::Lie(page)),
    ] {
        let what = format!("{request} {fault:?}");
        proxy.cure();
        proxy.on(PAYOUTS, says(404, 2));
        proxy.on(request, fault);
        let said = world.stays(&release, &what).await;
        assert!(said.contains("cannot be had") && said.contains("Nothing has changed: try again"), "{said}");
    }
    // What could be it, and cannot be read.
    proxy.on("GET /v1/payouts?from", Fault::Lie(json!([{ "id": "p1", "status": "complete" }])));
    proxy.on(NEXT_PAGE, Fault::Says(200, json!({ "data": [] })));
    assert!(world.stays(&release, "unreadable").await.contains("cannot be read"));
    proxy.cure();
    proxy.on(PAYOUTS, says(404, 2));
    assert_eq!(world.comes_to(&release).await, "COMPLETED");
    proxy.cure();
    world.ends_paid_once(&release).await;
}

/// Two of the same payee and amount: one is paid, and is in the list however short its pages are.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_like_it_that_is_another_orders_is_not_taken_for_it() {
    let (world, proxy) = World::behind_proxy(&[100, 100]).await;
    world.circle().set_page(1);
    let first = world.approve(0).await;
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&first).await, "COMPLETED");
    let second = world.lost_on_the_way(1).await;
    proxy.on(PAYOUTS, says(404, 2));
    world.after(11).await;
    world.after(601).await;
    assert_eq!(world.comes_to(&second).await, "FAILED");
    assert_eq!(world.circle().accepted().len(), 1);

    // Its other try is accepted unheard: the newer of two alike is its own.
    proxy.cure();
    let again = text(&ok(world.retry(&world.admin, &second).await)["payment"]["id"]);
    proxy.on(PAYOUTS, Fault::Cut);
    world.app.drain().await;
    assert_eq!(world.circle().accepted().len(), 2);
    proxy.on(PAYOUTS, says(404, 2));
    for _ in 0..2 {
        world.after(601).await;
    }
    assert_eq!(world.comes_to(&again).await, "COMPLETED");
    let theirs = world.circle().accepted()[1].id.clone();
    assert_eq!(world.order(&again).await.unwrap().circle_id, Some(theirs));
    assert_eq!(world.circle().accepted().len(), 2);
    world.app.finish().await;
}

/// While another order of the same payee and amount is on its way, nobody knows whose payout it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_may_be_that_of_an_order_under_way_is_waited_for() {
    let (world, proxy) = World::behind_proxy(&[100, 100, 100]).await;
    let first = unheard(&world, &proxy).await;
    let second = world.lost_on_the_way(1).await;
    let said = world.stays(&first, "a rival").await;
    assert!(said.contains(&second) && said.contains("ten minutes"), "{said}");
    world.after(601).await;
    assert_eq!(world.comes_to(&first).await, "COMPLETED");
    assert_eq!(world.comes_to(&second).await, "FAILED", "the only payout is the first one's");
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

/// By the key of another account nothing of ours is there, and an empty list says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_another_account_ends_nothing() {
    let (world, proxy) = World::behind_proxy(&[100, 50]).await;
    let first = world.approve(0).await;
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&first).await, "COMPLETED");
    let second = world.lost_on_the_way(1).await;
    proxy.on(PAYOUTS, says(404, 2));
    world.after(11).await;
    world.after(601).await;
    proxy.on(LIST, Fault::Lie(json!([])));
    for fault in [says(404, 2), says(403, 3), Fault::Status(500), Fault::Lie(json!({ "id": "another" }))] {
        let what = format!("{fault:?}");
        proxy.on(BY_ID, fault);
        assert!(world.stays(&second, &what).await.contains("cannot be had"), "{what}");
    }
    proxy.cure();
    proxy.on(PAYOUTS, says(404, 2));
    assert_eq!(world.comes_to(&second).await, "FAILED");
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

/// What was ordered later may be of the account that the key belongs to by now, and says nothing of the one before.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_ordered_later_does_not_tell_the_account() {
    let (world, proxy) = World::behind_proxy(&[100, 50]).await;
    let first = world.approve(0).await;
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&first).await, "COMPLETED");
    let second = world.lost_on_the_way(1).await;
    proxy.on(PAYOUTS, says(404, 2));
    world.after(11).await;
    world.after(601).await;
    let ordered = async |at| {
        let change = circle_payout::ActiveModel {
            payment_id: Set(first.parse().unwrap()),
            created_at: Set(at),
            ..Default::default()
        };
        change.update(world.app.app.db.writer()).await.unwrap()
    };
    let before = world.order(&first).await.unwrap().created_at;
    let second_at = world.order(&second).await.unwrap().created_at;
    ordered(second_at + chrono::Duration::seconds(1)).await;
    let said = world.stays(&second, "only a later one has ended").await;
    assert!(said.contains("no payout older than it has ended"), "{said}");
    ordered(before).await;
    assert_eq!(world.comes_to(&second).await, "FAILED");
    world.app.finish().await;
}

/// A day later its key may be free: nobody asks any more, and the list decides.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_the_list_alone_decides() {
    let (world, proxy) = World::behind_proxy(&[100, 50, 100]).await;
    let first = met_with(&world, &proxy, Fault::Cut).await;
    let second = world.lost_on_the_way(1).await;
    proxy.on(PAYOUTS, Fault::Status(503));
    world.after(25 * 3_600).await;
    for release in [&first, &second] {
        let standing = world.standing(release).await;
        assert!(standing.starts_with("SUBMITTED: Circle never answered this order"), "{standing}");
    }
    proxy.cure();
    let asked = proxy.requests(PAYOUTS);
    proxy.on(LIST, Fault::Status(500));
    world.stays(&second, "no list").await;
    proxy.cure();
    assert_eq!(world.comes_to(&first).await, "COMPLETED");
    assert_eq!(world.comes_to(&second).await, "FAILED");
    payout::track(&world.app.app, world.row(&second).await.id).await.unwrap();
    assert_eq!(proxy.requests(PAYOUTS), asked, "its key is not used any more");
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

/// Somebody else asks while the list is read: what comes of that is certain, and what is only like it is not taken meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_like_it_is_not_taken_while_it_is_asked_for() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = unheard(&world, &proxy).await;
    let (before, asks) = (proxy.requests(LIST), world.order(&release).await.unwrap().asks);
    proxy.on(LIST, Fault::Slow(Duration::from_secs(1)));
    let another = async {
        while proxy.requests(LIST) == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.after(601).await;
        assert_eq!(world.order(&release).await.unwrap().asks, asks + 2, "by the mutation, and meanwhile");
    };
    let (said, ()) = tokio::join!(world.stays(&release, "asked meanwhile"), another);
    assert!(said.contains("at this very moment"), "{said}");
    proxy.cure();
    proxy.on(PAYOUTS, says(404, 2));
    assert_eq!(world.comes_to(&release).await, "COMPLETED");
    proxy.cure();
    world.ends_paid_once(&release).await;
}
