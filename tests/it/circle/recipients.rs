//! Entries of Circle's address book that are gone there.

use domain::entities::circle_recipient;
use sea_orm::EntityTrait;

use super::World;
use crate::support::{errors, ok, text};

impl World {
    async fn entry(&self) -> circle_recipient::Model {
        let id = ("ETH".to_owned(), self.deal.freelancer.address());
        circle_recipient::Entity::find_by_id(id).one(self.app.app.db.reader()).await.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_gone_is_made_anew() {
    let world = World::new(&[100, 50]).await;
    let first = world.approve(0).await;
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&first).await, "COMPLETED");
    let old = world.entry().await;

    world.circle().forget_recipient(&world.deal.freelancer.address()).unwrap();
    let second = world.approve(1).await;
    world.app.drain().await;
    assert_eq!(world.standing(&second).await, "QUEUED: Circle is checking the payee's address");
    let new = world.entry().await;
    assert_ne!((new.circle_id, new.idempotency_key), (old.circle_id, old.idempotency_key));
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&second).await, "COMPLETED");
    assert_eq!(world.circle().accepted().len(), 2);
    world.app.finish().await;
}

/// The order names an entry that is gone: it never goes, and the next one names another.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_to_an_entry_that_is_gone_is_ended_and_paid_anew() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.app.advance(chrono::Duration::seconds(11));
    world.dies_asking(&release).await;
    world.circle().forget_recipient(&world.deal.freelancer.address()).unwrap();
    world.after(11).await;
    let stuck = world.standing(&release).await;
    assert!(
        stuck.starts_with("SUBMITTED: Circle refuses the payout: ") && stuck.contains("no such recipient")
    );
    // The process that died may have asked before the entry was gone.
    assert_eq!(errors(&world.retry(&world.admin, &release).await), ["paymentId:ILLEGAL_STATE"]);
    world.after(601).await;
    assert_eq!(ok(world.retry(&world.admin, &release).await)["payment"]["status"], "FAILED");
    let again = text(&ok(world.retry(&world.admin, &release).await)["payment"]["id"]);
    world.app.drain().await;
    assert_eq!(world.standing(&again).await, "QUEUED: Circle is checking the payee's address");
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&again).await, "COMPLETED");
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}
