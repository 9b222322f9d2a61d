use chrono::Duration;
use entities::{EventKind, PaymentStatus, event, wallet};

use super::*;
use crate::{
    fixture::{
        StillChain, app, noon, queued,
        rows::{self, client, freelancer, id, store},
        usdc,
    },
    ports::chain::Address,
};

/// The client's wallet, and somebody else's.
const WALLET: Address = Address([7; 20]);
const OTHERS: Address = Address([9; 20]);

/// What one transaction sent to the treasury.
fn sent(transaction: u8, log_index: u64, from: Address, amount: Option<Usdc>) -> Transfer {
    Transfer {
        transaction_hash: TxHash([transaction; 32]),
        log_index,
        from,
        to: Address([0x11; 20]),
        amount,
        block_number: 50,
        block_hash: StillChain::at(50).hash,
    }
}

async fn linked(app: &App, number: u128, user: UserId, address: Address, verified_at: DateTime<Utc>) {
    let row = wallet::Model {
        id: id(number),
        user_id: user,
        address: address.to_string(),
        chain_id: 1,
        is_payout: true,
        payouts_from: noon(),
        verified_at,
    };
    store(app, row).await;
}

/// With the client's wallet.
async fn world() -> App {
    let app = app().await;
    linked(&app, 1, client(), WALLET, noon()).await;
    app
}

/// A deposit of so much that waits, until a day after noon.
fn open(number: u128, whole: i64) -> payment::Model {
    let amount = usdc(whole);
    payment::Model {
        amount,
        net: amount,
        expires_at: Some(noon() + Duration::days(1)),
        ..rows::payment(number, PaymentKind::Deposit, PaymentStatus::AwaitingFunds, 1)
    }
}

/// Records what was sent in one transaction; then what is known of it, in the order of the logs.
async fn recorded(app: &App, transfers: &[Transfer]) -> Vec<chain_transfer::Model> {
    recorded_at(app, transfers, noon()).await
}

async fn recorded_at(app: &App, transfers: &[Transfer], time: DateTime<Utc>) -> Vec<chain_transfer::Model> {
    let tx = app.db.begin().await.unwrap();
    record(app, &tx, transfers, time).await.unwrap();
    tx.commit().await.unwrap();
    let hash = transfers[0].transaction_hash.to_string();
    chain_transfer::Entity::find()
        .filter(chain_transfer::Column::TransactionHash.eq(hash))
        .order_by_asc(chain_transfer::Column::LogIndex)
        .all(app.db.reader())
        .await
        .unwrap()
}

/// Which payment a sum of the client's pays.
async fn pays(app: &App, transaction: u8, whole: i64) -> Option<entities::PaymentId> {
    recorded(app, &[sent(transaction, 0, WALLET, Some(usdc(whole)))]).await[0].payment_id
}

#[tokio::test]
async fn what_is_nothing_or_more_than_all_there_is_is_no_deposit() {
    let app = world().await;
    let transfers =
        [sent(1, 0, WALLET, None), sent(1, 1, WALLET, Some(Usdc::ZERO)), sent(1, 2, WALLET, Some(Usdc(1)))];
    let rows = recorded(&app, &transfers).await;
    assert_eq!(rows.iter().map(|row| (row.log_index, row.amount)).collect::<Vec<_>>(), [(2, Usdc(1))]);
}

#[tokio::test]
async fn everything_about_a_transfer_is_kept() {
    let app = world().await;
    store(&app, open(1, 100)).await;
    app.clock.advance(Duration::hours(2));
    let row = recorded(&app, &[sent(3, 4, WALLET, Some(usdc(30)))]).await.remove(0);
    let now = noon() + Duration::hours(2);
    let wanted = chain_transfer::Model {
        id: row.id,
        chain_id: crate::fixture::CHAIN,
        transaction_hash: format!("0x{}", "03".repeat(32)),
        log_index: 4,
        from_address: format!("0x{}", "07".repeat(20)),
        to_address: format!("0x{}", "11".repeat(20)),
        amount: usdc(30),
        block_number: 50,
        block_hash: StillChain::at(50).hash.to_string(),
        block_time: noon(),
        status: ChainTransferStatus::Seen,
        user_id: Some(client()),
        payment_id: Some(id(1)),
        undone: 0,
        moved_at: None,
        lost_at: None,
        created_at: now,
        updated_at: now,
    };
    assert_eq!(row, wanted);
    // The deposit is looked at now, and whoever watches it hears of it.
    let deposit =
        payment::Entity::find_by_id(id::<entities::PaymentId>(1)).one(app.db.reader()).await.unwrap();
    let deposit = deposit.unwrap();
    assert_eq!((deposit.due_at, deposit.look, deposit.version), (Some(now), 1, 0));
    assert_eq!(queued(&app).await, [("deposit-confirm".to_owned(), format!("{}:0:1", deposit.id))]);
    let events = event::Entity::find().all(app.db.reader()).await.unwrap();
    let told: Vec<_> = events.iter().map(|row| (row.kind, row.subject_id)).collect();
    assert_eq!(told, [(EventKind::PaymentUpdated, deposit.id.0)]);
}

#[tokio::test]
async fn who_sent_it_is_told_by_the_wallets_proven_by_then() {
    let app = world().await;
    linked(&app, 2, freelancer(), OTHERS, noon() + Duration::seconds(1)).await;
    store(&app, open(1, 100)).await;
    let rows =
        recorded(&app, &[sent(1, 0, OTHERS, Some(usdc(100))), sent(1, 1, Address([3; 20]), Some(usdc(100)))])
            .await;
    assert!(rows.iter().all(|row| row.user_id.is_none() && row.payment_id.is_none()), "{rows:?}");
    assert_eq!(queued(&app).await, []);
    app.clock.advance(Duration::seconds(1));
    let row = recorded(&app, &[sent(2, 0, OTHERS, Some(usdc(100)))]).await.remove(0);
    // Theirs, and they have no deposit.
    assert_eq!((row.user_id, row.payment_id), (Some(freelancer()), None));
}

#[tokio::test]
async fn a_transfer_is_counted_once_however_often_it_is_seen() {
    let app = world().await;
    store(&app, open(1, 100)).await;
    let transfer = sent(1, 0, WALLET, Some(usdc(30)));
    let first = recorded(&app, std::slice::from_ref(&transfer)).await;
    assert_eq!(recorded(&app, std::slice::from_ref(&transfer)).await, first);
    // The scanner and a hint, at the same moment: neither has seen the other's row when it looks.
    let tx = app.db.begin().await.unwrap();
    let payments = lock(&tx, [client()].into_iter(), std::iter::empty()).await.unwrap();
    arrive(&app, &tx, (&transfer, usdc(30)), Some(client()), noon(), &payments).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(recorded(&app, &[transfer]).await, first);
    assert_eq!(queued(&app).await.len(), 1);
}

#[tokio::test]
async fn a_log_is_counted_in_31_bits() {
    let last = u64::from(i32::MAX.unsigned_abs());
    assert_eq!(log_index(&sent(1, last, WALLET, None)).unwrap(), i32::MAX);
    assert_eq!(log_index(&sent(1, 7, WALLET, None)).unwrap(), 7);
    assert!(matches!(log_index(&sent(1, last + 1, WALLET, None)), Err(Error::Bug(_))));
}

#[tokio::test]
async fn it_pays_the_oldest_that_misses_just_this_sum_or_else_the_oldest_that_misses_any() {
    let app = world().await;
    for (number, whole) in [(1, 100), (2, 60), (3, 60)] {
        store(&app, open(number, whole)).await;
    }
    assert_eq!(pays(&app, 1, 60).await, Some(id(2)));
    // The second misses nothing more; the first misses more.
    assert_eq!(pays(&app, 2, 60).await, Some(id(3)));
    assert_eq!(pays(&app, 3, 60).await, Some(id(1)));
    // Of the first 40 are missing now.
    store(&app, open(4, 40)).await;
    assert_eq!(pays(&app, 4, 40).await, Some(id(1)));
    // Now it misses nothing, nor do the second and the third.
    assert_eq!(pays(&app, 5, 41).await, Some(id(4)));
    // Nobody misses anything: a surplus, which goes back when the oldest is credited.
    assert_eq!(pays(&app, 6, 5).await, Some(id(1)));
}

#[tokio::test]
async fn more_may_come_for_a_deposit_while_its_confirmations_are_waited_for() {
    let app = world().await;
    store(&app, payment::Model { status: PaymentStatus::Confirming, ..open(1, 100) }).await;
    assert_eq!(pays(&app, 1, 100).await, Some(id(1)));
    assert_eq!(pays(&app, 2, 7).await, Some(id(1)));
    store(&app, open(2, 50)).await;
    assert_eq!(pays(&app, 3, 7).await, Some(id(2)), "the first is full");
}

#[tokio::test]
async fn only_deposits_of_the_payer_that_wait_and_are_in_time_are_paid() {
    let app = world().await;
    let others = payment::Model { payer_id: Some(freelancer()), ..open(1, 100) };
    let late = payment::Model { expires_at: Some(noon() - Duration::microseconds(1)), ..open(2, 100) };
    let credited = payment::Model { status: PaymentStatus::Completed, ..open(3, 100) };
    let release = payment::Model { kind: PaymentKind::Release, ..open(4, 100) };
    for row in [others, late, credited, release] {
        store(&app, row).await;
    }
    assert_eq!(pays(&app, 1, 100).await, None);
    store(&app, payment::Model { expires_at: Some(noon()), ..open(5, 70) }).await;
    assert_eq!(pays(&app, 2, 100).await, Some(id(5)));
    let after = [sent(3, 0, WALLET, Some(usdc(70)))];
    let after = recorded_at(&app, &after, noon() + Duration::microseconds(1)).await;
    assert_eq!(after[0].payment_id, None);
}

#[tokio::test]
async fn what_was_hinted_at_is_paid_first() {
    let app = world().await;
    for (number, whole) in [(1, 100), (2, 60), (3, 500)] {
        store(&app, open(number, whole)).await;
    }
    store(&app, payment::Model { payer_id: Some(freelancer()), ..open(4, 60) }).await;
    let hint = |payment: u128, transaction: u8| deposit_hint::Model {
        payment_id: id(payment),
        transaction_hash: TxHash([transaction; 32]).to_string(),
        reported_by: client(),
        outcome: None,
        created_at: noon(),
    };
    for row in [hint(3, 1), hint(4, 2), hint(2, 3)] {
        store(&app, row).await;
    }
    assert_eq!(pays(&app, 1, 60).await, Some(id(3)));
    // Somebody else's deposit is not the client's to pay.
    assert_eq!(pays(&app, 2, 60).await, Some(id(2)));
    assert_eq!(pays(&app, 3, 100).await, Some(id(2)));
}
