//! The scores of a review: 1.0 to 5.0 by 0.5, kept in tenths.

use crate::{check::Check, error::Code};

/// The worst score there is, in tenths.
pub const WORST: i32 = 10;
const BEST: i32 = 50;
const STEP: i32 = 5;

/// The whole and its parts, in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// The whole.
    pub rating: i32,
    /// Whether they can do what they said.
    pub skill: i32,
    /// Whether the work is good.
    pub quality: i32,
    /// Whether they answer, and clearly.
    pub communication: i32,
    /// Whether they keep what was agreed on time.
    pub deadline: i32,
    /// Whether working with them is pleasant.
    pub cooperation: i32,
}

impl Scores {
    /// Notes each score that is none.
    pub(super) fn check(&self, check: &mut Check) {
        for (field, score) in [
            ("scores.rating", self.rating),
            ("scores.skill", self.skill),
            ("scores.quality", self.quality),
            ("scores.communication", self.communication),
            ("scores.deadline", self.deadline),
            ("scores.cooperation", self.cooperation),
        ] {
            let holds = (WORST..=BEST).contains(&score) && score % STEP == 0;
            check.ensure(holds, field, Code::OutOfRange, "Give 1.0 to 5.0 in steps of 0.5.");
        }
    }
}
