//! The life of a milestone, pure.

use entities::MilestoneStatus;

use crate::error::{Error, Result};

/// What can happen to a milestone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The client asks to fund it.
    Fund,
    /// The deposit was credited.
    Credited,
    /// The deposit's deadline passed.
    DepositExpired,
    /// A reorg undid the credited deposit.
    DepositUndone,
    /// The freelancer hands in work.
    Submit,
    /// The client asks for changes.
    RequestChanges,
    /// The client, or silence for fourteen days, approves.
    Approve,
    /// The payout is final.
    Released,
    /// A refund begins.
    StartRefund,
    /// The refund took everything.
    Refunded,
    /// The refund left something, or failed: back to where it was.
    RefundEnded,
    /// Dropped before it was funded.
    Cancel,
    /// A dispute freezes it.
    Freeze,
    /// The dispute ended with everything released.
    ResolvePaid,
    /// The dispute ended with everything refunded.
    ResolveRefunded,
    /// The dispute divided the money.
    ResolveSplit,
    /// The dispute was withdrawn: back to where it was.
    Thaw,
}

/// Where a step leads, or that it does not. `returns_to` is where a refund or a dispute found it.
pub fn next(
    from: MilestoneStatus,
    step: Step,
    returns_to: Option<MilestoneStatus>,
) -> Result<MilestoneStatus> {
    use MilestoneStatus::*;
    let to = match (from, step) {
        (Pending, Step::Fund) => Funding,
        (Pending, Step::Cancel) => Cancelled,
        (Funding, Step::Credited) => Funded,
        (Funding, Step::DepositExpired) => Pending,
        (Funded | Submitted, Step::DepositUndone) => Funding,
        (Funded, Step::Submit) => Submitted,
        (Submitted, Step::RequestChanges) => Funded,
        (Submitted, Step::Approve) => Approved,
        (Approved, Step::Released) => Paid,
        (Funded | Submitted, Step::StartRefund) => Refunding,
        (Refunding, Step::Refunded) => Refunded,
        (Funded | Submitted, Step::Freeze) => Disputed,
        (Disputed, Step::ResolvePaid) => Paid,
        (Disputed, Step::ResolveRefunded) => Refunded,
        (Disputed, Step::ResolveSplit) => Split,
        (Refunding, Step::RefundEnded) | (Disputed, Step::Thaw) => match returns_to {
            Some(back @ (Funded | Submitted)) => back,
            _ => return Err(Error::bug("a milestone forgot where it came from")),
        },
        _ => return Err(Error::illegal("milestoneId", "milestone", from.as_str(), target(step).as_str())),
    };
    Ok(to)
}

/// Where a step is meant to lead: for the error that names it.
const fn target(step: Step) -> MilestoneStatus {
    match step {
        Step::Fund | Step::DepositUndone => MilestoneStatus::Funding,
        Step::Credited | Step::RequestChanges | Step::RefundEnded | Step::Thaw => MilestoneStatus::Funded,
        Step::DepositExpired => MilestoneStatus::Pending,
        Step::Submit => MilestoneStatus::Submitted,
        Step::Approve => MilestoneStatus::Approved,
        Step::Released | Step::ResolvePaid => MilestoneStatus::Paid,
        Step::StartRefund => MilestoneStatus::Refunding,
        Step::Refunded | Step::ResolveRefunded => MilestoneStatus::Refunded,
        Step::Cancel => MilestoneStatus::Cancelled,
        Step::Freeze => MilestoneStatus::Disputed,
        Step::ResolveSplit => MilestoneStatus::Split,
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    const STEPS: [Step; 17] = [
        Step::Fund,
        Step::Credited,
        Step::DepositExpired,
        Step::DepositUndone,
        Step::Submit,
        Step::RequestChanges,
        Step::Approve,
        Step::Released,
        Step::StartRefund,
        Step::Refunded,
        Step::RefundEnded,
        Step::Cancel,
        Step::Freeze,
        Step::ResolvePaid,
        Step::ResolveRefunded,
        Step::ResolveSplit,
        Step::Thaw,
    ];

    /// Every (state, step): what is not in the list is refused.
    #[test]
    fn only_the_listed_steps_are_legal() {
        use MilestoneStatus::*;
        let legal = [
            (Pending, Step::Fund, Funding),
            (Pending, Step::Cancel, Cancelled),
            (Funding, Step::Credited, Funded),
            (Funding, Step::DepositExpired, Pending),
            (Funded, Step::DepositUndone, Funding),
            (Submitted, Step::DepositUndone, Funding),
            (Funded, Step::Submit, Submitted),
            (Funded, Step::StartRefund, Refunding),
            (Funded, Step::Freeze, Disputed),
            (Submitted, Step::RequestChanges, Funded),
            (Submitted, Step::Approve, Approved),
            (Submitted, Step::StartRefund, Refunding),
            (Submitted, Step::Freeze, Disputed),
            (Approved, Step::Released, Paid),
            (Refunding, Step::Refunded, Refunded),
            (Refunding, Step::RefundEnded, Submitted),
            (Disputed, Step::ResolvePaid, Paid),
            (Disputed, Step::ResolveRefunded, Refunded),
            (Disputed, Step::ResolveSplit, Split),
            (Disputed, Step::Thaw, Submitted),
        ];
        for from in MilestoneStatus::iter() {
            for step in STEPS {
                let expected = legal.iter().find(|(f, s, _)| (*f, *s) == (from, step)).map(|(.., to)| *to);
                assert_eq!(next(from, step, Some(Submitted)).ok(), expected, "{from:?} {step:?}");
            }
        }
    }

    #[test]
    fn a_refund_that_ends_goes_back_only_to_where_it_can_have_come_from() {
        for back in MilestoneStatus::iter() {
            let legal = matches!(back, MilestoneStatus::Funded | MilestoneStatus::Submitted);
            assert_eq!(next(MilestoneStatus::Refunding, Step::RefundEnded, Some(back)).is_ok(), legal);
        }
        assert!(next(MilestoneStatus::Refunding, Step::RefundEnded, None).is_err());
    }
    #[test]
    fn an_illegal_step_names_both_states() {
        use MilestoneStatus::*;
        let targets = [
            Funding, Funded, Pending, Funding, Submitted, Funded, Approved, Paid, Refunding, Refunded,
            Funded, Cancelled, Disputed, Paid, Refunded, Split, Funded,
        ];
        for (step, target) in STEPS.into_iter().zip(targets) {
            // Nothing leads out of a milestone that was cancelled.
            let error = next(Cancelled, step, Some(Submitted)).unwrap_err();
            let told =
                format!("The milestone is CANCELLED; it cannot become {} from there.", target.as_str());
            assert_eq!((error.code(), error.to_string()), ("ILLEGAL_STATE", told));
        }
    }

    #[test]
    fn a_refund_or_a_dispute_goes_back_to_where_it_was_found() {
        for back in [MilestoneStatus::Funded, MilestoneStatus::Submitted] {
            for (from, step) in
                [(MilestoneStatus::Refunding, Step::RefundEnded), (MilestoneStatus::Disputed, Step::Thaw)]
            {
                assert_eq!(next(from, step, Some(back)).unwrap(), back);
            }
        }
    }
}
