use sea_orm::Iterable;

use super::*;
use crate::fixture::{rows::id, usdc};

fn total(kind: PaymentKind, status: PaymentStatus) -> Total {
    let (milestone, contract) = (Some(id(1)), Some(id(20)));
    Total { kind, status, milestone, contract, amount: usdc(100), fee: usdc(10) }
}

#[test]
fn a_credited_deposit_fills_escrow_and_every_payout_from_it_that_did_not_fail_empties_it() {
    use PaymentKind::*;
    for kind in PaymentKind::iter() {
        for status in PaymentStatus::iter() {
            let wanted = match (kind, status == PaymentStatus::Completed, status == PaymentStatus::Failed) {
                (Deposit, true, _) => 100,
                (Deposit, false, _) | (Return, ..) | (_, _, true) => 0,
                (Release | Refund | Bonus, _, false) => -100,
            };
            assert_eq!(total(kind, status).escrow().unwrap(), usdc(wanted), "{kind:?} {status:?}");
        }
    }
}

#[test]
fn the_platform_earns_by_every_payout_that_did_not_fail() {
    for kind in PaymentKind::iter() {
        for status in PaymentStatus::iter() {
            let earns = kind != PaymentKind::Deposit && status != PaymentStatus::Failed;
            let wanted = usdc(if earns { 10 } else { 0 });
            assert_eq!(total(kind, status).fee(), wanted, "{kind:?} {status:?}");
        }
    }
}

/// What is posted for a payment in this state: how often it is credited, or queued, completed and reversed.
fn right(kind: PaymentKind, status: PaymentStatus) -> [i64; 4] {
    let is = |wanted: PaymentStatus| i64::from(status == wanted);
    let (completed, failed) = (is(PaymentStatus::Completed), is(PaymentStatus::Failed));
    match kind {
        PaymentKind::Deposit => [completed, 0, 0, 0],
        PaymentKind::Return => [0, 0, completed, 0],
        PaymentKind::Release | PaymentKind::Refund | PaymentKind::Bonus => [0, 1, completed, failed],
    }
}

fn posted([credited, queued, completed, reversed]: [i64; 4], undone: i64) -> Posted {
    use LedgerTransferKind::*;
    Posted(HashMap::from([
        (DepositCredited, credited + undone),
        (DepositReversed, undone),
        (PayoutQueued, queued),
        (PayoutCompleted, completed + undone),
        (PayoutUncompleted, undone),
        (PayoutReversed, reversed),
    ]))
}

#[test]
fn every_state_wants_its_postings_and_no_others() {
    for kind in PaymentKind::iter() {
        for status in PaymentStatus::iter() {
            let right = right(kind, status);
            // However often a reorg undid it.
            for undone in [0, 1, 3] {
                assert_eq!(posted(right, undone).problem(kind, status), None, "{kind:?} {status:?}");
            }
            let named = ["credited", "queued", "completed", "reversed"];
            let looked_at = if kind == PaymentKind::Deposit { 0..1 } else { 1..4 };
            for (place, what) in named.into_iter().enumerate() {
                for by in [-1, 1] {
                    let mut wrong = right;
                    wrong[place] += by;
                    let told = looked_at.contains(&place).then(|| {
                        let (kind, status) = (kind.as_str(), status.as_str());
                        let (found, wanted) = (wrong[place], right[place]);
                        format!("{kind} {status}: {what} {found} times in the ledger, not {wanted}")
                    });
                    assert_eq!(posted(wrong, 0).problem(kind, status), told);
                }
            }
        }
    }
}

#[test]
fn what_was_never_posted_was_posted_no_times() {
    let none = Posted::default();
    assert_eq!(none.of(LedgerTransferKind::PayoutQueued), 0);
    assert_eq!(none.problem(PaymentKind::Deposit, PaymentStatus::AwaitingFunds), None);
    let wanted = "RELEASE QUEUED: queued 0 times in the ledger, not 1";
    assert_eq!(none.problem(PaymentKind::Release, PaymentStatus::Queued).as_deref(), Some(wanted));
}
