//! The life of a dispute, pure.

use entities::DisputeStatus;

use crate::error::{Error, Result};

/// What can happen to a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An admin looks at it.
    Take,
    /// It is given to a senior admin.
    Escalate,
    /// An admin decides.
    Resolve,
    /// Who opened it takes it back.
    Withdraw,
}

impl Step {
    /// Where the step leads.
    pub const fn to(self) -> DisputeStatus {
        match self {
            Self::Take => DisputeStatus::InReview,
            Self::Escalate => DisputeStatus::Escalated,
            Self::Resolve => DisputeStatus::Resolved,
            Self::Withdraw => DisputeStatus::Withdrawn,
        }
    }

    const fn allowed_from(self, from: DisputeStatus) -> bool {
        use DisputeStatus::{Escalated, InReview, Open};
        match self {
            Self::Take => matches!(from, Open),
            Self::Escalate => matches!(from, InReview),
            Self::Resolve => matches!(from, InReview | Escalated),
            Self::Withdraw => matches!(from, Open | InReview),
        }
    }
}

/// The states of a dispute that is not over: a contract has one such dispute at the most.
pub const LIVE: [DisputeStatus; 3] = [DisputeStatus::Open, DisputeStatus::InReview, DisputeStatus::Escalated];

/// The state after a step, or the error that names both states.
pub fn next(from: DisputeStatus, step: Step) -> Result<DisputeStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("disputeId", "dispute", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use DisputeStatus::*;
    use sea_orm::Iterable;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    const STEPS: [Step; 4] = [Step::Take, Step::Escalate, Step::Resolve, Step::Withdraw];

    /// The life cycle as DOMAIN.md draws it.
    const LEGAL: [(DisputeStatus, Step, DisputeStatus); 6] = [
        (Open, Step::Take, InReview),
        (Open, Step::Withdraw, Withdrawn),
        (InReview, Step::Escalate, Escalated),
        (InReview, Step::Resolve, Resolved),
        (InReview, Step::Withdraw, Withdrawn),
        (Escalated, Step::Resolve, Resolved),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(&STEPS, &LEGAL, next, Step::to, DisputeStatus::as_str);
    }

    #[test]
    fn what_is_over_stays_over() {
        for status in DisputeStatus::iter() {
            let moves = STEPS.iter().any(|step| step.allowed_from(status));
            assert_eq!(moves, LIVE.contains(&status), "{status:?}");
        }
    }
}
