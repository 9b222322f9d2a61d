//! `treasuryMove`: what an administrator moved between the rails, in the books.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc};
use serde_json::{Value, json};

use super::{AT_CIRCLE, World};
use crate::support::{Someone, TestApp, errors, new_key, ok};

const MOVE: &str = "mutation($input: TreasuryMoveInput!) { treasuryMove(input: $input) {
    treasuryMove { from to amount { amount } reference recordedAt } userErrors { field code message } } }";

/// treasuryMove from the chain to Circle; the payload.
pub(super) async fn record(app: &TestApp, by: &Someone, usdc: &str, hash: &str, key: &str) -> Value {
    let input = json!({
        "from": "CHAIN", "to": "CIRCLE", "amount": { "amount": usdc }, "reference": hash, "idempotencyKey": key,
    });
    app.mutate(&by.token, MOVE, input).await
}

/// The way back, by a transfer that Circle calls after the key; the payload.
pub(super) async fn back(
    app: &TestApp,
    by: &Someone,
    usdc: &str,
    arrived: Option<&Value>,
    key: &str,
) -> Value {
    let input = json!({
        "from": "CIRCLE", "to": "CHAIN", "amount": { "amount": usdc }, "reference": format!(" {key}-at-circle "),
        "unallocatedId": arrived, "idempotencyKey": key,
    });
    app.mutate(&by.token, MOVE, input).await
}

/// Money comes back from Circle; what the scanner takes it for.
pub(super) async fn come_back(world: &World, micro: u64) -> Value {
    let (app, treasury) = (&world.app, world.app.app.chain.treasury().to_string());
    app.evm.pay(AT_CIRCLE, &treasury, micro).await.unwrap();
    world.circle().fund(-i64::try_from(micro).unwrap()).unwrap();
    app.mine(5).await;
    app.mine(1).await;
    let open = "{ unallocatedDeposits(first: 1, filter: { status: [OPEN] }) { nodes { id } } }";
    let open = app.gql(&world.admin.token, open, json!({})).await;
    open["data"]["unallocatedDeposits"]["nodes"][0]["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_two_lines_of_the_books_and_no_more() {
    let world = World::new(&[100]).await;
    let (app, admin) = (&world.app, &world.admin);
    let (chain, circle) = (Account::Treasury(PaymentRail::Chain), Account::Treasury(PaymentRail::Circle));
    assert_eq!((world.balance(chain).await, world.balance(circle).await), (Usdc::ZERO, Usdc(100_000_000)));

    let (key, arrived) = (new_key(), come_back(&world, 30_500_000).await);
    let made = ok(back(app, admin, "30.5", Some(&arrived), &key).await)["treasuryMove"].clone();
    assert_eq!((&made["from"], &made["to"]), (&json!("CIRCLE"), &json!("CHAIN")));
    assert_eq!(
        (&made["amount"]["amount"], &made["reference"]),
        (&json!("30.50"), &json!(format!("{key}-at-circle")))
    );
    app.advance(chrono::Duration::hours(1));
    let again = ok(back(app, admin, "30.50", Some(&arrived), &key).await);
    assert_eq!(again["treasuryMove"], made, "the same key, the same answer");
    let after = (world.balance(chain).await, world.balance(circle).await);
    assert_eq!(after, (Usdc(30_500_000), Usdc(69_500_000)), "what arrived counts once");
    assert_eq!(world.balance(Account::Unallocated).await, Usdc::ZERO);
    app.books_agree().await;
    let other = back(app, admin, "31", Some(&arrived), &key).await;
    assert_eq!(errors(&other), ["idempotencyKey:CONFLICT"]);
    let spent = back(app, admin, "30.5", Some(&arrived), &new_key()).await;
    assert_eq!(errors(&spent), ["unallocatedId:ILLEGAL_STATE"]);

    // A client's own money is no move of ours.
    let (theirs, treasury) = (world.deal.client.address(), app.app.chain.treasury().to_string());
    app.evm.pay(&theirs, &treasury, 200_000).await.unwrap();
    app.mine(5).await;
    app.mine(1).await;
    let open = "{ unallocatedDeposits(first: 1, filter: { status: [OPEN] }) { nodes { id } } }";
    let open = app.gql(&admin.token, open, json!({})).await;
    let open = &open["data"]["unallocatedDeposits"]["nodes"][0]["id"];
    let refused = back(app, admin, "0.2", Some(open), &new_key()).await;
    assert_eq!(errors(&refused), ["unallocatedId:INVALID"]);

    let more = come_back(&world, 2_000_000).await;
    for (usdc, arrived, wrong) in [
        ("69.500001", Some(&more), "amount:OUT_OF_RANGE"),
        ("1", Some(&more), "amount:OUT_OF_RANGE"),
        ("0", Some(&more), "amount:OUT_OF_RANGE"),
        ("0.0000001", Some(&more), "amount.amount:INVALID"),
        ("2", None, "unallocatedId:REQUIRED"),
    ] {
        assert_eq!(errors(&back(app, admin, usdc, arrived, &new_key()).await), [wrong], "{usdc}");
    }
    assert_eq!(errors(&record(app, &world.deal.client, "1", "x", &new_key()).await), [":FORBIDDEN"]);
    let nowhere = json!({ "from": "CIRCLE", "to": "CIRCLE", "amount": { "amount": "1" }, "reference": "x",
        "idempotencyKey": new_key() });
    assert_eq!(errors(&app.mutate(&admin.token, MOVE, nowhere).await), ["to:INVALID"]);
    ok(back(app, admin, "2", Some(&more), &new_key()).await);
    let rows = "{ auditLog(first: 5, filter: { action: \"treasury.move\" }) { nodes { actor { id } } } }";
    let rows = app.gql(&admin.token, rows, json!({})).await;
    let rows = rows["data"]["auditLog"]["nodes"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 3, "these two, and the world's own: {rows:?}");
    assert!(rows.iter().all(|row| row["actor"]["id"] == json!(admin.id)));
    world.app.finish().await;
}

/// Two administrators who record one move at once, each with a key and in a spelling of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_recorded_once_whoever_does() {
    let world = World::new(&[100]).await;
    let (app, admin, other) = (&world.app, &world.admin, world.app.admin_named("olga").await);
    let more = app.deal_of("carl", "fred", &[50]).await;
    app.funded(&more, &more.milestones[0]).await;
    let hash = world.leave_the_chain(30).await;
    app.make_final();
    world.circle().fund(30_000_000).unwrap();
    let (shouted, keys) = (format!("0x{}", hash[2..].to_uppercase()), [new_key(), new_key()]);
    let (one, two) = tokio::join!(
        record(app, admin, "30", &hash, &keys[0]),
        record(app, &other, "30", &shouted, &keys[1]),
    );
    let (won, lost) = if errors(&one).is_empty() { (one, two) } else { (two, one) };
    assert_eq!(ok(won)["treasuryMove"]["reference"], json!(hash));
    assert_eq!(errors(&lost), ["reference:CONFLICT"]);
    assert_eq!(world.balance(Account::Treasury(PaymentRail::Chain)).await, Usdc(20_000_000));
    assert_eq!(world.balance(Account::Treasury(PaymentRail::Circle)).await, Usdc(130_000_000));

    let nowhere = format!("0x{}", "ab".repeat(32));
    for (usdc, reference, wrong) in [
        ("29", hash.as_str(), "amount:OUT_OF_RANGE"),
        ("20", "a letter", "reference:INVALID"),
        ("20", &nowhere, "reference:INVALID"),
    ] {
        let refused = record(app, admin, usdc, reference, &new_key()).await;
        assert_eq!(errors(&refused), [wrong], "{usdc} {reference}");
    }
    // Circle's own names are one move each, too.
    let arrived = come_back(&world, 5_000_000).await;
    let key = new_key();
    ok(back(app, admin, "5", Some(&arrived), &key).await);
    let again = come_back(&world, 6_000_000).await;
    let input = json!({
        "from": "CIRCLE", "to": "CHAIN", "amount": { "amount": "6" }, "reference": format!("{key}-at-circle"),
        "unallocatedId": again, "idempotencyKey": new_key(),
    });
    assert_eq!(errors(&app.mutate(&other.token, MOVE, input).await), ["reference:CONFLICT"]);
    ok(back(app, &other, "6", Some(&again), &new_key()).await);
    world.app.finish().await;
}

/// A payout is booked as one: who calls it a move would have it counted twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_no_move() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 90]).await, app.admin().await);
    app.funded(&deal, &deal.milestones[1]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let release = ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    app.settle().await;
    let paid = app.payment(&deal.client, release["payment"]["id"].as_str().unwrap()).await;
    let hash = paid["transactionHash"].as_str().unwrap();
    assert_eq!(errors(&record(&app, &admin, "90", hash, &new_key()).await), ["reference:INVALID"]);
    app.finish().await;
}
