use entities::{ContractId, DisputeId, ledger_transfer, wallet};

use super::*;
use crate::{
    fixture::{
        app, noon, queued,
        rows::{self, address, client, id, store, transfer},
        usdc,
    },
    ledger::{self, Account},
};

type Parts = Vec<(Option<String>, Usdc)>;

fn part(wallet: u8, whole: i64) -> (Option<String>, Usdc) {
    (Some(address(wallet)), usdc(whole))
}

fn of(kind: PaymentKind, number: u128, status: PaymentStatus, whole: i64) -> payment::Model {
    let amount = usdc(whole);
    payment::Model { amount, net: amount, ..rows::payment(number, kind, status, 1) }
}

async fn deposit(app: &App, number: u128, whole: i64) {
    store(app, of(PaymentKind::Deposit, number, PaymentStatus::Completed, whole)).await;
}

async fn came(app: &App, number: u128, payment: u128, block: u64, (wallet, whole): (u8, i64)) {
    let row = transfer(number, block, Some(id(payment)));
    store(app, chain_transfer::Model { amount: usdc(whole), from_address: address(wallet), ..row }).await;
}

fn refund(number: u128, status: PaymentStatus, (wallet, whole): (u8, i64)) -> payment::Model {
    let row = of(PaymentKind::Refund, number, status, whole);
    payment::Model { destination: Some(address(wallet)), payee_id: Some(client()), ..row }
}

async fn divide(app: &App, whole: i64, but: Option<u128>) -> Parts {
    divided(app.db.reader(), id(1), usdc(whole), but.map(id)).await.unwrap()
}

/// 100 in two transfers of two wallets, 20 of which came too much and went back to the newer one; then 40 by the first wallet.
async fn two_deposits() -> App {
    let app = app().await;
    deposit(&app, 1, 100).await;
    came(&app, 1, 1, 1, (7, 60)).await;
    came(&app, 2, 1, 2, (8, 60)).await;
    deposit(&app, 2, 40).await;
    came(&app, 3, 2, 5, (7, 40)).await;
    app
}

#[tokio::test]
async fn money_goes_back_to_the_newest_wallets_first_and_to_none_more_than_came_from_it() {
    let app = two_deposits().await;
    assert_eq!(divide(&app, 30, None).await, [part(7, 30)]);
    // The first wallet is the newest and the oldest: it is counted once, with everything.
    assert_eq!(divide(&app, 100, None).await, [part(7, 100)]);
    assert_eq!(divide(&app, 101, None).await, [part(7, 100), part(8, 1)]);
    assert_eq!(divide(&app, 140, None).await, [part(7, 100), part(8, 40)]);
    // Nobody knows where more than that came from.
    assert_eq!(divide(&app, 150, None).await, [part(7, 100), part(8, 40), (None, usdc(10))]);
    assert_eq!(divided(app.db.reader(), id(2), usdc(5), None).await.unwrap(), [(None, usdc(5))]);
    assert_eq!(divide(&app, 0, None).await, []);
}

#[tokio::test]
async fn of_two_transfers_the_later_one_goes_back_first_by_block_then_by_place() {
    let app = app().await;
    deposit(&app, 1, 100).await;
    // Stored in another order than the chain's.
    for (number, block, place, wallet) in [(1, 4, 0, 10), (2, 3, 9, 8), (3, 3, 2, 7), (4, 4, 1, 9)] {
        let row = transfer(number, block, Some(id(1)));
        let row = chain_transfer::Model { log_index: place, from_address: address(wallet), ..row };
        store(&app, chain_transfer::Model { amount: usdc(25), ..row }).await;
    }
    assert_eq!(divide(&app, 100, None).await, [part(9, 25), part(10, 25), part(8, 25), part(7, 25)]);
}

#[tokio::test]
async fn what_was_given_back_before_counts_unless_it_failed_or_is_the_one_asked_about() {
    let app = two_deposits().await;
    store(&app, refund(11, PaymentStatus::Completed, (7, 30))).await;
    store(&app, refund(12, PaymentStatus::Queued, (7, 20))).await;
    store(&app, refund(13, PaymentStatus::Failed, (7, 50))).await;
    store(&app, refund(14, PaymentStatus::Submitted, (8, 5))).await;
    // A release is no refund, wherever it goes.
    let release = of(PaymentKind::Release, 15, PaymentStatus::Completed, 10);
    store(&app, payment::Model { destination: Some(address(7)), ..release }).await;
    assert_eq!(divide(&app, 90, None).await, [part(7, 50), part(8, 35), (None, usdc(5))]);
    assert_eq!(divide(&app, 90, Some(12)).await, [part(7, 70), part(8, 20)]);
    assert_eq!(divide(&app, 90, Some(14)).await, [part(7, 50), part(8, 40)]);
}

#[tokio::test]
async fn only_credited_transfers_of_completed_deposits_of_the_milestone_count() {
    let app = two_deposits().await;
    store(&app, of(PaymentKind::Deposit, 3, PaymentStatus::Expired, 70)).await;
    came(&app, 4, 3, 6, (9, 70)).await;
    deposit(&app, 4, 80).await;
    let gone = transfer(5, 7, Some(id(4)));
    store(&app, chain_transfer::Model { status: ChainTransferStatus::Orphaned, ..gone }).await;
    let elsewhere = of(PaymentKind::Deposit, 5, PaymentStatus::Completed, 90);
    store(&app, payment::Model { milestone_id: Some(id(2)), ..elsewhere }).await;
    came(&app, 6, 5, 8, (10, 90)).await;
    assert_eq!(divide(&app, 150, None).await, [part(7, 100), part(8, 40), (None, usdc(10))]);
}

/// So much, that an administrator assigned to a deposit.
async fn assigned(app: &App, number: u128, deposit: u128, whole: i64, status: UnallocatedStatus) {
    let stray =
        chain_transfer::Model { status: ChainTransferStatus::Unallocated, ..transfer(number, 1, None) };
    let row = rows::unallocated(&stray);
    let payment_id = Some(id(deposit));
    store(app, unallocated_deposit::Model { status, payment_id, amount: usdc(whole), ..row }).await;
}

async fn payout_wallet(app: &App, wallet: u8) {
    let row = wallet::Model {
        id: id(u128::from(wallet)),
        user_id: client(),
        address: address(wallet),
        chain_id: 1,
        is_payout: true,
        payouts_from: noon(),
        verified_at: noon(),
    };
    store(app, row).await;
}

#[tokio::test]
async fn what_was_assigned_goes_to_the_payers_payout_wallet_once_they_have_one() {
    let app = app().await;
    deposit(&app, 1, 100).await;
    came(&app, 1, 1, 1, (7, 30)).await;
    assigned(&app, 2, 1, 50, UnallocatedStatus::Assigned).await;
    assigned(&app, 3, 1, 20, UnallocatedStatus::Assigned).await;
    // Neither this deposit's, nor assigned.
    assigned(&app, 4, 9, 500, UnallocatedStatus::Assigned).await;
    assigned(&app, 5, 1, 500, UnallocatedStatus::Returned).await;
    assert_eq!(divide(&app, 100, None).await, [part(7, 30), (None, usdc(70))]);
    payout_wallet(&app, 8).await;
    assert_eq!(divide(&app, 100, None).await, [part(7, 30), part(8, 70)]);
}

#[tokio::test]
async fn a_payout_wallet_that_paid_itself_is_counted_once() {
    let app = app().await;
    deposit(&app, 1, 100).await;
    came(&app, 1, 1, 1, (7, 30)).await;
    assigned(&app, 2, 1, 70, UnallocatedStatus::Assigned).await;
    payout_wallet(&app, 7).await;
    assert_eq!(divide(&app, 100, None).await, [part(7, 100)]);
}

#[tokio::test]
async fn surplus_beside_assigned_money_went_back_to_its_senders() {
    let app = app().await;
    deposit(&app, 1, 100).await;
    came(&app, 1, 1, 1, (7, 60)).await;
    came(&app, 2, 1, 2, (9, 10)).await;
    assigned(&app, 3, 1, 50, UnallocatedStatus::Assigned).await;
    payout_wallet(&app, 8).await;
    // 20 too much: 10 went back to each, the newest first.
    assert_eq!(divide(&app, 100, None).await, [part(7, 50), part(8, 50)]);
}

#[tokio::test]
async fn a_refund_knows_its_wallet_only_where_a_single_one_takes_all_of_it() {
    let app = two_deposits().await;
    let wallet = async |whole: i64| {
        let queued = of(PaymentKind::Refund, 20, PaymentStatus::Queued, whole);
        wallet_of(&app, &queued).await.unwrap()
    };
    assert_eq!(wallet(100).await, Some(address(7)));
    assert_eq!(wallet(101).await, None);
    let nothing =
        payment::Model { milestone_id: None, ..of(PaymentKind::Refund, 20, PaymentStatus::Queued, 5) };
    assert_eq!(wallet_of(&app, &nothing).await.unwrap(), None);
    let elsewhere = payment::Model { milestone_id: Some(id(2)), ..nothing };
    assert_eq!(wallet_of(&app, &elsewhere).await.unwrap(), None);
    // It stands among those that were given: it is not counted against itself.
    store(&app, refund(21, PaymentStatus::Queued, (7, 100))).await;
    assert_eq!(
        wallet_of(&app, &refund(21, PaymentStatus::Queued, (7, 100))).await.unwrap(),
        Some(address(7))
    );
}

fn whole(milestone: Option<MilestoneId>) -> NewPayment {
    NewPayment {
        kind: PaymentKind::Refund,
        contract: Some(id::<ContractId>(20)),
        milestone,
        payer: None,
        payee: Some(client()),
        started_by: None,
        split: Split::without_fee(usdc(120)),
        reason: Some("It was never begun.".to_owned()),
        linked: None,
        dispute: None,
        destination: None,
    }
}

#[tokio::test]
async fn a_refund_is_opened_and_reserved_as_one_payment_for_each_wallet() {
    let app = two_deposits().await;
    let tx = app.db.begin().await.unwrap();
    let opened = open(&app, &tx, whole(Some(id(1))), usdc(150)).await.unwrap();
    tx.commit().await.unwrap();
    let told: Vec<_> = opened.iter().map(|row| (row.destination.clone(), row.amount)).collect();
    assert_eq!(told, [part(7, 100), part(8, 20)]);
    for row in &opened {
        assert_eq!((row.net, row.fee), (row.amount, Usdc::ZERO));
        assert_eq!((row.kind, row.status), (PaymentKind::Refund, PaymentStatus::Queued));
        assert_eq!((row.payee_id, row.milestone_id), (Some(client()), Some(id(1))));
        assert_eq!(row.reason.as_deref(), Some("It was never begun."));
        assert_eq!(row.decision_total, Some(usdc(150)));
    }
    let db = app.db.reader();
    assert_eq!(ledger_transfer::Entity::find().count(db).await.unwrap(), 2);
    assert_eq!(ledger::balance(db, Account::Payable(client())).await.unwrap(), usdc(-120));
    let queues: Vec<_> = queued(&app).await.into_iter().map(|(queue, _)| queue).collect();
    assert_eq!(queues, ["refund-send", "refund-send"]);
    let tx = app.db.begin().await.unwrap();
    let error = open(&app, &tx, whole(None), usdc(120)).await.unwrap_err();
    assert_eq!(error.to_string(), "bug: a refund of no milestone");
}

#[tokio::test]
async fn a_refund_goes_on_while_a_part_of_it_is_under_way_that_no_judge_gave() {
    let app = app().await;
    let goes = async || {
        let tx = app.db.begin().await.unwrap();
        goes_on(&tx, id(1)).await.unwrap()
    };
    assert!(!goes().await);
    for (number, status) in (1..).zip(FINAL) {
        store(&app, refund(number, status, (7, 10))).await;
    }
    store(&app, of(PaymentKind::Release, 5, PaymentStatus::Queued, 10)).await;
    let judged = refund(6, PaymentStatus::Queued, (7, 10));
    store(&app, payment::Model { dispute_id: Some(id::<DisputeId>(3)), ..judged }).await;
    let elsewhere = refund(7, PaymentStatus::Queued, (7, 10));
    store(&app, payment::Model { milestone_id: Some(id(2)), ..elsewhere }).await;
    assert!(!goes().await);
    for (number, status) in [(8, PaymentStatus::Confirming), (9, PaymentStatus::OnHold)] {
        store(&app, refund(number, status, (7, 10))).await;
        assert!(goes().await);
    }
}
