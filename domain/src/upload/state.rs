//! The life of an upload, pure.

use entities::UploadStatus;

use crate::error::{Error, Result};

/// What can happen to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its owner says that the bytes are there.
    Complete,
    /// It was checked and is good.
    Accept,
    /// It was checked and is not good.
    Refuse,
    /// It was not sent or not used in time, or another one took its place.
    Discard,
}

impl Step {
    /// Every step, for tables and tests.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Accept, Self::Refuse, Self::Discard];

    /// Where the step leads.
    pub const fn to(self) -> UploadStatus {
        match self {
            Self::Complete => UploadStatus::Processing,
            Self::Accept => UploadStatus::Ready,
            Self::Refuse | Self::Discard => UploadStatus::Rejected,
        }
    }

    const fn allowed_from(self, from: UploadStatus) -> bool {
        use UploadStatus::{Pending, Processing, Ready};
        match self {
            Self::Complete => matches!(from, Pending),
            Self::Accept | Self::Refuse => matches!(from, Processing),
            Self::Discard => matches!(from, Pending | Ready),
        }
    }
}

/// The state after a step, or the error that names both states.
pub fn next(from: UploadStatus, step: Step) -> Result<UploadStatus> {
    if step.allowed_from(from) {
        Ok(step.to())
    } else {
        Err(Error::illegal("uploadId", "upload", from.as_str(), step.to().as_str()))
    }
}

#[cfg(test)]
mod tests {
    use UploadStatus::*;
    use sea_orm::Iterable;

    use super::*;

    const LEGAL: [(UploadStatus, Step, UploadStatus); 5] = [
        (Pending, Step::Complete, Processing),
        (Processing, Step::Accept, Ready),
        (Processing, Step::Refuse, Rejected),
        (Pending, Step::Discard, Rejected),
        (Ready, Step::Discard, Rejected),
    ];

    #[test]
    fn only_the_steps_of_the_table_are_legal() {
        for from in UploadStatus::iter() {
            for step in Step::ALL {
                let legal = LEGAL.iter().find(|(f, s, _)| (*f, *s) == (from, step));
                match (legal, next(from, step)) {
                    (Some((_, _, to)), Ok(reached)) => assert_eq!(*to, reached),
                    (None, Err(error)) => {
                        assert_eq!(error.code(), "ILLEGAL_STATE");
                        assert!(error.to_string().contains(from.as_str()), "{error}");
                    }
                    (_, result) => panic!("{from:?} {step:?}: {result:?}"),
                }
            }
        }
    }
}
