//! What Circle takes for a payout: a cost in the books, once, and no difference.

use domain::{
    entities::{PaymentRail, ReconciliationOutcome as Outcome},
    ledger::{Account, verify},
    money::Usdc,
};
use serde_json::json;

use super::{World, balance::RESUME};
use crate::support::{ok, proxy::Fault, text};

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
