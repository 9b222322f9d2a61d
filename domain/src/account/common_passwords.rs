//! Which passwords are among the common ones.
//!
//! The list beside this file holds stems. People dress them up in the same few ways (a capital, a year, an
//! exclamation mark, 0 for o), so a password is compared undressed too.

use std::{collections::HashSet, sync::LazyLock};

static STEMS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt").lines().filter(|line| !line.starts_with('#')).collect()
});

/// The most characters that count as decoration around a stem: a year, or "123!".
const DECORATION: usize = 4;

/// Whether a password is one of the first that a thief tries.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let bare = undecorated(&lower);
    [lower.as_str(), bare, &plain_letters(&lower), &plain_letters(bare)]
        .iter()
        .any(|form| STEMS.contains(form) || (form.len() > 1 && (repeats(form) || runs(form))))
}

/// Without the digits and signs around it, if they are few.
fn undecorated(text: &str) -> &str {
    let bare = text.trim_matches(|c: char| !c.is_alphabetic());
    if text.chars().count() - bare.chars().count() <= DECORATION { bare } else { text }
}

/// With the usual substitutes turned back into letters.
fn plain_letters(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// A piece of up to four characters, over and over: "aaaaaaaa", "abcabcabc", "20202020".
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4.min(chars.len() / 2))
        .any(|length| chars.iter().zip(chars.iter().skip(length)).all(|(one, other)| one == other))
}

/// Neighbours only: "12345678", "abcdefgh", "87654321".
fn runs(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    // 9 is followed by 0 on a keyboard.
    let step = |pair: &[i64], by: i64| pair[1] - pair[0] == by || (pair[1] - pair[0]) == -9 * by;
    [1, -1].iter().any(|by| codes.windows(2).all(|pair| step(pair, *by)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_ones_are_found_in_any_dress() {
        for bad in [
            "password",
            "Password1",
            "P@ssw0rd!",
            "password2026",
            "12345678",
            "123456789",
            "1234567890",
            "87654321",
            "abcdefgh",
            "aaaaaaaa",
            "abcabcabc",
            "qwertyuiop",
            "Qwerty123",
            "iloveyou",
            "1q2w3e4r",
            "1qaz2wsx",
            "Sunshine1!",
            "letmein123",
            "11223344",
            "welcome1",
            "admin123",
        ] {
            assert!(is_common(bad), "{bad}");
        }
    }

    #[test]
    fn others_pass() {
        for good in [
            "correct horse battery staple",
            "a-long-enough-one",
            "Tr0ub4dor&3",
            "demo-password",
            "kürbis-lampe-7",
            "zx81 and c64",
            "x7#mQ2!pL9",
            "passwordless-future",
            "4831-7720-1946",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }

    #[test]
    fn the_list_is_clean() {
        for stem in STEMS.iter() {
            assert_eq!(*stem, stem.trim().to_lowercase());
            assert!(stem.len() >= 4, "{stem}: too short to be reached");
        }
    }
}
