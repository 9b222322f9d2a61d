//! `treasuryMove`: what an administrator moved between the rails, in the books.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc};
use serde_json::{Value, json};

use super::{AT_CIRCLE, World};
use crate::support::{Someone, TestApp, errors, new_key, ok};

const MOVE: &str = "mutation($input: TreasuryMoveInput!) { treasuryMove(input: $input) {
    treasuryMove { from to amount { amount } reference recordedAt } userErrors { field code message } } }";

/// treasuryMove from the chain to Circle; the payload.
pub(super) async fn record(app: &TestApp, by: &Someone, usdc: &str, key: &str) -> Value {
    let input = json!({
        "from": "CHAIN", "to": "CIRCLE", "amount": { "amount": usdc }, "reference": " 0xabc ", "idempotencyKey": key,
    });
    app.mutate(&by.token, MOVE, input).await
}

/// The way back; the payload.
async fn back(app: &TestApp, by: &Someone, usdc: &str, arrived: Option<&Value>, key: &str) -> Value {
    let input = json!({
        "from": "CIRCLE", "to": "CHAIN", "amount": { "amount": usdc }, "reference": " 0xabc ",
        "unallocatedId": arrived, "idempotencyKey": key,
    });
    app.mutate(&by.token, MOVE, input).await
}

/// Money comes back from Circle; what the scanner takes it for.
async fn come_back(world: &World, micro: u64) -> Value {
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
    assert_eq!((&made["amount"]["amount"], &made["reference"]), (&json!("30.50"), &json!("0xabc")));
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
    assert_eq!(errors(&record(app, &world.deal.client, "1", &new_key()).await), [":FORBIDDEN"]);
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
