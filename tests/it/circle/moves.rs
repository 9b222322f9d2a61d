//! `treasuryMove`: what an administrator moved between the rails, in the books.

use domain::{entities::PaymentRail, ledger::Account, money::Usdc};
use serde_json::{Value, json};

use super::World;
use crate::support::{Someone, TestApp, errors, new_key, ok};

const MOVE: &str = "mutation($input: TreasuryMoveInput!) { treasuryMove(input: $input) {
    treasuryMove { from to amount { amount } reference recordedAt } userErrors { field code message } } }";

/// treasuryMove; the payload.
pub(super) async fn record(
    app: &TestApp,
    by: &Someone,
    from: &str,
    to: &str,
    usdc: &str,
    key: &str,
) -> Value {
    let input = json!({
        "from": from, "to": to, "amount": { "amount": usdc }, "reference": " 0xabc ", "idempotencyKey": key,
    });
    app.mutate(&by.token, MOVE, input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_two_lines_of_the_books_and_no_more() {
    let world = World::new(&[100]).await;
    let (app, admin) = (&world.app, &world.admin);
    let (chain, circle) = (Account::Treasury(PaymentRail::Chain), Account::Treasury(PaymentRail::Circle));
    assert_eq!((world.balance(chain).await, world.balance(circle).await), (Usdc::ZERO, Usdc(100_000_000)));

    let key = new_key();
    let back = record(app, admin, "CIRCLE", "CHAIN", "30.5", &key).await;
    let made = ok(back)["treasuryMove"].clone();
    assert_eq!((&made["from"], &made["to"]), (&json!("CIRCLE"), &json!("CHAIN")));
    assert_eq!((&made["amount"]["amount"], &made["reference"]), (&json!("30.50"), &json!("0xabc")));
    app.advance(chrono::Duration::hours(1));
    let again = ok(record(app, admin, "CIRCLE", "CHAIN", "30.50", &key).await);
    assert_eq!(again["treasuryMove"], made, "the same key, the same answer");
    assert_eq!(world.balance(circle).await, Usdc(69_500_000));
    let other = record(app, admin, "CIRCLE", "CHAIN", "31", &key).await;
    assert_eq!(errors(&other), ["idempotencyKey:CONFLICT"]);

    for (by, from, to, usdc, wrong) in [
        (admin, "CIRCLE", "CHAIN", "69.500001", "amount:OUT_OF_RANGE"),
        (admin, "CIRCLE", "CHAIN", "0", "amount:OUT_OF_RANGE"),
        (admin, "CIRCLE", "CHAIN", "0.0000001", "amount.amount:INVALID"),
        (admin, "CIRCLE", "CIRCLE", "1", "to:INVALID"),
        (&world.deal.client, "CIRCLE", "CHAIN", "1", ":FORBIDDEN"),
    ] {
        assert_eq!(errors(&record(app, by, from, to, usdc, &new_key()).await), [wrong], "{usdc}");
    }
    let rows = "{ auditLog(first: 5, filter: { action: \"treasury.move\" }) { nodes { actor { id } } } }";
    let rows = app.gql(&admin.token, rows, json!({})).await;
    let rows = rows["data"]["auditLog"]["nodes"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 2, "this one, and the world's own: {rows:?}");
    assert!(rows.iter().all(|row| row["actor"]["id"] == json!(admin.id)));

    // And so it was done outside.
    world.circle().fund(-30_500_000).unwrap();
    ok(record(app, admin, "CHAIN", "CIRCLE", "30.5", &new_key()).await);
    world.circle().fund(30_500_000).unwrap();
    world.app.finish().await;
}
