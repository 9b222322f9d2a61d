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
    use sea_orm::Iterable;

    use super::*;

    const LEGAL: [(AmendmentStatus, Step, AmendmentStatus); 3] = [
        (Proposed, Step::Accept, Accepted),
        (Proposed, Step::Reject, Rejected),
        (Proposed, Step::Withdraw, Withdrawn),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        for from in AmendmentStatus::iter() {
            for step in Step::ALL {
                let legal = LEGAL.iter().find(|(f, s, _)| (*f, *s) == (from, step)).map(|(_, _, to)| *to);
                match (next(from, step), legal) {
                    (Ok(to), Some(wanted)) => assert_eq!(to, wanted, "{from:?} {step:?}"),
                    (Err(error), None) => {
                        assert_eq!(error.code(), "ILLEGAL_STATE");
                        let message = error.to_string();
                        assert!(message.contains(from.as_str()), "{message}");
                        assert!(message.contains(step.to().as_str()), "{message}");
                    }
                    (got, wanted) => panic!("{from:?} {step:?}: {got:?}, wanted {wanted:?}"),
                }
            }
        }
    }
}
