//! Collects every problem of an input, so that one answer names them all.

use std::{fmt::Display, ops::RangeInclusive};

use chrono::{DateTime, Datelike, Utc};

use crate::error::{Code, Error, Problem, Result};

/// Letters and signs that show nothing, beside those that Unicode calls white space.
const INVISIBLE: [char; 10] = [
    '\u{ad}', '\u{115f}', '\u{1160}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{2800}', '\u{3164}',
    '\u{feff}',
];

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

    /// A text of any number of lines, trimmed, whose length in characters lies in the limits. A line ends
    /// with `\n`, also when it came with `\r\n`.
    pub fn text(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim().replace("\r\n", "\n");
        self.length(field, &text, length);
        // A NUL alone would be text to SQLite and an error to PostgreSQL.
        let clean = !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
        self.ensure(clean, field, Code::Invalid, "Leave out control characters.");
        self.legible(field, &text);
        text
    }

    /// A text of one line, trimmed, whose length in characters lies in the limits: it may go into the subject
    /// of a mail.
    pub fn line(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim();
        self.length(field, text, length);
        let clean = !text.contains(char::is_control);
        self.ensure(clean, field, Code::Invalid, "Leave out line breaks and control characters.");
        self.legible(field, text);
        text.to_owned()
    }

    /// Not one of the texts that show nothing, or show something else than they say.
    fn legible(&mut self, field: &str, text: &str) {
        let turned = text.contains(['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}']);
        self.ensure(
            !turned,
            field,
            Code::Invalid,
            "Leave out characters that turn the direction of writing.",
        );
        let blank = !text.is_empty() && text.chars().all(|c| c.is_whitespace() || INVISIBLE.contains(&c));
        self.ensure(!blank, field, Code::Invalid, "Give something that can be seen.");
    }

    fn length(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) {
        let count = text.chars().count();
        let (least, most) = (*length.start(), *length.end());
        if count == 0 && least > 0 {
            self.problem(field, Code::Required, format!("Give {least} to {most} characters."));
        } else if count < least {
            self.problem(field, Code::TooShort, format!("Give at least {least} characters; it has {count}."));
        } else if count > most {
            self.problem(field, Code::TooLong, format!("Give at most {most} characters; it has {count}."));
        }
    }

    /// A time that both databases keep and order alike; nothing is no problem.
    pub fn time(&mut self, field: &str, time: Option<DateTime<Utc>>) {
        let message = "Give a time from 2000-01-01 to 9999-12-31.";
        self.ensure(time.is_none_or(in_range), field, Code::OutOfRange, message);
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

/// Whether a caller may give this time: the years in which SQLite's text sorts as time does. PostgreSQL ends
/// at 4713 BC, chrono long before.
pub(crate) fn in_range(time: DateTime<Utc>) -> bool {
    (2000..=9999).contains(&time.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_to_four_digits_of_years() {
        let good = |time: &str| {
            let mut check = Check::new();
            check.time("x", Some(time.parse().expect("a time")));
            check.done().is_ok()
        };
        assert!(good("2000-01-01T00:00:00Z") && good("9999-12-31T23:59:59.999999Z"));
        assert!(!good("1999-12-31T23:59:59Z") && !good("+10000-01-01T00:00:00Z"));
        assert!(!good("-5000-01-01T00:00:00Z") && !good("+200000-01-01T00:00:00Z"));
    }

    #[test]
    fn texts_have_lines_and_lines_have_none() {
        let good = |take: fn(&mut Check, &str) -> String, given: &str| {
            let mut check = Check::new();
            let kept = take(&mut check, given);
            check.done().map(|()| kept).ok()
        };
        let text = |given: &str| good(|check, given| check.text("x", given, 1..=20), given);
        let line = |given: &str| good(|check, given| check.line("x", given, 1..=20), given);
        assert_eq!(text(" a\r\n\tb\n").as_deref(), Some("a\n\tb"));
        assert_eq!(line(" a b\n").as_deref(), Some("a b"));
        for bad in ["a\0b", "a\rb", "a\u{7f}b", "a\u{85}b", "a\u{1b}[31mb"] {
            assert_eq!((text(bad), line(bad)), (None, None), "{bad:?}");
        }
        assert_eq!((line("a\nb"), line("a\tb")), (None, None));
        for unseen in ["\u{200b}", "\u{3164} \u{2800}", "exe.\u{202e}gpj"] {
            assert_eq!((text(unseen), line(unseen)), (None, None), "{unseen:?}");
        }
        // Joiners make one sign of several.
        assert!(line("\u{1f469}\u{200d}\u{1f680}").is_some() && line("نام\u{200c}ها").is_some());
    }
}
