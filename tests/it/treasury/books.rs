//! `megilance ledger verify`: whatever is tampered with is found, by the check that is there for it.

use domain::ledger::verify;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::{Deal, TestApp, new_key, ok};

/// The guards of the ledger that a thief with access to the database would take off first.
const SQLITE_GUARDS: [&str; 4] = [
    "DROP TRIGGER ledger_transfer_is_sealed",
    "DROP TRIGGER ledger_postings_keep",
    "DROP TRIGGER ledger_postings_stay",
    "DROP TRIGGER ledger_transfers_stay",
];
const POSTGRES_GUARDS: [&str; 3] = [
    "DROP TRIGGER ledger_transfer_is_sealed ON ledger_postings",
    "DROP TRIGGER ledger_postings_keep ON ledger_postings",
    "DROP TRIGGER ledger_transfers_keep ON ledger_transfers",
];

async fn run(app: &TestApp, sql: &str) {
    let done =
        app.app.db.writer().execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(sql.starts_with("DROP") || done.rows_affected() > 0, "{sql} changed nothing");
}

async fn take_off_the_guards(app: &TestApp) {
    let guards: &[&str] = match app.app.db.backend() {
        DbBackend::Postgres => &POSTGRES_GUARDS,
        _ => &SQLITE_GUARDS,
    };
    for guard in guards {
        run(app, guard).await;
    }
}

/// The names of the checks that find something.
async fn found(app: &TestApp) -> Vec<&'static str> {
    let checks = verify::books(&app.app).await.unwrap();
    checks.into_iter().filter(|check| !check.problems.is_empty()).map(|check| check.name).collect()
}

/// One number of the database.
async fn number(app: &TestApp, sql: &str) -> i64 {
    let row = app.app.db.reader().query_one_raw(Statement::from_string(app.app.db.backend(), sql));
    row.await.unwrap().expect("a row").try_get_by_index(0).unwrap()
}

/// A paid milestone, and another one that is funded.
async fn busy(app: &TestApp) -> Deal {
    let deal = app.deal(&[100, 50]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    app.funded(&deal, &deal.milestones[1]).await;
    deal
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_told_and_none_is_wrong() {
    let app = TestApp::start().await;
    busy(&app).await;
    let checks = verify::books(&app.app).await.unwrap();
    let figure = |name: &str| checks.iter().find(|check| check.name == name).expect("a check").figure.clone();
    assert_eq!(figure("escrow"), "50.00 USDC");
    assert_eq!(figure("fees"), "10.00 USDC");
    assert_eq!(figure("payables"), "0.00 USDC");
    assert_eq!(figure("unallocated"), "0.00 USDC");
    assert_eq!(figure("all postings"), "0.00 USDC");
    // Two deposits credited, one payout queued and completed.
    assert_eq!(figure("transfers"), "4");
    assert_eq!(figure("payments"), "3");
    assert_eq!(figure("signatures"), "1");
    assert_eq!(found(&app).await, [""; 0]);
    let chain = verify::chain(&app.app).await.unwrap();
    assert!(chain.problems.is_empty() && chain.figure.starts_with("60.00 USDC at block"), "{chain:?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_books_are_found() {
    let app = TestApp::start().await;
    busy(&app).await;
    take_off_the_guards(&app).await;
    let fees = "(SELECT id FROM ledger_accounts WHERE key = 'FEES')";

    // One side of a transfer.
    run(&app, &format!("UPDATE ledger_postings SET amount = amount - 1 WHERE account_id = {fees}")).await;
    assert_eq!(found(&app).await, ["transfers", "all postings", "fees"]);
    run(&app, &format!("UPDATE ledger_postings SET amount = amount + 1 WHERE account_id = {fees}")).await;
    assert_eq!(found(&app).await, [""; 0]);

    // Both sides, so that everything still sums to zero: from escrow to somebody's account.
    let both = |by: i64| {
        format!(
            "UPDATE ledger_postings SET amount = amount + CASE WHEN amount < 0 THEN {} ELSE {by} END
             WHERE transfer_id = (SELECT transfer_id FROM ledger_postings ORDER BY id DESC LIMIT 1)",
            -by
        )
    };
    run(&app, &both(1_000)).await;
    assert_eq!(found(&app).await, ["escrow"]);
    run(&app, &both(-1_000)).await;
    assert_eq!(found(&app).await, [""; 0]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_the_ledger_does_not_know_are_found() {
    let app = TestApp::start().await;
    let deal = busy(&app).await;
    ok(app.refund(&deal, &deal.milestones[1], Some("20"), &new_key()).await);
    assert_eq!(found(&app).await, [""; 0], "queued: owed to the client");

    // Paid, says the row, and nothing was.
    run(&app, "UPDATE payments SET status = 'COMPLETED' WHERE kind = 'REFUND'").await;
    assert_eq!(found(&app).await, ["payables", "payments"]);
    run(&app, "UPDATE payments SET status = 'FAILED' WHERE kind = 'REFUND'").await;
    assert_eq!(found(&app).await, ["escrow", "payables", "payments"]);
    // On its way, says the row, and nobody signed it.
    run(&app, "UPDATE payments SET status = 'SUBMITTED' WHERE kind = 'REFUND'").await;
    assert_eq!(found(&app).await, ["signatures"]);
    run(&app, "UPDATE payments SET status = 'QUEUED' WHERE kind = 'REFUND'").await;

    // A deposit that nobody made.
    let sum =
        "UPDATE payments SET amount = amount + 1, net = net + 1 WHERE kind = 'DEPOSIT' AND milestone_id =
        (SELECT milestone_id FROM payments WHERE kind = 'REFUND')";
    run(&app, sum).await;
    assert_eq!(found(&app).await, ["escrow", "unallocated"]);
    run(&app, &sum.replace("+ 1", "- 1")).await;
    app.settle().await;
    assert_eq!(found(&app).await, [""; 0]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_left_out_or_given_twice_is_found() {
    let app = TestApp::start().await;
    let deal = busy(&app).await;
    app.submit(&deal, &deal.milestones[1]).await;
    ok(app.approve(&deal, &deal.milestones[1], &new_key()).await);
    app.settle().await;
    assert_eq!(number(&app, "SELECT COUNT(*) FROM chain_transactions").await, 2);

    run(&app, "UPDATE chain_nonces SET next_nonce = next_nonce + 1").await;
    assert_eq!(found(&app).await, ["nonces"], "the counter went on by itself");
    run(&app, "UPDATE chain_transactions SET nonce = nonce + 1 WHERE nonce = 1").await;
    assert_eq!(found(&app).await, ["nonces"], "the chain waits for the one left out");
    run(&app, "UPDATE chain_transactions SET nonce = nonce - 1 WHERE nonce = 2").await;
    run(&app, "UPDATE chain_nonces SET next_nonce = next_nonce - 1").await;
    assert_eq!(found(&app).await, [""; 0]);
    app.finish().await;
}
