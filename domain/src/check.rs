//! Collects every problem of an input, so that one answer names them all.

use std::{fmt::Display, ops::RangeInclusive};

use crate::error::{Code, Error, Problem, Result};

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Check(Vec<Problem>);

impl Check {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a problem with a field (a dotted path).
    pub fn problem(&mut self, field: &str, code: Code, message: impl Into<String>) {
        self.0.push(Problem::new(field, code, message));
    }

    /// Notes a problem unless it holds.
    pub fn ensure(&mut self, holds: bool, field: &str, code: Code, message: impl Into<String>) {
        if !holds {
            self.problem(field, code, message);
        }
    }

    /// A text, trimmed, whose length in characters lies in the limits.
    pub fn text(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim();
        let count = text.chars().count();
        let (least, most) = (*length.start(), *length.end());
        if count == 0 && least > 0 {
            self.problem(field, Code::Required, format!("Give {least} to {most} characters."));
        } else if count < least {
            self.problem(field, Code::TooShort, format!("Give at least {least} characters; it has {count}."));
        } else if count > most {
            self.problem(field, Code::TooLong, format!("Give at most {most} characters; it has {count}."));
        }
        // A NUL is text to SQLite and an error to PostgreSQL: refuse it on both.
        if text.contains('\0') {
            self.problem(field, Code::Invalid, "Leave out NUL characters.");
        }
        text.to_owned()
    }

    /// A number within its limits.
    pub fn range<T: PartialOrd + Display>(&mut self, field: &str, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            let (least, most) = (range.start(), range.end());
            self.problem(field, Code::OutOfRange, format!("Give {least} to {most}; it is {value}."));
        }
    }

    /// Ends with everything that was wrong.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Rejected { problems: self.0 }) }
    }
}
