//! Payouts by Circle: out of its balance, once each, whatever goes wrong on the way.

use domain::{
    entities::{PaymentId, PaymentRail, PaymentStatus, circle_payout, payment},
    ledger::{self, Account},
    money::Usdc,
};
use sandbox::circle::{Accepted, Circle, Ending};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, new_key, ok, proxy::Proxy, text};

mod balance;
mod faults;
mod fees;
mod listed;
mod missing;
mod moves;
mod nonces;
mod proxy;
mod recipients;
mod refused;
mod upgrade;
mod webhooks;

/// Where the platform's money is received at Circle.
const AT_CIRCLE: &str = "0x00000000000000000000000000000000c14c1e00";

struct World {
    app: TestApp,
    deal: Deal,
    admin: Someone,
}

impl World {
    /// A deal whose parts, so many USDC each, are funded and handed in; that money is moved to Circle.
    async fn new(parts: &[u32]) -> Self {
        Self::of(TestApp::start_on_circle().await, parts).await
    }

    /// The same, with something between it and Circle that goes wrong on demand.
    async fn behind_proxy(parts: &[u32]) -> (Self, Proxy) {
        let (app, proxy) = TestApp::start_on_circle_behind_proxy().await;
        (Self::of(app, parts).await, proxy)
    }

    async fn of(app: TestApp, parts: &[u32]) -> Self {
        Self::holding(app, parts, parts.iter().sum()).await
    }

    /// The same, with no more than so many USDC moved to Circle.
    async fn holding(app: TestApp, parts: &[u32], usdc: u32) -> Self {
        let (deal, admin) = (app.deal(parts).await, app.admin().await);
        for part in &deal.milestones {
            app.submitted(&deal, part).await;
        }
        let world = Self { app, deal, admin };
        world.move_to_circle(usdc).await;
        world
    }

    fn circle(&self) -> &Circle {
        self.app.circle.as_ref().unwrap()
    }

    /// Moves money outside, and records it once it is final.
    async fn move_to_circle(&self, usdc: u32) {
        let hash = self.leave_the_chain(usdc).await;
        self.app.make_final();
        self.circle().fund(i64::from(usdc) * 1_000_000).unwrap();
        ok(moves::record(&self.app, &self.admin, &usdc.to_string(), &hash, &new_key()).await);
    }

    /// Sends money from the treasury to Circle, and no more; the transaction's hash.
    async fn leave_the_chain(&self, usdc: u32) -> String {
        let treasury = self.app.app.chain.treasury().to_string();
        self.app.evm.pay(&treasury, AT_CIRCLE, u64::from(usdc) * 1_000_000).await.unwrap()
    }

    /// paymentRetry by an admin; the payload.
    async fn retry(&self, by: &Someone, id: &str) -> Value {
        let retry = "mutation($input: PaymentRetryInput!) { paymentRetry(input: $input) {
            payment { id status rail retryOf { id } failureReason } userErrors { field code message } } }";
        let input = json!({ "paymentId": id, "idempotencyKey": new_key() });
        self.app.mutate(&by.token, retry, input).await
    }

    /// How many mails of a subject somebody got.
    fn mails(&self, to: &Someone, subject: &str) -> usize {
        self.app.mails(&to.email).iter().filter(|mail| mail.subject == subject).count()
    }

    /// Approves a part; the release's id.
    async fn approve(&self, part: usize) -> String {
        let payload = ok(self.app.approve(&self.deal, &self.deal.milestones[part], &new_key()).await);
        text(&payload["payment"]["id"])
    }

    async fn seen(&self, id: &str) -> Value {
        let query = "query($id: ID!) { payment(id: $id) { status rail failureReason transactionHash
            confirmations requiredConfirmations } }";
        self.app.gql(&self.admin.token, query, json!({ "id": id })).await["data"]["payment"].clone()
    }

    /// `STATUS` alone, or with why: `STATUS: reason`.
    async fn standing(&self, id: &str) -> String {
        let seen = self.seen(id).await;
        match seen["failureReason"].as_str() {
            Some(reason) => format!("{}: {reason}", text(&seen["status"])),
            None => text(&seen["status"]),
        }
    }

    /// What is stored of the order; none before there is one.
    async fn order(&self, id: &str) -> Option<circle_payout::Model> {
        let id: PaymentId = id.parse().unwrap();
        circle_payout::Entity::find_by_id(id).one(self.app.app.db.reader()).await.unwrap()
    }

    async fn row(&self, id: &str) -> payment::Model {
        let id: PaymentId = id.parse().unwrap();
        payment::Entity::find_by_id(id).one(self.app.app.db.reader()).await.unwrap().unwrap()
    }

    /// Lets time pass, and what is due be done.
    async fn after(&self, seconds: i64) {
        self.app.advance(chrono::Duration::seconds(seconds));
        self.app.drain().await;
    }

    async fn balance(&self, account: Account) -> Usdc {
        ledger::balance(self.app.app.db.reader(), account).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_paid_out_of_the_balance_at_circle() {
    let world = World::new(&[100]).await;
    let (app, freelancer) = (&world.app, world.deal.freelancer.address());
    let release = world.approve(0).await;
    app.drain().await;
    assert_eq!(world.standing(&release).await, "QUEUED: Circle is checking the payee's address");
    assert!(world.order(&release).await.is_none() && world.circle().accepted().is_empty());

    // The address is checked after five seconds, and looked at after ten.
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    let order = world.order(&release).await.unwrap();
    assert_eq!((order.idempotency_key.get_version_num(), order.amount), (4, Usdc(90_000_000)));
    let [accepted]: [Accepted; 1] = world.circle().accepted().try_into().unwrap();
    assert_eq!((accepted.amount, &accepted.recipient), (90_000_000, &freelancer));
    assert_eq!(accepted.idempotency_key, order.idempotency_key.to_string());
    assert_eq!(order.circle_id, Some(accepted.id));
    world.after(11).await;
    let paid = world.seen(&release).await;
    assert_eq!((&paid["status"], &paid["rail"]), (&json!("COMPLETED"), &json!("CIRCLE")));
    assert_eq!(paid["transactionHash"], Value::Null);
    assert_eq!((&paid["confirmations"], &paid["requiredConfirmations"]), (&Value::Null, &Value::Null));
    assert_eq!(app.status_of(&world.deal, &world.deal.milestones[0]).await, "PAID");
    assert_eq!(world.balance(Account::Treasury(PaymentRail::Circle)).await, Usdc(10_000_000));
    assert_eq!(world.balance(Account::Treasury(PaymentRail::Chain)).await, Usdc::ZERO);
    assert_eq!(world.balance(Account::Fees).await, Usdc(-10_000_000));
    assert_eq!(world.circle().balance(), 10_000_000);
    let subjects: Vec<_> =
        app.mails(&world.deal.freelancer.email).into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects.iter().filter(|subject| *subject == "Part 1 is paid").count(), 1, "{subjects:?}");
    assert_eq!(world.row(&release).await.destination, Some(freelancer));
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_goes_back_by_circle_to_the_wallet_that_paid() {
    let world = World::new(&[100, 50]).await;
    let part = &world.deal.milestones[1];
    let payload = ok(world.app.refund(&world.deal, part, None, &new_key()).await);
    let refund = text(&payload["payment"]["id"]);
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&refund).await, "COMPLETED");
    assert_eq!(world.app.status_of(&world.deal, part).await, "REFUNDED");
    let [accepted]: [Accepted; 1] = world.circle().accepted().try_into().unwrap();
    assert_eq!((accepted.amount, accepted.recipient), (50_000_000, world.deal.client.address()));
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_rests_or_is_new_to_us_keeps_the_payout_waiting() {
    let world = World::new(&[100]).await;
    let freelancer = world.deal.freelancer.address();
    world.circle().set_recipient(&freelancer, "inactive").unwrap();
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "QUEUED: the payee's address is new at Circle and rests");
    world.circle().set_recipient(&freelancer, "quarantined").unwrap();
    world.after(600).await;
    assert_eq!(world.standing(&release).await, "QUEUED: Circle has not approved the payee's address yet");
    assert!(world.order(&release).await.is_none());
    world.circle().set_recipient(&freelancer, "active").unwrap();
    world.after(60).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_address_holds_the_payout_until_it_is_not() {
    let world = World::new(&[100]).await;
    let freelancer = world.deal.freelancer.address();
    world.circle().set_recipient(&freelancer, "denied").unwrap();
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "ON_HOLD: Circle does not pay to the payee's address");
    assert!(world.order(&release).await.is_none() && world.circle().accepted().is_empty());
    world.circle().set_recipient(&freelancer, "active").unwrap();
    world.after(600).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_balance_holds_the_payout_until_money_is_moved_there() {
    let world = World::holding(TestApp::start_on_circle().await, &[100], 50).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "ON_HOLD: the balance at Circle is low");
    assert!(world.order(&release).await.is_none() && world.circle().accepted().is_empty());
    world.move_to_circle(50).await;
    world.after(600).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_payouts_do_not_share_a_balance_that_is_enough_for_one() {
    let world = World::holding(TestApp::start_on_circle().await, &[100, 100], 100).await;
    let first = world.approve(0).await;
    let second = world.approve(1).await;
    world.app.drain().await;
    world.app.settle().await;
    let mut standing = [world.standing(&first).await, world.standing(&second).await];
    standing.sort();
    assert_eq!(standing, ["COMPLETED", "ON_HOLD: the balance at Circle is low"]);
    assert_eq!(world.circle().accepted().len(), 1);
    world.move_to_circle(100).await;
    world.after(600).await;
    world.after(11).await;
    for release in [&first, &second] {
        assert_eq!(world.standing(release).await, "COMPLETED");
    }
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_nobody_has_heard_of_is_no_end() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let id = world.circle().accepted()[0].id.clone();
    world.circle().end_payout(&id, Ending::Other("under_review".to_owned())).unwrap();
    for _ in 0..3 {
        world.after(3_600).await;
        assert_eq!(world.row(&release).await.status, PaymentStatus::Confirming);
        assert_eq!(world.order(&release).await.unwrap().status.as_deref(), Some("under_review"));
    }
    world.circle().end_payout(&id, Ending::Complete).unwrap();
    world.after(60).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}
