//! The checker of invariants sees what is wrong: otherwise its silence after each test would say nothing.

use sea_orm::ConnectionTrait;

use crate::support::{TestApp, invariants};

/// What is done to the rows, how it is undone, and what the checker says about it.
const BREAKS: [(&str, &str, &str); 9] = [
    (
        "UPDATE payments SET status = 'FAILED' WHERE kind = 'RELEASE'",
        "UPDATE payments SET status = 'COMPLETED' WHERE kind = 'RELEASE'",
        "and was paid by",
    ),
    (
        "UPDATE payments SET status = 'QUEUED' WHERE kind = 'DEPOSIT'",
        "UPDATE payments SET status = 'COMPLETED' WHERE kind = 'DEPOSIT'",
        "a DEPOSIT cannot be QUEUED",
    ),
    (
        "UPDATE payments SET due_at = created_at WHERE kind = 'RELEASE'",
        "UPDATE payments SET due_at = NULL WHERE kind = 'RELEASE'",
        "is COMPLETED and wants to be looked at",
    ),
    (
        "UPDATE payments SET amount = amount + 1, net = net + 1 WHERE kind = 'RELEASE'",
        "UPDATE payments SET amount = amount - 1, net = net - 1 WHERE kind = 'RELEASE'",
        "micro-USDC instead of",
    ),
    (
        "UPDATE payments SET destination = '0x00000000000000000000000000000000000057a6' WHERE kind = 'RELEASE'",
        "UPDATE payments SET destination = (SELECT to_address FROM chain_transactions WHERE payment_id = payments.id)
         WHERE kind = 'RELEASE'",
        "is to pay",
    ),
    (
        "UPDATE chain_transactions SET hash = hash || 'x'",
        "UPDATE chain_transactions SET hash = substr(hash, 1, length(hash) - 1)",
        "that nobody signed",
    ),
    (
        "UPDATE chain_nonces SET next_nonce = next_nonce + 1",
        "UPDATE chain_nonces SET next_nonce = next_nonce - 1",
        "the next nonce is",
    ),
    (
        "UPDATE chain_transfers SET amount = amount + 1",
        "UPDATE chain_transfers SET amount = amount - 1",
        "the chain has no such transfer",
    ),
    (
        "UPDATE ledger_accounts SET key = 'COSTS' WHERE key = 'FEES'",
        "UPDATE ledger_accounts SET key = 'FEES' WHERE key = 'COSTS'",
        "belongs to no payout",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_on_purpose_is_seen() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    let violations = async || invariants::violations(&app.app, &app.evm.rpc_url(), true).await;
    assert_eq!(violations().await, Vec::<String>::new());
    for (broken, mended, words) in BREAKS {
        let db = app.app.db.writer();
        db.execute_unprepared(broken).await.unwrap();
        let seen = violations().await;
        assert!(seen.iter().any(|line| line.contains(words)), "{broken}: {seen:#?}");
        db.execute_unprepared(mended).await.unwrap();
        assert_eq!(violations().await, Vec::<String>::new(), "{mended}");
    }
    app.finish().await;
}
