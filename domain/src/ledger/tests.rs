use sea_orm::PaginatorTrait;

use super::*;
use crate::{
    fixture::{self, app, noon, rows::id, usdc},
    page::PageRequest,
};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

fn escrow_of(milestone: u128) -> Account {
    Account::Escrow(id(milestone))
}

/// How many transfers, postings and accounts there are.
async fn written(app: &App) -> (u64, u64, u64) {
    let db = app.db.reader();
    (
        ledger_transfer::Entity::find().count(db).await.unwrap(),
        ledger_posting::Entity::find().count(db).await.unwrap(),
        ledger_account::Entity::find().count(db).await.unwrap(),
    )
}

#[test]
fn each_account_has_a_key_and_a_row_of_its_own() {
    use LedgerAccountKind::*;
    let zeros = "0".repeat(31);
    let accounts = [
        (TREASURY, Treasury, "TREASURY:CHAIN".to_owned()),
        (Account::Treasury(PaymentRail::Circle), Treasury, "TREASURY:CIRCLE".to_owned()),
        (escrow_of(1), Escrow, format!("ESCROW:mil_{zeros}1")),
        (Account::Bonus(id(2)), Escrow, format!("ESCROW:ctr_{zeros}2")),
        (Account::Payable(id(3)), Payable, format!("PAYABLE:usr_{zeros}3")),
        (Account::Strangers, Payable, "PAYABLE:nobody".to_owned()),
        (Account::Fees, Fees, "FEES".to_owned()),
        (Account::Costs, Costs, "COSTS".to_owned()),
        (Account::Unallocated, Unallocated, "UNALLOCATED".to_owned()),
        (Account::Loss, Loss, "LOSS".to_owned()),
    ];
    for (account, kind, key) in accounts {
        let wanted = ledger_account::Model {
            id: id(7),
            kind,
            key,
            user_id: matches!(account, Account::Payable(_)).then(|| id(3)),
            milestone_id: matches!(account, Account::Escrow(_)).then(|| id(1)),
            contract_id: matches!(account, Account::Bonus(_)).then(|| id(2)),
            created_at: noon(),
        };
        assert_eq!(account.key(), wanted.key);
        assert_eq!(account.row(id(7), noon()), wanted);
    }
}

#[tokio::test]
async fn a_transfer_is_posted_once_whatever_comes_under_its_key_later() {
    let app = app().await;
    let payment: PaymentId = id(5);
    let lines = [(TREASURY, usdc(12)), (Account::Loss, Usdc::ZERO), (escrow_of(1), usdc(-12))];
    let again = [(TREASURY, usdc(99)), (escrow_of(2), usdc(-99))];
    for (first, lines) in [(true, &lines[..]), (false, &lines), (false, &again)] {
        let tx = app.db.begin().await.unwrap();
        let kind = LedgerTransferKind::DepositCredited;
        assert_eq!(post(&app, &tx, kind, "once", Some(payment), lines).await.unwrap(), first);
        tx.commit().await.unwrap();
        // The line of zero is no posting, and its account is not even opened.
        assert_eq!(written(&app).await, (1, 2, 2));
    }
    let db = app.db.reader();
    let transfer = ledger_transfer::Entity::find().one(db).await.unwrap().unwrap();
    let wanted = ledger_transfer::Model {
        id: transfer.id,
        kind: LedgerTransferKind::DepositCredited,
        key: "once".to_owned(),
        payment_id: Some(payment),
        created_at: noon(),
    };
    assert_eq!(transfer, wanted);
    let postings = ledger_posting::Entity::find().all(db).await.unwrap();
    assert!(postings.iter().all(|row| row.transfer_id == transfer.id));
    assert_eq!(balance(db, TREASURY).await.unwrap(), usdc(12));
    assert_eq!(balance(db, escrow_of(1)).await.unwrap(), usdc(-12));
}

#[tokio::test]
async fn lines_that_do_not_sum_to_zero_are_a_bug_and_nothing_is_posted() {
    let app = app().await;
    let uneven = [(TREASURY, usdc(12)), (escrow_of(1), Usdc(-12_000_001))];
    let endless = [(TREASURY, Usdc(i64::MAX)), (escrow_of(1), Usdc(1))];
    for (lines, wanted) in
        [(uneven, "bug: ledger transfer wrong does not sum to zero"), (endless, "The amount is")]
    {
        let tx = app.db.begin().await.unwrap();
        let error = post(&app, &tx, LedgerTransferKind::DepositCredited, "wrong", None, &lines).await;
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
        tx.commit().await.unwrap();
    }
    assert_eq!(written(&app).await, (0, 0, 0));
}

#[tokio::test]
async fn nothing_is_written_of_nothing() {
    let app = app().await;
    let tx = app.db.begin().await.unwrap();
    for lines in [&[][..], &[(TREASURY, Usdc::ZERO), (escrow_of(1), Usdc::ZERO)]] {
        assert!(!post(&app, &tx, LedgerTransferKind::DepositReturned, "nothing", None, lines).await.unwrap());
    }
    tx.commit().await.unwrap();
    assert_eq!(written(&app).await, (0, 0, 0));
}

#[tokio::test]
async fn a_transfer_is_reversed_line_by_line_once() {
    let app = app().await;
    let payment: PaymentId = id(5);
    let lines = [(TREASURY, usdc(12)), (escrow_of(1), usdc(-9)), (Account::Unallocated, usdc(-3))];
    let tx = app.db.begin().await.unwrap();
    let kind = LedgerTransferKind::DepositCredited;
    assert!(post(&app, &tx, kind, "credited", Some(payment), &lines).await.unwrap());
    for first in [true, false] {
        let kind = LedgerTransferKind::DepositReversed;
        assert_eq!(reverse(&app, &tx, kind, "credited", "reversed").await.unwrap(), first);
        for (account, _) in lines {
            assert_eq!(locked_balance(&app, &tx, account).await.unwrap(), Usdc::ZERO, "{account:?}");
        }
    }
    tx.commit().await.unwrap();
    assert_eq!(written(&app).await, (2, 6, 3));
    let reversed = ledger_transfer::Entity::find().filter(ledger_transfer::Column::Key.eq("reversed"));
    let reversed = reversed.one(app.db.reader()).await.unwrap().unwrap();
    assert_eq!((reversed.kind, reversed.payment_id), (LedgerTransferKind::DepositReversed, Some(payment)));

    let tx = app.db.begin().await.unwrap();
    let error = reverse(&app, &tx, LedgerTransferKind::DepositReversed, "never posted", "again").await;
    assert!(error.unwrap_err().to_string().contains("no ledger transfer never posted"));
}

#[tokio::test]
async fn a_locked_balance_is_the_balance() {
    let app = app().await;
    let lines = [(TREASURY, usdc(30)), (escrow_of(1), usdc(-30))];
    fixture::post(&app, LedgerTransferKind::DepositCredited, None, &lines).await;
    let tx = app.db.begin().await.unwrap();
    assert_eq!(locked_balance(&app, &tx, TREASURY).await.unwrap(), usdc(30));
    assert_eq!(locked_balance(&app, &tx, Account::Fees).await.unwrap(), Usdc::ZERO);
}

#[tokio::test]
async fn an_account_is_opened_once() {
    let app = app().await;
    let tx = app.db.begin().await.unwrap();
    let first = open(&app, &tx, Account::Fees).await.unwrap();
    assert_eq!(open(&app, &tx, Account::Fees).await.unwrap(), first);
    assert_ne!(open(&app, &tx, Account::Loss).await.unwrap(), first);
    tx.commit().await.unwrap();
    assert_eq!(written(&app).await, (0, 0, 2));
}

#[tokio::test]
async fn balances_are_sums_and_escrow_is_what_is_owed() {
    let app = app().await;
    let kind = LedgerTransferKind::DepositCredited;
    fixture::post(
        &app,
        kind,
        None,
        &[(TREASURY, usdc(30)), (escrow_of(1), usdc(-20)), (escrow_of(2), usdc(-10))],
    )
    .await;
    let parts = [(escrow_of(1), usdc(5)), (Account::Fees, usdc(-1)), (Account::Payable(id(3)), usdc(-4))];
    fixture::post(&app, LedgerTransferKind::PayoutQueued, None, &parts).await;
    let db = app.db.reader();
    for (account, wanted) in [
        (TREASURY, 30),
        (escrow_of(1), -15),
        (escrow_of(2), -10),
        (Account::Fees, -1),
        (Account::Payable(id(3)), -4),
        (Account::Treasury(PaymentRail::Circle), 0),
        (Account::Loss, 0),
    ] {
        assert_eq!(balance(db, account).await.unwrap(), usdc(wanted), "{account:?}");
    }
    let mut held = escrow(db, [id(1), id(2), id(9)]).await.unwrap();
    held.sort_unstable();
    assert_eq!(held, [(id(1), usdc(15)), (id(2), usdc(10))]);
    assert_eq!(escrow(db, [id(9)]).await.unwrap(), []);
}

#[tokio::test]
async fn all_postings_sum_to_zero_unless_somebody_was_there() {
    let app = app().await;
    let db = app.db.reader();
    assert_eq!(grand_total(db).await.unwrap(), Usdc::ZERO);
    let lines = [(TREASURY, usdc(30)), (escrow_of(1), usdc(-30))];
    fixture::post(&app, LedgerTransferKind::DepositCredited, None, &lines).await;
    assert_eq!(grand_total(db).await.unwrap(), Usdc::ZERO);
    let change = "UPDATE ledger_postings SET amount = amount + 7 WHERE amount > 0";
    fixture::vandalise(&app, &["DROP TRIGGER ledger_postings_keep", change]).await;
    assert_eq!(grand_total(db).await.unwrap(), Usdc(7));
}

#[tokio::test]
async fn a_person_sees_the_postings_on_their_account_the_newest_first() {
    let app = app().await;
    let (one, other) = (id::<UserId>(3), id::<UserId>(4));
    for (amount, person) in [(1, one), (2, other), (3, one)] {
        let lines = [(TREASURY, usdc(amount)), (Account::Payable(person), usdc(-amount))];
        fixture::post(&app, LedgerTransferKind::DepositReturned, None, &lines).await;
    }
    let request = PageRequest { first: Some(10), ..PageRequest::default() };
    let pages = statements().pages(app.db.reader(), &[one.0, other.0], &request).await.unwrap();
    let amounts =
        |person: UserId| -> Vec<Usdc> { pages[&person.0].rows.iter().map(|(_, row)| row.amount).collect() };
    assert_eq!(amounts(one), [usdc(-3), usdc(-1)]);
    assert_eq!(amounts(other), [usdc(-2)]);
}
