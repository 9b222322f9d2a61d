//! What Circle takes for a payout: a cost in the books, once, and no difference.

use domain::{
    entities::{PaymentKind, PaymentRail, ReconciliationOutcome as Outcome, payment},
    ledger::{Account, verify},
    money::Usdc,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::{World, balance::RESUME, listed::BY_ID, refused::says};
use crate::support::{Someone, errors, new_key, ok, proxy::Fault, text};

impl World {
    /// paymentBookCost; the payload.
    async fn book_cost(&self, by: &Someone, payment: &str, usdc: &str) -> Value {
        let book = "mutation($input: PaymentBookCostInput!) { paymentBookCost(input: $input) {
            payment { id status } userErrors { field code message } } }";
        let input = json!({ "paymentId": payment, "cost": { "amount": usdc }, "idempotencyKey": new_key() });
        self.app.mutate(&by.token, book, input).await
    }

    /// It is refused, and nothing is booked; by which field and code, and what it says.
    async fn books_nothing(&self, payment: &str, usdc: &str) -> (String, String) {
        let before = self.balance(Account::Costs).await;
        let payload = self.book_cost(&self.admin, payment, usdc).await;
        assert_eq!(self.balance(Account::Costs).await, before, "{payload}");
        let [error]: [String; 1] = errors(&payload).try_into().unwrap();
        (error, text(&payload["userErrors"][0]["message"]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_a_cost_in_the_books_and_no_difference() {
    let world = World::new(&[100]).await;
    world.circle().set_fee(250_000).unwrap();
    world.app.mine(4).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    assert_eq!(world.balance(Account::Costs).await, Usdc::ZERO, "nothing is known of it yet");

    // Complete there and charged, and nobody has heard of it here.
    world.app.advance(chrono::Duration::seconds(6));
    world.circle().settle().unwrap();
    assert_eq!(world.circle().balance(), 9_750_000);
    let [_, circle] = world.compared().await;
    assert_eq!((circle.outcome, circle.difference), (Outcome::Ok, Some(Usdc::ZERO)), "{circle:?}");
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    // A fee explains itself, and not a micro-USDC more.
    world.circle().fund(-1).unwrap();
    assert_eq!(world.outcomes().await[1], Outcome::Less);
    world.circle().fund(1).unwrap();
    assert_eq!(world.outcomes().await[1], Outcome::Ok);
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);

    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    assert_eq!(world.order(&release).await.unwrap().fee, Usdc(250_000));
    assert_eq!(world.balance(Account::Costs).await, Usdc(250_000));
    assert_eq!(world.balance(Account::Treasury(PaymentRail::Circle)).await, Usdc(9_750_000));
    assert_eq!(
        world.balance(Account::Fees).await,
        Usdc(-10_000_000),
        "what the platform earned is another matter"
    );
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    let seen = world.treasury().await;
    assert_eq!(
        (
            &seen["atCircleInLedger"]["amount"],
            &seen["circleDifference"]["amount"],
            &seen["costsInLedger"]["amount"]
        ),
        (&json!("9.75"), &json!("0.00"), &json!("0.25"))
    );
    let checked = verify::at_circle(&world.app.app).await.unwrap().expect("there is a Circle");
    assert_eq!(checked.problems, [""; 0]);
    let books = verify::books(&world.app.app).await.unwrap();
    let costs = books.iter().find(|check| check.name == "costs").expect("a check");
    assert_eq!((costs.figure.as_str(), &*costs.problems), ("0.25 USDC", &[][..]));
    assert!(!world.is_paused().await);
    // Looked at again, it costs nothing more.
    world.after(601).await;
    assert_eq!(world.balance(Account::Costs).await, Usdc(250_000));
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_costs_nothing() {
    let world = World::new(&[100]).await;
    world.circle().set_fee(250_000).unwrap();
    world.circle().fail_next("transaction_denied").unwrap();
    let release = world.approve(0).await;
    world.app.drain().await;
    world.app.settle().await;
    assert_eq!(world.standing(&release).await, "FAILED: Circle did not pay it: transaction_denied");
    assert_eq!((world.balance(Account::Costs).await, world.circle().balance()), (Usdc::ZERO, 100_000_000));
    world.app.finish().await;
}

/// In forms that Circle's pages show, and in others: none keeps a payout from its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_fee_in_whatever_form_keeps_no_payout_from_its_end() {
    let forms = [
        json!({ "amount": 0, "currency": "USD" }),
        json!({ "amount": "-3.00", "currency": "USD" }),
        json!({ "amount": "3.00", "currency": "ETH" }),
        json!({ "amount": "a little", "currency": "USD" }),
        json!("none"),
        json!(null),
    ];
    let (world, proxy) = World::behind_proxy(&vec![10; forms.len()]).await;
    for (part, form) in forms.into_iter().enumerate() {
        let what = form.to_string();
        proxy.cure();
        proxy.on("GET /v1/payouts/", Fault::Lie(json!({ "fees": form })));
        let release = world.approve(part).await;
        world.app.drain().await;
        world.until_paid(&release, &what).await;
    }
    assert_eq!(world.balance(Account::Costs).await, Usdc::ZERO);
    world.app.finish().await;
}

/// More than the payout, and than what is usual: it is Circle's word alone, and the books do not take it.
#[tokio::test(flavor = "multi_thread")]
async fn an_absurd_fee_is_told_and_stops_payouts_and_is_not_booked() {
    let (world, proxy) = World::behind_proxy(&[100, 100]).await;
    proxy.on("GET /v1/payouts/", Fault::Lie(json!({ "fees": { "amount": "90.000001", "currency": "USD" } })));
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED", "the payee has it");
    assert_eq!(world.balance(Account::Costs).await, Usdc::ZERO);
    let seen = world.treasury().await;
    assert!(text(&seen["outgoingPaused"]["reason"]).starts_with("Circle names an absurd fee"), "{seen}");
    world.app.drain().await;
    assert_eq!(world.mails(&world.admin, "Circle names an absurd fee"), 1);
    let next = world.approve(1).await;
    world.app.drain().await;
    assert!(world.standing(&next).await.starts_with("ON_HOLD: Circle names an absurd fee"));

    // It was a lie: nothing is missing.
    proxy.cure();
    world.app.mine(4).await;
    assert_eq!(world.outcomes().await[1], Outcome::Ok);
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);
    world.app.drain().await;
    world.until_paid(&next, "after an absurd fee").await;
    assert_eq!(world.circle().accepted().len(), 2);
    world.app.finish().await;
}

/// Booked by an administrator, as Circle says it; and once more when Circle takes back some.
#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_circle_names_late_is_booked_by_an_administrator() {
    let world = World::new(&[100, 100]).await;
    world.app.mine(4).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.until_paid(&release, "as ever").await;
    let id = world.circle().accepted()[0].id.clone();
    // The second would be too much to be believed.
    for (taken, costs) in [("0.4", 400_000), ("95", 95_000_000), ("0", 0)] {
        world.circle().charge_late(&id, costs).unwrap();
        let before = world.balance(Account::Costs).await;
        let outcome = if costs > before.micro() { Outcome::Less } else { Outcome::More };
        assert_eq!(world.outcomes().await[1], outcome, "{taken}");
        let booked = ok(world.book_cost(&world.admin, &release, taken).await)["payment"].clone();
        assert_eq!(booked, json!({ "id": release, "status": "COMPLETED" }));
        assert_eq!(world.order(&release).await.unwrap().fee, Usdc(costs));
        assert_eq!(world.balance(Account::Costs).await, Usdc(costs));
        assert_eq!(
            world.balance(Account::Treasury(PaymentRail::Circle)).await,
            Usdc(world.circle().balance())
        );
        assert_eq!(world.outcomes().await[1], Outcome::Ok, "{taken}");
        for checked in [
            verify::books(&world.app.app).await.unwrap(),
            vec![verify::at_circle(&world.app.app).await.unwrap().unwrap()],
        ] {
            assert!(checked.iter().all(|check| check.problems.is_empty()), "{checked:?}");
        }
        // Circle has the same figure, and so have the books.
        let (error, says) = world.books_nothing(&release, taken).await;
        assert_eq!(error, "cost:ILLEGAL_STATE");
        assert!(says.contains("already"), "{says}");
    }
    let log = "{ auditLog(first: 3) { nodes { action details subjectId } } }";
    let log = world.app.gql(&world.admin.token, log, json!({})).await.to_string();
    assert!(log.contains("payment.book_cost") && log.contains(&release), "{log}");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cost_is_booked_on_circles_word_alone() {
    let (world, proxy) = World::behind_proxy(&[100, 100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.until_paid(&release, "as ever").await;
    let id = world.circle().accepted()[0].id.clone();

    // The sandbox names what it takes, nothing too.
    let (error, says_so) = world.books_nothing(&release, "0.4").await;
    assert_eq!(error, "cost:OUT_OF_RANGE");
    assert!(says_so.contains("took 0.00 USDC"), "{says_so}");
    assert_eq!(world.books_nothing(&release, "-1").await.0, "cost:OUT_OF_RANGE");
    // More than there is.
    world.circle().charge_late(&id, 110_000_001).unwrap();
    let (error, says_so) = world.books_nothing(&release, "110.000001").await;
    assert_eq!(error, "cost:OUT_OF_RANGE");
    assert!(says_so.contains("have 110.00 USDC at Circle"), "{says_so}");
    world.circle().charge_late(&id, 400_000).unwrap();
    for (fault, part) in [
        (says(404, 2), "does not say"),
        (says(503, 2), "does not say"),
        (Fault::Lie(json!({ "fees": null })), "does not name"),
        (Fault::Lie(json!({ "fees": { "amount": "0.40", "currency": "EUR" } })), "does not name"),
        (Fault::Lie(json!({ "fees": { "amount": "-0.40", "currency": "USD" } })), "does not name"),
        (Fault::Lie(json!({ "id": "another" })), "another payout"),
        (Fault::Lie(json!({ "amount": { "amount": "1.00", "currency": "USD" } })), "another payout"),
        (Fault::Lie(json!({ "status": "failed" })), "\"failed\""),
    ] {
        proxy.on(BY_ID, fault);
        let (error, says_so) = world.books_nothing(&release, "0.4").await;
        assert_eq!(error, "paymentId:ILLEGAL_STATE");
        assert!(says_so.contains(part), "{says_so}");
        proxy.cure();
    }
    // Neither what is under way, nor what did not go by Circle.
    let next = world.approve(1).await;
    world.app.drain().await;
    assert!(world.books_nothing(&next, "0.4").await.1.contains("not COMPLETED"));
    let deposits = payment::Entity::find().filter(payment::Column::Kind.eq(PaymentKind::Deposit));
    let deposit = deposits.one(world.app.app.db.reader()).await.unwrap().unwrap();
    assert!(world.books_nothing(&deposit.id.to_string(), "0.4").await.1.contains("did not make"));

    // A party of the contract never does, whatever they have become.
    let payload = world.book_cost(&world.deal.client, &release, "0.4").await;
    assert_eq!(errors(&payload), [":FORBIDDEN"]);
    ok(world.book_cost(&world.admin, &release, "0.4").await);
    world.until_paid(&next, "the other").await;
    world.app.finish().await;
}
