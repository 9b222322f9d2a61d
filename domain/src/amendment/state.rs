//! The life of an amendment, pure.

use entities::AmendmentStatus;

use crate::error::{Error, Result};

/// What can happen to an amendment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The other party agrees.
    Accept,
    /// The other party says no.
    Reject,
    /// Who proposed it takes it back, or its contract has ended.
    Withdraw,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Reject, Self::Withdraw];

    /// Where the step leads.
    pub const fn to(self) -> AmendmentStatus {
        match self {
            Self::Accept => AmendmentStatus::Accepted,
            Self::Reject => AmendmentStatus::Rejected,
            Self::Withdraw => AmendmentStatus::Withdrawn,
        }
    }
}

/// The state after a step, or the error that names both states.
pub fn next(from: AmendmentStatus, step: Step) -> Result<AmendmentStatus> {
    match from {
        AmendmentStatus::Proposed => Ok(step.to()),
        _ => Err(Error::illegal("amendmentId", "amendment", from.as_str(), step.to().as_str())),
    }
}

#[cfg(test)]
mod tests {
    use AmendmentStatus::*;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    const LEGAL: [(AmendmentStatus, Step, AmendmentStatus); 3] = [
        (Proposed, Step::Accept, Accepted),
        (Proposed, Step::Reject, Rejected),
        (Proposed, Step::Withdraw, Withdrawn),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(&Step::ALL, &LEGAL, next, Step::to, AmendmentStatus::as_str);
    }
}
