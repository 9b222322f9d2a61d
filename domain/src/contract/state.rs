//! The life of a contract, pure.

use entities::ContractStatus;

use crate::error::{Error, Result};

/// What can happen to a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The freelancer says yes.
    Accept,
    /// The freelancer says no.
    Decline,
    /// The client takes the offer back.
    Retract,
    /// Nobody answered the offer in seven days.
    Lapse,
    /// The work rests for a while.
    Pause,
    /// The work goes on.
    Resume,
    /// A party opened a dispute.
    Dispute,
    /// The dispute ended and the work goes on.
    Settle,
    /// The work is done and paid.
    Complete,
    /// It ends early.
    Terminate,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::Accept,
        Self::Decline,
        Self::Retract,
        Self::Lapse,
        Self::Pause,
        Self::Resume,
        Self::Dispute,
        Self::Settle,
        Self::Complete,
        Self::Terminate,
    ];

    /// Where the step leads.
    pub const fn to(self) -> ContractStatus {
        match self {
            Self::Accept | Self::Resume | Self::Settle => ContractStatus::Active,
            Self::Decline => ContractStatus::Declined,
            Self::Retract => ContractStatus::Retracted,
            Self::Lapse => ContractStatus::Lapsed,
            Self::Pause => ContractStatus::Paused,
            Self::Dispute => ContractStatus::Disputed,
            Self::Complete => ContractStatus::Completed,
            Self::Terminate => ContractStatus::Terminated,
        }
    }

    const fn allowed_from(self, from: ContractStatus) -> bool {
        use ContractStatus::{Active, Disputed, Paused, Pending};
        match self {
            Self::Accept | Self::Decline | Self::Retract | Self::Lapse => matches!(from, Pending),
            Self::Pause | Self::Dispute | Self::Complete => matches!(from, Active),
            Self::Resume => matches!(from, Paused),
            Self::Settle => matches!(from, Disputed),
            Self::Terminate => matches!(from, Active | Paused | Disputed),
        }
    }
}

/// The states of a contract that is offered or running: a project has one such contract at the most.
pub const LIVE: [ContractStatus; 4] =
    [ContractStatus::Pending, ContractStatus::Active, ContractStatus::Paused, ContractStatus::Disputed];

/// The states of an offer that came to nothing.
pub const FALLEN: [ContractStatus; 3] =
    [ContractStatus::Declined, ContractStatus::Retracted, ContractStatus::Lapsed];

/// The state after a step, or the error that names both states. That nothing is left in escrow or under
/// way before an end is for the service to see to.
pub fn next(from: ContractStatus, step: Step) -> Result<ContractStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("contractId", "contract", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use ContractStatus::*;
    use sea_orm::Iterable;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    /// The life cycle as DOMAIN.md draws it.
    const LEGAL: [(ContractStatus, Step, ContractStatus); 12] = [
        (Pending, Step::Accept, Active),
        (Pending, Step::Decline, Declined),
        (Pending, Step::Retract, Retracted),
        (Pending, Step::Lapse, Lapsed),
        (Active, Step::Pause, Paused),
        (Active, Step::Dispute, Disputed),
        (Active, Step::Complete, Completed),
        (Active, Step::Terminate, Terminated),
        (Paused, Step::Resume, Active),
        (Paused, Step::Terminate, Terminated),
        (Disputed, Step::Settle, Active),
        (Disputed, Step::Terminate, Terminated),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(&Step::ALL, &LEGAL, next, Step::to, ContractStatus::as_str);
    }

    #[test]
    fn an_offer_is_live_or_fallen_or_over() {
        assert!(ContractStatus::iter().all(|s| !(LIVE.contains(&s) && FALLEN.contains(&s))));
        assert!(Step::ALL.iter().all(|step| LIVE.iter().any(|from| step.allowed_from(*from))));
        assert!(FALLEN.iter().all(|from| Step::ALL.iter().all(|step| !step.allowed_from(*from))));
    }
}
