//! The life of a proposal, pure.

use entities::ProposalStatus;

use crate::error::{Error, Result};

/// What can happen to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The client considers it.
    Shortlist,
    /// The client takes it off the shortlist.
    Unshortlist,
    /// The client offers a contract on it.
    Accept,
    /// The client decides against it, or for another.
    Reject,
    /// The freelancer takes it back.
    Withdraw,
    /// The offer on it was declined, retracted or lapsed.
    Close,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 6] =
        [Self::Shortlist, Self::Unshortlist, Self::Accept, Self::Reject, Self::Withdraw, Self::Close];

    /// Where the step leads.
    pub const fn to(self) -> ProposalStatus {
        match self {
            Self::Shortlist => ProposalStatus::Shortlisted,
            Self::Unshortlist => ProposalStatus::Submitted,
            Self::Accept => ProposalStatus::Accepted,
            Self::Reject => ProposalStatus::Rejected,
            Self::Withdraw => ProposalStatus::Withdrawn,
            Self::Close => ProposalStatus::Closed,
        }
    }

    const fn allowed_from(self, from: ProposalStatus) -> bool {
        use ProposalStatus::{Accepted, Shortlisted, Submitted};
        match self {
            Self::Shortlist => matches!(from, Submitted),
            Self::Unshortlist => matches!(from, Shortlisted),
            Self::Accept | Self::Reject | Self::Withdraw => matches!(from, Submitted | Shortlisted),
            Self::Close => matches!(from, Accepted),
        }
    }
}

/// The states of a proposal that still waits for the client's decision.
pub const LIVE: [ProposalStatus; 2] = [ProposalStatus::Submitted, ProposalStatus::Shortlisted];

/// The state after a step, or the error that names both states.
pub fn next(from: ProposalStatus, step: Step) -> Result<ProposalStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("proposalId", "proposal", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use ProposalStatus::*;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    /// The life cycle as DOMAIN.md draws it.
    const LEGAL: [(ProposalStatus, Step, ProposalStatus); 9] = [
        (Submitted, Step::Shortlist, Shortlisted),
        (Submitted, Step::Accept, Accepted),
        (Submitted, Step::Reject, Rejected),
        (Submitted, Step::Withdraw, Withdrawn),
        (Shortlisted, Step::Unshortlist, Submitted),
        (Shortlisted, Step::Accept, Accepted),
        (Shortlisted, Step::Reject, Rejected),
        (Shortlisted, Step::Withdraw, Withdrawn),
        (Accepted, Step::Close, Closed),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(&Step::ALL, &LEGAL, next, Step::to, ProposalStatus::as_str);
    }
}
