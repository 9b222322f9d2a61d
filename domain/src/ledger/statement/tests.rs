use entities::PaymentRail;

use super::*;
use crate::{
    App,
    fixture::{self, app, noon, rows::day, rows::id, usdc},
    ledger::Account,
    page::PageRequest,
};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

fn period(from: DateTime<Utc>, to: DateTime<Utc>) -> Period {
    Period::new(from, to).unwrap()
}

/// Credits a person so much, or pays it to them where it is less than nothing, at the App's time.
async fn credit(app: &App, user: u128, whole: i64, payment: Option<PaymentId>) {
    let kind = if whole > 0 { LedgerTransferKind::PayoutQueued } else { LedgerTransferKind::PayoutCompleted };
    let lines = [(TREASURY, usdc(whole)), (Account::Payable(id(user)), usdc(-whole))];
    fixture::post(app, kind, payment, &lines).await;
}

#[test]
fn a_period_is_a_moment_at_least_and_366_days_at_the_most() {
    let micro = Duration::microseconds(1);
    let told = |from, to| Period::new(from, to).map(|_| ()).map_err(|error| error.to_string());
    let after = Err("Give an end after the beginning.".to_owned());
    let short = Err("Give a period of 366 days at the most.".to_owned());
    assert_eq!(told(noon(), noon() + micro), Ok(()));
    assert_eq!(told(noon(), noon()), after);
    assert_eq!(told(noon(), noon() - micro), after);
    assert_eq!(told(noon(), day(366)), Ok(()));
    assert_eq!(told(noon(), day(366) + micro), short);
    let made = period(noon(), day(3));
    assert_eq!((made.from(), made.to()), (noon(), day(3)));
}

#[test]
fn what_is_owed_at_the_end_is_what_was_owed_with_the_credits_and_without_the_debits() {
    let sums = Sums { opening: usdc(5), credits: usdc(30), debits: usdc(11) };
    assert_eq!(sums.closing().unwrap(), usdc(24));
    assert!(Sums { opening: Usdc(i64::MAX), credits: Usdc(1), debits: Usdc(0) }.closing().is_err());
}

/// Before, at the first moment, within, at the last moment before the end, at the end, and after it.
async fn six_days() -> App {
    let app = app().await;
    for (user, whole) in [(1, 100), (1, -30), (1, 20), (1, -45), (1, 7), (1, 3)] {
        credit(&app, user, whole, Some(id(50))).await;
        credit(&app, 2, 1, None).await;
        app.clock.advance(Duration::days(1));
    }
    app
}

#[tokio::test]
async fn a_period_has_its_first_moment_and_not_its_last() {
    let app = six_days().await;
    let db = app.db.reader();
    let (one, two, three) = (id::<UserId>(1), id::<UserId>(2), id::<UserId>(3));
    let found = sums(db, &[one, two, three], period(day(1), day(4))).await.unwrap();
    assert_eq!(found.get(&one), Some(&Sums { opening: usdc(100), credits: usdc(20), debits: usdc(75) }));
    assert_eq!(found.get(&two), Some(&Sums { opening: usdc(1), credits: usdc(3), debits: usdc(0) }));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(sums(db, &[], period(day(1), day(4))).await.unwrap().is_empty());
}

#[tokio::test]
async fn lines_carry_the_balance_from_one_to_the_next() {
    let app = six_days().await;
    let lines = lines(app.db.reader(), id(1), period(day(1), day(4))).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.at, line.kind, line.amount, line.balance)).collect();
    use LedgerTransferKind::{PayoutCompleted, PayoutQueued};
    let wanted = [
        (day(1), PayoutCompleted, usdc(-30), usdc(70)),
        (day(2), PayoutQueued, usdc(20), usdc(90)),
        (day(3), PayoutCompleted, usdc(-45), usdc(45)),
    ];
    assert_eq!(told, wanted);
    assert!(lines.iter().all(|line| line.payment == Some(id(50))));
    assert!(lines.windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[tokio::test]
async fn entries_of_a_period_come_in_pages_the_oldest_first() {
    let app = six_days().await;
    let request = PageRequest { first: Some(2), ..PageRequest::default() };
    let one = id::<UserId>(1).0;
    let pages = of_users(period(day(1), day(4))).pages(app.db.reader(), &[one], &request).await.unwrap();
    let amounts: Vec<_> = pages[&one].rows.iter().map(|(_, row)| row.amount).collect();
    assert_eq!(amounts, [usdc(30), usdc(-20)]);
    assert!(pages[&one].has_next);
}

/// As many entries of one transfer as a file may have, and then one more.
#[tokio::test]
async fn a_file_has_ten_thousand_lines_at_the_most() {
    let app = app().await;
    credit(&app, 1, 1, None).await;
    let more = |count: u64| {
        format!(
            "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {count}) \
             INSERT INTO ledger_postings (id, transfer_id, account_id, amount) \
             SELECT randomblob(16), p.transfer_id, p.account_id, -2 FROM more, \
             (SELECT * FROM ledger_postings WHERE amount < 0 LIMIT 1) p"
        )
    };
    let asked = async || lines(app.db.reader(), id(1), period(noon(), day(1))).await;
    fixture::vandalise(&app, &["DROP TRIGGER ledger_transfer_is_sealed", &more(MOST_LINES - 1)]).await;
    let full = asked().await.unwrap();
    assert_eq!(full.len() as u64, MOST_LINES);
    assert_eq!(full.last().unwrap().balance, Usdc(1_000_000 + 2 * 9_999));
    fixture::vandalise(&app, &[&more(1)]).await;
    let error = asked().await.unwrap_err();
    assert_eq!(error.code(), "LIMIT_REACHED");
    assert_eq!(error.to_string(), "The period has more than 10000 entries: choose a shorter one.");
}
