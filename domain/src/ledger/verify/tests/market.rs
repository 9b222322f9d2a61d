//! Books with a case of everything: what the payments, the transfers and the signatures say, and the postings to it.

use entities::{
    ChainTransferStatus, PaymentId, PaymentKind, PaymentRail, PaymentStatus, UnallocatedStatus, UserId,
    chain_nonce, chain_transfer, payment, unallocated_deposit,
};

use super::super::*;
use crate::fixture::{
    CHAIN, post,
    rows::{self, address, client, id, store},
    usdc,
};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

fn escrow(milestone: u128) -> Account {
    Account::Escrow(id(milestone))
}

fn bonus() -> Account {
    Account::Bonus(rows::contract().id)
}

/// A payment of so much, the fee in it.
fn payment(
    number: u128,
    kind: PaymentKind,
    status: PaymentStatus,
    milestone: u128,
    (gross, fee): (i64, i64),
) -> payment::Model {
    let (amount, fee, net) = (usdc(gross), usdc(fee), usdc(gross - fee));
    payment::Model { amount, fee, net, ..rows::payment(number, kind, status, milestone) }
}

async fn deposit(app: &App, number: u128, milestone: u128, status: PaymentStatus) {
    store(app, payment(number, PaymentKind::Deposit, status, milestone, (100, 0))).await;
}

/// A transfer of so much, for a payment.
async fn came(app: &App, number: u128, whole: i64, payment: Option<u128>, status: ChainTransferStatus) {
    let row = rows::transfer(number, 1, payment.map(id));
    store(app, chain_transfer::Model { amount: usdc(whole), status, ..row }).await;
}

/// A transfer that pays nothing, and what became of it.
async fn strayed(
    app: &App,
    number: u128,
    (whole, user): (i64, Option<UserId>),
    status: UnallocatedStatus,
    payment: Option<u128>,
) {
    let row = chain_transfer::Model {
        amount: usdc(whole),
        status: ChainTransferStatus::Unallocated,
        user_id: user,
        ..rows::transfer(number, 1, None)
    };
    let set_aside =
        unallocated_deposit::Model { status, payment_id: payment.map(id), ..rows::unallocated(&row) };
    store(app, row).await;
    store(app, set_aside).await;
    use LedgerTransferKind::UnallocatedReceived;
    let lines = [(TREASURY, usdc(whole)), (Account::Unallocated, usdc(-whole))];
    post(app, UnallocatedReceived, None, &lines).await;
}

async fn credited(app: &App, number: u128, held: Account, surplus: i64) {
    let lines =
        [(TREASURY, usdc(100 + surplus)), (held, usdc(-100)), (Account::Payable(client()), usdc(-surplus))];
    post(app, LedgerTransferKind::DepositCredited, Some(id(number)), &lines).await;
}

/// Posts what a payout's state wants: queued out of escrow, and what followed.
async fn booked(app: &App, row: &payment::Model, held: Option<Account>, then: &[LedgerTransferKind]) {
    use LedgerTransferKind::*;
    let owed = row.payee_id.map_or(Account::Strangers, Account::Payable);
    let back = |amount: Usdc| amount.negated().unwrap();
    let queued = held.map(|held| [(held, row.amount), (Account::Fees, back(row.fee)), (owed, back(row.net))]);
    if let Some(lines) = &queued {
        post(app, PayoutQueued, Some(row.id), lines).await;
    }
    let paid = [(owed, row.net), (Account::Treasury(row.rail), back(row.net))];
    for kind in then {
        let lines: Vec<_> = match kind {
            PayoutCompleted => paid.to_vec(),
            PayoutUncompleted => paid.iter().map(|(account, amount)| (*account, back(*amount))).collect(),
            _ => queued.unwrap().iter().map(|(account, amount)| (*account, back(*amount))).collect(),
        };
        post(app, *kind, Some(row.id), &lines).await;
    }
}

async fn deposits(app: &App) {
    use ChainTransferStatus::{Credited, Orphaned, Seen};
    use LedgerTransferKind::*;
    use PaymentStatus::*;
    // Credited, undone, and credited again.
    deposit(app, 1, 1, Completed).await;
    came(app, 1, 100, Some(1), Credited).await;
    credited(app, 1, escrow(1), 0).await;
    post(app, DepositReversed, Some(id(1)), &[(TREASURY, usdc(-100)), (escrow(1), usdc(100))]).await;
    credited(app, 1, escrow(1), 0).await;
    // 50 too much, which are on their way back.
    deposit(app, 3, 2, Completed).await;
    came(app, 3, 150, Some(3), Credited).await;
    credited(app, 3, escrow(2), 50).await;
    store(app, returned(4, (50, Some(client())), Queued)).await;
    // For a bonus.
    let paid_in = payment(6, PaymentKind::Deposit, Completed, 1, (100, 0));
    store(app, payment::Model { milestone_id: None, ..paid_in }).await;
    came(app, 6, 100, Some(6), Credited).await;
    credited(app, 6, bonus(), 0).await;
    // Lost to a reorg.
    deposit(app, 12, 3, Completed).await;
    came(app, 12, 100, Some(12), Orphaned).await;
    credited(app, 12, escrow(3), 0).await;
    post(app, LossRecorded, Some(id(12)), &[(Account::Loss, usdc(100)), (TREASURY, usdc(-100))]).await;
    // Not all there yet, and never paid.
    deposit(app, 14, 5, AwaitingFunds).await;
    came(app, 14, 70, Some(14), Seen).await;
    deposit(app, 16, 5, Expired).await;
    // Of the larger demo market: no transfer is known. A deposit earns nothing, whatever its row says.
    store(app, payment(19, PaymentKind::Deposit, Completed, 6, (100, 10))).await;
    credited(app, 19, escrow(6), 0).await;
}

async fn payouts(app: &App) {
    use LedgerTransferKind::*;
    use PaymentKind::*;
    use PaymentStatus::*;
    let paid = store(app, payment(2, Release, Completed, 1, (100, 10))).await;
    booked(app, &paid, Some(escrow(1)), &[]).await;
    // Circle took something for it.
    store(app, rows::ordered(paid.id, usdc(1))).await;
    let lines =
        [(Account::Payable(rows::freelancer()), usdc(90)), (Account::Costs, usdc(1)), (TREASURY, usdc(-91))];
    post(app, PayoutCompleted, Some(paid.id), &lines).await;
    let refund = payment(5, Refund, Submitted, 2, (40, 0));
    let refund = store(app, payment::Model { payee_id: Some(client()), ..refund }).await;
    booked(app, &refund, Some(escrow(2)), &[]).await;
    let held = payment(7, Bonus, OnHold, 1, (100, 10));
    let held = store(app, payment::Model { milestone_id: None, ..held }).await;
    booked(app, &held, Some(bonus()), &[]).await;
    let failed = store(app, payment(8, Release, Failed, 2, (30, 3))).await;
    booked(app, &failed, Some(escrow(2)), &[PayoutReversed]).await;
    // Circle signs nothing of ours.
    let circle = payment(15, Release, Submitted, 4, (50, 5));
    let circle = store(app, payment::Model { rail: PaymentRail::Circle, ..circle }).await;
    booked(app, &circle, Some(escrow(4)), &[]).await;
    // Final, until a reorg.
    let undone = store(app, payment(20, Release, Confirming, 6, (100, 10))).await;
    booked(app, &undone, Some(escrow(6)), &[PayoutCompleted, PayoutUncompleted]).await;
}

fn returned(number: u128, (whole, to): (i64, Option<UserId>), status: PaymentStatus) -> payment::Model {
    let row = payment(number, PaymentKind::Return, status, 1, (whole, 0));
    payment::Model { milestone_id: None, payee_id: to, ..row }
}

async fn strays(app: &App) {
    use LedgerTransferKind::*;
    use PaymentStatus::*;
    let me = Some(client());
    strayed(app, 21, (25, None), UnallocatedStatus::Open, None).await;
    // To nobody we know, and not to be paid.
    strayed(app, 22, (30, None), UnallocatedStatus::Returned, Some(9)).await;
    let lines = [(Account::Unallocated, usdc(30)), (Account::Strangers, usdc(-30))];
    post(app, DepositReturned, Some(id(9)), &lines).await;
    store(app, returned(9, (30, None), Failed)).await;
    // Failed, and on its way by another try.
    strayed(app, 23, (60, me), UnallocatedStatus::Returned, Some(10)).await;
    let lines = [(Account::Unallocated, usdc(60)), (Account::Payable(client()), usdc(-60))];
    post(app, DepositReturned, Some(id(10)), &lines).await;
    store(app, returned(10, (60, me), Failed)).await;
    let again = returned(11, (60, me), Confirming);
    store(app, payment::Model { retry_of: Some(id::<PaymentId>(10)), ..again }).await;
    // Assigned by an administrator: nothing else came for this deposit.
    strayed(app, 24, (100, me), UnallocatedStatus::Assigned, Some(13)).await;
    deposit(app, 13, 4, Completed).await;
    let lines = [(Account::Unallocated, usdc(100)), (escrow(4), usdc(-100))];
    post(app, DepositCredited, Some(id(13)), &lines).await;
    // Our own, from the other rail.
    strayed(app, 25, (40, None), UnallocatedStatus::Assigned, None).await;
    let lines = [(Account::Unallocated, usdc(40)), (Account::Treasury(PaymentRail::Circle), usdc(-40))];
    post(app, TreasuryMoved, None, &lines).await;
    // Late, and back with who sent it.
    came(app, 18, 20, Some(16), ChainTransferStatus::Credited).await;
    let lines = [(TREASURY, usdc(20)), (Account::Payable(client()), usdc(-20))];
    post(app, DepositReturned, Some(id(16)), &lines).await;
    let back = store(app, returned(17, (20, me), Completed)).await;
    booked(app, &back, None, &[PayoutCompleted]).await;
}

/// What was signed: one nonce for each payout on the chain; the last was replaced by another of its nonce.
async fn signatures(app: &App) {
    for (nonce, payment) in (0..).zip([2, 5, 8, 9, 10, 11, 17, 20]) {
        store(app, rows::signed(id(payment), nonce)).await;
    }
    let replaced = rows::signed(id(20), 7);
    let again = entities::chain_transaction::Model { id: id(77), hash: "0x77".to_owned(), ..replaced };
    store(app, again).await;
    let counter = chain_nonce::Model { address: address(0x11), chain_id: CHAIN, next_nonce: 8 };
    store(app, counter).await;
}

/// All of it.
pub(super) async fn open(app: &App) {
    deposits(app).await;
    payouts(app).await;
    strays(app).await;
    signatures(app).await;
}
