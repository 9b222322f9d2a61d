//! Books with a case of everything hold; and whatever somebody changes in them shows, by its name and its figure.

use std::sync::Arc;

use super::*;
use crate::fixture::{CHAIN, StillChain, StillCircle, app, app_with, post, rows, usdc, vandalise};

mod market;

/// An App whose books have a case of everything.
async fn kept() -> App {
    let app = app().await;
    market::open(&app).await;
    app
}

/// Every problem, behind the name of its check.
async fn problems(app: &App) -> Vec<String> {
    let told = |check: Check| {
        check
            .problems
            .into_iter()
            .map(move |problem| format!("{}: {problem}", check.name))
            .collect::<Vec<_>>()
    };
    books(app).await.unwrap().into_iter().flat_map(told).collect()
}

/// What vandalism shows, each of new books.
async fn shows(vandalism: &[&str], wanted: &[&str]) {
    let app = kept().await;
    vandalise(&app, vandalism).await;
    assert_eq!(problems(&app).await, wanted, "{vandalism:?}");
}

fn public<I: From<uuid::Uuid> + ToString>(number: u128) -> String {
    rows::id::<I>(number).to_string()
}

/// The SQL of an id.
fn sql(number: u128) -> String {
    format!("x'{number:032x}'")
}

fn mil(number: u128) -> String {
    public::<entities::MilestoneId>(number)
}

fn pay(number: u128) -> String {
    public::<entities::PaymentId>(number)
}

fn usr(number: u128) -> String {
    public::<entities::UserId>(number)
}

#[tokio::test]
async fn whole_books_hold_and_say_what_they_came_to() {
    let app = kept().await;
    let checks = books(&app).await.unwrap();
    assert_eq!(problems(&app).await, [""; 0]);
    let figures: Vec<_> = checks.iter().map(|check| (check.name, check.figure.as_str())).collect();
    let wanted = [
        ("transfers", "29"),
        ("all postings", "0.00 USDC"),
        ("escrow", "210.00 USDC"),
        ("payables", "405.00 USDC"),
        ("fees", "35.00 USDC"),
        ("costs", "1.00 USDC"),
        ("unallocated", "25.00 USDC"),
        ("payments", "19"),
        ("nonces", "next is 8"),
        ("signatures", "9"),
    ];
    assert_eq!(figures, wanted);
}

#[tokio::test]
async fn empty_books_hold() {
    let app = app().await;
    assert_eq!(problems(&app).await, [""; 0]);
    let figures: Vec<_> = books(&app).await.unwrap().into_iter().map(|check| check.figure).collect();
    let none = "0.00 USDC";
    assert_eq!(figures, ["0", none, none, none, none, none, none, "0", "none signed", "0"]);
}

#[test]
fn twenty_problems_are_told_one_by_one_and_the_others_counted() {
    let many = |count: usize| Check::new("transfers", "7", vec!["wrong".to_owned(); count]);
    for count in [0, 1, 20] {
        assert_eq!(many(count).problems, vec!["wrong".to_owned(); count]);
    }
    let check = many(22);
    assert_eq!((check.problems.len(), check.problems[20].as_str()), (21, "and 2 more"));
    assert_eq!(many(21).problems[20], "and 1 more");
    assert_eq!((check.name, check.figure.as_str()), ("transfers", "7"));
}

#[tokio::test]
async fn a_posting_that_was_changed_shows_in_its_transfer_its_account_and_the_sum() {
    let app = kept().await;
    let of = "(SELECT id FROM ledger_transfers WHERE kind = 'LOSS_RECORDED')";
    let change =
        format!("UPDATE ledger_postings SET amount = amount + 7 WHERE amount > 0 AND transfer_id = {of}");
    let id = entities::ledger_transfer::Entity::find()
        .filter(ledger_transfer::Column::Kind.eq(LedgerTransferKind::LossRecorded))
        .one(app.db.reader())
        .await
        .unwrap()
        .unwrap()
        .id;
    vandalise(&app, &["DROP TRIGGER ledger_postings_keep", &change]).await;
    let wanted = [
        format!("transfers: {id}: 2 postings, which sum to 0.000007 USDC"),
        "all postings: the postings do not sum to zero".to_owned(),
        "unallocated: UNALLOCATED: 25.00 USDC by the postings, 25.000007 USDC by the payments".to_owned(),
    ];
    assert_eq!(problems(&app).await, wanted);
}

#[tokio::test]
async fn a_transfer_without_postings_shows() {
    let bare = format!(
        "INSERT INTO ledger_transfers (id, kind, key, created_at) VALUES ({}, 'TREASURY_MOVED', 'bare', '2026-03-01 12:00:00 +00:00')",
        sql(9)
    );
    let wanted = format!("transfers: {}: no postings", public::<entities::LedgerTransferId>(9));
    shows(&["DROP TRIGGER ledger_transfer_sums_to_zero", &bare], &[&wanted]).await;
}

#[tokio::test]
async fn a_single_posting_shows() {
    let app = kept().await;
    let add = format!(
        "INSERT INTO ledger_postings (id, transfer_id, account_id, amount) \
         SELECT {0}, {0}, id, -3 FROM ledger_accounts WHERE key = 'FEES'",
        sql(9)
    );
    vandalise(&app, &[&add]).await;
    let id = public::<entities::LedgerTransferId>(9);
    let wanted = [
        format!("transfers: {id}: 1 postings, which sum to -0.000003 USDC"),
        "all postings: the postings do not sum to zero".to_owned(),
        "fees: FEES: 35.000003 USDC by the postings, 35.00 USDC by the payments".to_owned(),
    ];
    assert_eq!(problems(&app).await, wanted);
}

#[tokio::test]
async fn escrow_that_the_payments_do_not_explain_shows() {
    // A deposit that was never credited, of a milestone without an account, and one that is credited for nothing.
    let (never, nothing) = (
        format!("UPDATE payments SET milestone_id = {} WHERE id = {}", sql(99), sql(13)),
        format!("UPDATE payments SET milestone_id = NULL, contract_id = NULL WHERE id = {}", sql(13)),
    );
    let lost = format!("escrow: ESCROW:{}: 50.00 USDC by the postings, -50.00 USDC by the payments", mil(4));
    let new = format!("escrow: ESCROW:{}: 0.00 USDC by the postings, 100.00 USDC by the payments", mil(99));
    shows(&[&never], &[&lost, &new]).await;
    shows(&[&nothing], &["escrow: payments for nothing: 100.00 USDC", &lost]).await;
    // What neither changes escrow nor belongs to anything is none of its business.
    let returned = format!("UPDATE payments SET contract_id = NULL WHERE id = {}", sql(17));
    shows(&[&returned], &[]).await;
}

#[tokio::test]
async fn an_account_that_paid_more_than_it_had_shows_even_where_the_payments_agree() {
    let app = app().await;
    let kind = entities::PaymentKind::Release;
    let row = rows::store(&app, rows::payment(2, kind, entities::PaymentStatus::Queued, 1)).await;
    let (held, owed) = (Account::Escrow(rows::id(1)), Account::Payable(rows::freelancer()));
    let lines = [(held, usdc(100)), (owed, usdc(-100))];
    post(&app, LedgerTransferKind::PayoutQueued, Some(row.id), &lines).await;
    let wanted = format!("escrow: ESCROW:{}: 100.00 USDC more went out than came in", mil(1));
    assert_eq!(problems(&app).await, [wanted]);
}

#[tokio::test]
async fn what_people_are_owed_is_what_is_under_way_to_them() {
    let set = |number: u128, what: &str| format!("UPDATE payments SET {what} WHERE id = {}", sql(number));
    let told = |who: &str, owed: &str, should: &str| {
        format!("payables: PAYABLE:{who}: {owed} USDC by the postings, {should} USDC by the payments")
    };
    // What is held, failed to be given back, or tried again counts; the first try of the last does not.
    for (number, net, who, owed) in [
        (4, 50, usr(1), 150),
        (5, 40, usr(1), 150),
        (11, 60, usr(1), 150),
        (7, 90, usr(2), 225),
        (15, 45, usr(2), 225),
        (20, 90, usr(2), 225),
        (9, 30, "nobody".to_owned(), 30),
    ] {
        let app = kept().await;
        vandalise(&app, &[&set(number, "net = net + 1000000, amount = amount + 1000000")]).await;
        let wanted = told(&who, &format!("{owed}.00"), &format!("{}.00", owed + 1));
        let all = problems(&app).await;
        assert!(all.contains(&wanted), "{net} {all:?}");
    }
    shows(
        &[&set(10, "net = net + 1, amount = amount + 1")],
        &["unallocated: UNALLOCATED: 25.00 USDC by the postings, 24.999999 USDC by the payments"],
    )
    .await;
    let again = told(&usr(1), "150.00", "210.00");
    shows(
        &[&set(11, "retry_of = NULL")],
        &[&again, "unallocated: UNALLOCATED: 25.00 USDC by the postings, -35.00 USDC by the payments"],
    )
    .await;
}

#[tokio::test]
async fn fees_and_unallocated_money_that_the_payments_do_not_explain_show() {
    let fee = format!("UPDATE payments SET fee = 11000000, amount = 101000000 WHERE id = {}", sql(2));
    let escrow = format!("escrow: ESCROW:{}: 0.00 USDC by the postings, -1.00 USDC by the payments", mil(1));
    shows(&[&fee], &[&escrow, "fees: FEES: 35.00 USDC by the postings, 36.00 USDC by the payments"]).await;
    let unallocated = |should: &str| {
        format!("unallocated: UNALLOCATED: 25.00 USDC by the postings, {should} USDC by the payments")
    };
    for (change, should) in [
        // What came: credited and unallocated alone.
        (format!("UPDATE chain_transfers SET amount = 101000000 WHERE id = {}", sql(1)), "26.00"),
        (format!("UPDATE chain_transfers SET amount = 26000000 WHERE id = {}", sql(21)), "26.00"),
        (format!("UPDATE chain_transfers SET status = 'CREDITED' WHERE id = {}", sql(12)), "125.00"),
        (format!("UPDATE chain_transfers SET status = 'CREDITED' WHERE id = {}", sql(14)), "95.00"),
        // What was assigned, and to what.
        (format!("UPDATE unallocated_deposits SET status = 'OPEN' WHERE id = {}", sql(24)), "125.00"),
        (format!("UPDATE unallocated_deposits SET status = 'OPEN' WHERE id = {}", sql(25)), "65.00"),
        (format!("UPDATE unallocated_deposits SET amount = 41000000 WHERE id = {}", sql(25)), "24.00"),
        // A deposit that no transfer is known of is left out.
        (format!("UPDATE chain_transfers SET payment_id = NULL WHERE id = {}", sql(3)), "125.00"),
    ] {
        shows(&[&change], &[&unallocated(should)]).await;
    }
}

#[tokio::test]
async fn what_circle_took_that_its_payouts_do_not_explain_shows() {
    let fee = format!("UPDATE circle_payouts SET fee = fee + 1 WHERE payment_id = {}", sql(2));
    shows(&[&fee], &["costs: COSTS: 1.00 USDC by the postings, 1.000001 USDC by the payouts"]).await;
    // What is not complete has cost nothing yet, whatever its row says.
    let early = format!("UPDATE circle_payouts SET payment_id = {} WHERE payment_id = {}", sql(15), sql(2));
    shows(&[&early], &["costs: COSTS: 1.00 USDC by the postings, 0.00 USDC by the payouts"]).await;
}

#[tokio::test]
async fn a_payment_in_another_state_than_its_postings_say_shows() {
    let app = kept().await;
    let set = format!("UPDATE payments SET status = 'COMPLETED' WHERE id = {}", sql(7));
    vandalise(&app, &[&set]).await;
    let owed =
        format!("payables: PAYABLE:{}: 225.00 USDC by the postings, 135.00 USDC by the payments", usr(2));
    let state = format!("payments: {}: BONUS COMPLETED: completed 0 times in the ledger, not 1", pay(7));
    assert_eq!(problems(&app).await, [owed, state]);
}

#[tokio::test]
async fn the_books_are_held_against_the_chain() {
    let against = async |treasury: i64, ready: bool, still: StillChain| {
        let app = app_with(StillChain { treasury: usdc(treasury), ..still }, |_| ()).await;
        let lines = [(Account::Treasury(entities::PaymentRail::Chain), usdc(30)), (Account::Loss, usdc(-30))];
        post(&app, LedgerTransferKind::TreasuryMoved, None, &lines).await;
        if ready {
            let cursor = entities::chain_cursor::Model {
                chain_id: CHAIN,
                scanned_block: 90,
                block_hash: StillChain::at(90).hash.to_string(),
                first_block: 0,
                trouble: None,
                trouble_since: None,
                trouble_told_at: None,
                look: 0,
                due_at: None,
                updated_at: crate::fixture::noon(),
            };
            rows::store(&app, cursor).await;
        }
        chain(&app).await.unwrap()
    };
    let up = || StillChain { head: Some(100), finalized: Some(95), ..StillChain::default() };
    let is = |check: Check, figure: &str, problems: &[&str]| {
        assert_eq!((check.name, check.figure.as_str()), ("treasury on the chain", figure));
        assert_eq!(check.problems, problems);
    };
    is(against(30, true, up()).await, "30.00 USDC at block 90", &[]);
    let less = "by the books 30.00 USDC at block 90: a difference of -1.00 USDC";
    is(against(29, true, up()).await, "29.00 USDC at block 90", &[less]);
    let not = |why: &str| format!("it could not be compared: {why}");
    is(against(30, false, up()).await, "unknown", &[&not("the scanner has not started yet")]);
    let down = StillChain { down: true, ..up() };
    is(against(30, true, down).await, "unknown", &[&not("chain: nobody answers")]);
}

#[tokio::test]
async fn the_books_are_held_against_circle() {
    let against = async |balance: Option<i64>| {
        let circle = StillCircle { balance: balance.map(usdc), ..StillCircle::default() };
        let app = App { circle: Some(Arc::new(circle)), ..app().await };
        let lines =
            [(Account::Treasury(entities::PaymentRail::Circle), usdc(30)), (Account::Loss, usdc(-30))];
        post(&app, LedgerTransferKind::TreasuryMoved, None, &lines).await;
        at_circle(&app).await.unwrap().unwrap()
    };
    for (balance, figure, problem) in [
        (Some(30), "30.00 USDC", None),
        (Some(29), "29.00 USDC", Some("by the books 30.00 USDC: a difference of -1.00 USDC")),
        (Some(31), "31.00 USDC", Some("by the books 30.00 USDC: a difference of 1.00 USDC")),
        (None, "unknown", Some("it could not be compared: circle: down")),
    ] {
        let check = against(balance).await;
        assert_eq!((check.name, check.figure.as_str()), ("balance at Circle", figure));
        assert_eq!(check.problems, problem.into_iter().collect::<Vec<_>>());
    }
    assert!(at_circle(&app().await).await.unwrap().is_none(), "there is none");
}

#[tokio::test]
async fn a_database_that_fails_is_an_error_and_no_verdict() {
    let chain_up = StillChain { head: Some(100), finalized: Some(95), ..StillChain::default() };
    let app = app_with(chain_up, |_| ()).await;
    vandalise(&app, &["DROP TABLE chain_cursors", "DROP TABLE chain_transactions"]).await;
    assert_eq!(chain(&app).await.unwrap_err().code(), "INTERNAL");
    assert!(books(&app).await.is_err());
}
