//! What goes wrong between us and Circle comes to one payout, or to none and an honest FAILED.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    App,
    entities::{PaymentStatus, Usdc},
    ledger::Account,
    payment::payout,
    ports::{
        chain::Address,
        circle::{self, CircleError, Payout, PublicKey, Recipient, Span},
    },
};
use sandbox::circle::{Accepted, Ending, Fault};
use serde_json::json;
use uuid::Uuid;

use super::World;
use crate::support::{errors, new_key, ok, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_circle_is_left_alone_for_as_long_as_it_wants() {
    let world = World::new(&[100]).await;
    world.circle().set_fault(Some(Fault::RateLimited(300)));
    let release = world.approve(0).await;
    world.app.drain().await;
    assert_eq!(world.standing(&release).await, "QUEUED");
    world.circle().set_fault(None);
    world.after(290).await;
    assert_eq!(world.standing(&release).await, "QUEUED", "not before its time");
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "QUEUED: Circle is checking the payee's address");
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");

    // While it is followed, too.
    world.circle().set_fault(Some(Fault::RateLimited(300)));
    world.after(11).await;
    world.circle().set_fault(None);
    world.after(290).await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    assert!(world.order(&release).await.unwrap().trouble.unwrap().contains("429"));
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    assert_eq!(world.order(&release).await.unwrap().trouble, None);
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_whose_answer_was_cut_is_one_payout() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.circle().set_fault(Some(Fault::CutAfterPayout));
    world.after(11).await;
    // Circle has it, and we cannot know.
    assert_eq!((world.circle().accepted().len(), world.standing(&release).await.as_str()), (1, "SUBMITTED"));
    let key = world.order(&release).await.unwrap().idempotency_key;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "SUBMITTED");
    world.circle().set_fault(Some(Fault::Broken));
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "SUBMITTED");
    world.circle().set_fault(None);
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    assert_eq!(world.order(&release).await.unwrap().idempotency_key, key);
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

impl World {
    /// Sends a payout in a process that dies between its commit and the call.
    pub(super) async fn dies_asking(&self, release: &str) {
        let app = &self.app.app;
        let dying = App { circle: Some(Arc::new(Gone(app.circle.clone().unwrap()))), ..app.clone() };
        let life = payout::send(&dying, self.row(release).await.id);
        assert!(tokio::time::timeout(std::time::Duration::from_secs(5), life).await.is_err());
    }
}

/// A Circle that is gone when it is asked for a payout.
pub(super) struct Gone(pub(super) Arc<dyn circle::Circle>);

#[async_trait]
impl circle::Circle for Gone {
    async fn recipient_create(&self, key: Uuid, chain: &str, to: Address) -> Result<Recipient, CircleError> {
        self.0.recipient_create(key, chain, to).await
    }

    async fn recipient(&self, id: &str) -> Result<Recipient, CircleError> {
        self.0.recipient(id).await
    }

    async fn payout_create(&self, _: Uuid, _: &str, _: Usdc) -> Result<Payout, CircleError> {
        std::future::pending().await
    }

    async fn payouts(&self, made: Span, after: Option<&str>) -> Result<Vec<Payout>, CircleError> {
        self.0.payouts(made, after).await
    }

    async fn payout(&self, _: &str) -> Result<Payout, CircleError> {
        std::future::pending().await
    }

    async fn balance(&self) -> Result<Usdc, CircleError> {
        self.0.balance().await
    }

    fn known_key(&self, id: Uuid) -> Option<PublicKey> {
        self.0.known_key(id)
    }

    async fn public_key(&self, id: Uuid) -> Result<PublicKey, CircleError> {
        self.0.public_key(id).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_between_the_key_and_the_call_pays_once() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.app.advance(chrono::Duration::seconds(11));
    world.dies_asking(&release).await;
    let order = world.order(&release).await.unwrap();
    assert_eq!((world.standing(&release).await.as_str(), order.circle_id), ("SUBMITTED", None));
    assert!(world.circle().accepted().is_empty());

    // The handler runs again, twice: there is one order, and the tracker places it.
    for _ in 0..2 {
        payout::send(&world.app.app, order.payment_id).await.unwrap();
    }
    assert!(world.circle().accepted().is_empty());
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    let [accepted]: [Accepted; 1] = world.circle().accepted().try_into().unwrap();
    assert_eq!(accepted.idempotency_key, order.idempotency_key.to_string());
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_circle_fails_is_failed_and_can_be_paid_again() {
    let world = World::new(&[100]).await;
    let (app, deal) = (&world.app, &world.deal);
    world.circle().fail_next("transaction_denied").unwrap();
    let release = world.approve(0).await;
    app.drain().await;
    app.settle().await;
    assert_eq!(world.standing(&release).await, "FAILED: Circle did not pay it: transaction_denied");
    assert_eq!(app.status_of(deal, &deal.milestones[0]).await, "APPROVED");
    assert_eq!(world.balance(Account::Fees).await, Usdc::ZERO, "the reservation is taken back");
    assert_eq!(app.contract_of(deal, "inEscrow { amount }").await["inEscrow"]["amount"], "100.00");
    assert_eq!(world.circle().balance(), 100_000_000);

    let retry = "mutation($input: PaymentRetryInput!) { paymentRetry(input: $input) {
        payment { id rail retryOf { id } } userErrors { field code message } } }";
    let input = json!({ "paymentId": release, "idempotencyKey": new_key() });
    let again = ok(app.mutate(&world.admin.token, retry, input.clone()).await)["payment"].clone();
    assert_eq!((&again["rail"], &again["retryOf"]["id"]), (&json!("CIRCLE"), &json!(release)));
    let other = json!({ "paymentId": release, "idempotencyKey": new_key() });
    assert_eq!(errors(&app.mutate(&world.admin.token, retry, other).await), ["paymentId:ILLEGAL_STATE"]);
    app.settle().await;
    assert_eq!(world.standing(&text(&again["id"])).await, "COMPLETED");
    assert_eq!(app.status_of(deal, &deal.milestones[0]).await, "PAID");
    let keys: Vec<_> = world.circle().accepted().into_iter().map(|payout| payout.idempotency_key).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1], "another intent has another key");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_failure() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    // The order is stored; then the address is taken out of the book before Circle hears of the payout.
    world.app.advance(chrono::Duration::seconds(11));
    world.dies_asking(&release).await;
    world.circle().set_recipient(&world.deal.freelancer.address(), "inactive").unwrap();
    world.after(11).await;
    world.after(3_600).await;
    assert_eq!(world.row(&release).await.status, PaymentStatus::Submitted);
    let trouble = world.order(&release).await.unwrap().trouble.unwrap();
    assert!(trouble.contains("not active"), "{trouble}");
    world.circle().set_recipient(&world.deal.freelancer.address(), "active").unwrap();
    world.after(600).await;
    let id = world.circle().accepted()[0].id.clone();
    world.circle().end_payout(&id, Ending::Complete).unwrap();
    world.after(600).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_circle_its_payouts_are_held_and_never_paid_on_the_chain() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    let app = &world.app.app;
    let without = App { circle: None, ..app.clone() };
    payout::send(&without, world.row(&release).await.id).await.unwrap();
    let standing = world.standing(&release).await;
    assert_eq!(standing, "ON_HOLD: payouts by Circle are not set up at the moment");
    assert_eq!(world.app.usdc_of(&world.deal.freelancer.address()).await, 0);
    // It has waited long, so it is looked at less often.
    for seconds in [600, 60, 11] {
        world.after(seconds).await;
    }
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

/// The key was taken out of the settings while a payout is with Circle: it is seen on the payment, told once, and no job dies over
/// it.
#[tokio::test(flavor = "multi_thread")]
async fn without_circle_what_it_was_asked_for_says_so_and_goes_on_later() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    let (app, id) = (&world.app.app, world.row(&release).await.id);
    let without = App { circle: None, ..app.clone() };
    for _ in 0..3 {
        world.app.advance(chrono::Duration::minutes(10));
        payout::track(&without, id).await.unwrap();
        let standing = world.standing(&release).await;
        assert_eq!(standing, "CONFIRMING: payouts by Circle are not set up at the moment");
        assert!(
            world.row(&release).await.due_at > Some(app.clock.now()),
            "it is looked at again, in its time"
        );
    }
    world.app.drain().await;
    assert_eq!(world.mails(&world.admin, "A payment is stuck at Circle"), 1);
    world.after(600).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}
