//! The life of an invitation to bid, pure.

use entities::InvitationStatus;

use crate::error::{Error, Result};

/// What can happen to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The freelancer sends a proposal.
    Accept,
    /// The freelancer says no.
    Decline,
    /// The client takes it back.
    Withdraw,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Decline, Self::Withdraw];

    /// Where the step leads.
    pub const fn to(self) -> InvitationStatus {
        match self {
            Self::Accept => InvitationStatus::Accepted,
            Self::Decline => InvitationStatus::Declined,
            Self::Withdraw => InvitationStatus::Withdrawn,
        }
    }

    const fn allowed_from(self, from: InvitationStatus) -> bool {
        match self {
            Self::Accept | Self::Decline | Self::Withdraw => matches!(from, InvitationStatus::Pending),
        }
    }
}

/// The state after a step, or the error that names both states.
pub fn next(from: InvitationStatus, step: Step) -> Result<InvitationStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("invitationId", "invitation", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use InvitationStatus::*;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    /// An answer is final.
    const LEGAL: [(InvitationStatus, Step, InvitationStatus); 3] = [
        (Pending, Step::Accept, Accepted),
        (Pending, Step::Decline, Declined),
        (Pending, Step::Withdraw, Withdrawn),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(
            &Step::ALL,
            &LEGAL,
            next,
            Step::to,
            InvitationStatus::as_str,
        );
    }
}
