//! The life of a project, pure.

use entities::ProjectStatus;

use crate::error::{Error, Result};

/// What can happen to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The client shows a draft to everybody.
    Publish,
    /// The client stops taking proposals for a while.
    Hold,
    /// The client takes proposals again.
    Reopen,
    /// A freelancer accepted a contract on it.
    Start,
    /// Its contract ended with the work done.
    Complete,
    /// The client gives it up.
    Cancel,
    /// Sixty days without activity.
    Expire,
    /// The client offers an expired project again.
    Renew,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Publish,
        Self::Hold,
        Self::Reopen,
        Self::Start,
        Self::Complete,
        Self::Cancel,
        Self::Expire,
        Self::Renew,
    ];

    /// Where the step leads.
    pub const fn to(self) -> ProjectStatus {
        match self {
            Self::Publish | Self::Reopen | Self::Renew => ProjectStatus::Open,
            Self::Hold => ProjectStatus::OnHold,
            Self::Start => ProjectStatus::InProgress,
            Self::Complete => ProjectStatus::Completed,
            Self::Cancel => ProjectStatus::Cancelled,
            Self::Expire => ProjectStatus::Expired,
        }
    }

    const fn allowed_from(self, from: ProjectStatus) -> bool {
        use ProjectStatus::{Draft, Expired, InProgress, OnHold, Open};
        match self {
            Self::Publish => matches!(from, Draft),
            Self::Hold | Self::Start | Self::Expire => matches!(from, Open),
            Self::Reopen => matches!(from, OnHold),
            Self::Complete => matches!(from, InProgress),
            Self::Cancel => matches!(from, Draft | Open | OnHold | InProgress),
            Self::Renew => matches!(from, Expired),
        }
    }
}

/// The state after a step, or the error that names both states.
pub fn next(from: ProjectStatus, step: Step) -> Result<ProjectStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("projectId", "project", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use ProjectStatus::*;

    use super::*;
    use crate::life_cycle::every_pair_is_legal_or_names_both_states;

    /// The life cycle as DOMAIN.md draws it.
    const LEGAL: [(ProjectStatus, Step, ProjectStatus); 11] = [
        (Draft, Step::Publish, Open),
        (Draft, Step::Cancel, Cancelled),
        (Open, Step::Hold, OnHold),
        (Open, Step::Start, InProgress),
        (Open, Step::Cancel, Cancelled),
        (Open, Step::Expire, Expired),
        (OnHold, Step::Reopen, Open),
        (OnHold, Step::Cancel, Cancelled),
        (InProgress, Step::Complete, Completed),
        (InProgress, Step::Cancel, Cancelled),
        (Expired, Step::Renew, Open),
    ];

    #[test]
    fn every_pair_is_legal_or_an_error_that_names_both_states() {
        every_pair_is_legal_or_names_both_states(&Step::ALL, &LEGAL, next, Step::to, ProjectStatus::as_str);
    }
}
