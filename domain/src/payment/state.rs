//! The life of a payment, pure. A deposit waits for the chain; everything else is an intent to pay out.

use entities::{ChainTransferStatus, PaymentKind, PaymentStatus};

use crate::error::{Error, Result};

/// What can happen to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The whole sum was seen on the chain.
    Seen,
    /// It has its confirmations and was credited.
    Credit,
    /// The block it was in is no longer part of the chain.
    Reorg,
    /// The deadline passed.
    Expire,
    /// Something stands in the way of paying out.
    Hold,
    /// Nothing does any more.
    Resume,
    /// Signed and stored.
    Sign,
    /// Seen in a block.
    Mine,
    /// Final.
    Complete,
    /// Ended without money having moved.
    Fail,
}

/// The states in which nothing is under way any more. Only a reorg, which undoes a credited deposit, leads out.
pub const FINAL: [PaymentStatus; 3] =
    [PaymentStatus::Completed, PaymentStatus::Failed, PaymentStatus::Expired];

/// The states of a deposit that more may come for: what comes while its confirmations are waited for is surplus.
pub const OPEN: [PaymentStatus; 2] = [PaymentStatus::AwaitingFunds, PaymentStatus::Confirming];

/// The states of a transfer on the chain that is in the books.
pub const BOOKED: [ChainTransferStatus; 2] =
    [ChainTransferStatus::Credited, ChainTransferStatus::Unallocated];

/// Whether a payment is an intent to pay out for which nothing was signed yet.
pub const fn is_unsigned(kind: PaymentKind, status: PaymentStatus) -> bool {
    !matches!(kind, PaymentKind::Deposit) && matches!(status, PaymentStatus::Queued | PaymentStatus::OnHold)
}

/// Where a step leads, or that it does not.
pub fn next(kind: PaymentKind, from: PaymentStatus, step: Step) -> Result<PaymentStatus> {
    use PaymentStatus::*;
    let to = match (kind, from, step) {
        (PaymentKind::Deposit, AwaitingFunds, Step::Seen) => Confirming,
        (PaymentKind::Deposit, Confirming, Step::Credit) => Completed,
        (PaymentKind::Deposit, Confirming | Completed, Step::Reorg) => AwaitingFunds,
        (PaymentKind::Deposit, AwaitingFunds, Step::Expire) => Expired,
        (PaymentKind::Deposit, ..) => return Err(illegal(from, step)),
        (_, Queued, Step::Hold) => OnHold,
        (_, OnHold, Step::Resume) => Queued,
        (_, Queued, Step::Sign) => Submitted,
        (_, Submitted, Step::Mine) => Confirming,
        (_, Confirming, Step::Complete) => Completed,
        (_, Confirming, Step::Reorg) => Submitted,
        (_, Submitted | Confirming, Step::Fail) => Failed,
        _ => return Err(illegal(from, step)),
    };
    Ok(to)
}

fn illegal(from: PaymentStatus, step: Step) -> Error {
    let to = match step {
        Step::Seen | Step::Mine => PaymentStatus::Confirming,
        Step::Credit | Step::Complete => PaymentStatus::Completed,
        Step::Reorg => PaymentStatus::AwaitingFunds,
        Step::Expire => PaymentStatus::Expired,
        Step::Hold => PaymentStatus::OnHold,
        Step::Resume => PaymentStatus::Queued,
        Step::Sign => PaymentStatus::Submitted,
        Step::Fail => PaymentStatus::Failed,
    };
    Error::illegal("paymentId", "payment", from.as_str(), to.as_str())
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    const STEPS: [Step; 10] = [
        Step::Seen,
        Step::Credit,
        Step::Reorg,
        Step::Expire,
        Step::Hold,
        Step::Resume,
        Step::Sign,
        Step::Mine,
        Step::Complete,
        Step::Fail,
    ];

    /// Every (kind, state, step): what is not in the list is refused.
    #[test]
    fn only_the_listed_steps_are_legal() {
        use PaymentStatus::*;
        let deposit = [
            (AwaitingFunds, Step::Seen, Confirming),
            (Confirming, Step::Credit, Completed),
            (Confirming, Step::Reorg, AwaitingFunds),
            (Completed, Step::Reorg, AwaitingFunds),
            (AwaitingFunds, Step::Expire, Expired),
        ];
        let outgoing = [
            (Queued, Step::Hold, OnHold),
            (OnHold, Step::Resume, Queued),
            (Queued, Step::Sign, Submitted),
            (Submitted, Step::Mine, Confirming),
            (Confirming, Step::Complete, Completed),
            (Confirming, Step::Reorg, Submitted),
            (Submitted, Step::Fail, Failed),
            (Confirming, Step::Fail, Failed),
        ];
        for kind in PaymentKind::iter() {
            let legal: &[_] = if kind == PaymentKind::Deposit { &deposit } else { &outgoing };
            for from in PaymentStatus::iter() {
                for step in STEPS {
                    let expected =
                        legal.iter().find(|(f, s, _)| (*f, *s) == (from, step)).map(|(.., to)| *to);
                    assert_eq!(next(kind, from, step).ok(), expected, "{kind:?} {from:?} {step:?}");
                }
            }
        }
    }
    /// Where a step is meant to lead, for the error that names it.
    #[test]
    fn an_illegal_step_names_both_states() {
        use PaymentStatus::*;
        let targets = [
            (Step::Seen, Confirming),
            (Step::Credit, Completed),
            (Step::Reorg, AwaitingFunds),
            (Step::Expire, Expired),
            (Step::Hold, OnHold),
            (Step::Resume, Queued),
            (Step::Sign, Submitted),
            (Step::Mine, Confirming),
            (Step::Complete, Completed),
            (Step::Fail, Failed),
        ];
        assert_eq!(targets.map(|(step, _)| step), STEPS);
        for (step, target) in targets {
            // Nothing leads out of a payment that failed.
            for kind in PaymentKind::iter() {
                let error = next(kind, Failed, step).unwrap_err();
                let told = format!("The payment is FAILED; it cannot become {} from there.", target.as_str());
                assert_eq!((error.code(), error.to_string()), ("ILLEGAL_STATE", told));
            }
        }
    }

    #[test]
    fn only_an_intent_to_pay_out_that_waits_is_unsigned() {
        for kind in PaymentKind::iter() {
            for status in PaymentStatus::iter() {
                let waits = [PaymentStatus::Queued, PaymentStatus::OnHold].contains(&status);
                let wanted = kind != PaymentKind::Deposit && waits;
                assert_eq!(is_unsigned(kind, status), wanted, "{kind:?} {status:?}");
            }
        }
    }

    #[test]
    fn what_is_final_leads_nowhere_but_by_a_reorg_of_a_credited_deposit() {
        for kind in PaymentKind::iter() {
            for (from, step) in FINAL.iter().flat_map(|from| STEPS.map(|step| (*from, step))) {
                let reorg =
                    kind == PaymentKind::Deposit && (from, step) == (PaymentStatus::Completed, Step::Reorg);
                assert_eq!(next(kind, from, step).is_ok(), reorg, "{kind:?} {from:?} {step:?}");
            }
        }
    }
}
