//! What people type about themselves, checked.

use entities::Role;

use crate::{check::Check, error::Code};

/// The longest address that SMTP carries.
const LONGEST_EMAIL: usize = 254;

/// An e-mail address as it is stored: as entered, and lower-cased for comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Email {
    pub(super) shown: String,
    pub(super) key: String,
}

/// A mailable address; notes a problem with `email` when it is none.
pub(super) fn email(check: &mut Check, given: &str) -> Email {
    let shown = check.text("email", given, 1..=LONGEST_EMAIL);
    // ASCII only: other local parts need SMTPUTF8, which many servers still refuse.
    let mailable = shown.is_ascii()
        // Quoted names and bare IP addresses are addresses too, but mail servers refuse them.
        && !shown.contains(['"', '['])
        && shown.parse::<lettre::Address>().is_ok_and(|address| address.domain().contains('.'));
    check.ensure(
        shown.is_empty() || mailable,
        "email",
        Code::Invalid,
        "Give an e-mail address such as ada@example.com.",
    );
    Email { key: email_key(&shown), shown }
}

/// What sign-in compares: upper and lower case are the same.
pub(super) fn email_key(given: &str) -> String {
    given.trim().to_lowercase()
}

/// A public name: it goes into mails and pages, so it is one line.
pub(super) fn display_name(check: &mut Check, given: &str) -> String {
    check.line("displayName", given, 1..=100)
}

/// A role that one may give oneself.
pub(super) fn role(check: &mut Check, role: Role) {
    check.ensure(
        matches!(role, Role::Client | Role::Freelancer),
        "role",
        Code::Forbidden,
        "Register as CLIENT or FREELANCER; administrators are appointed.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_be_mailable() {
        for good in ["ada@example.com", " Ada.L+x@Mail.Example.org ", "o'neil@example.co"] {
            let mut check = Check::new();
            assert_eq!(email(&mut check, good).key, good.trim().to_lowercase());
            assert!(check.done().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a b@example.com",
            "ada@exa\nmple.com",
            "ädä@example.com",
            "Ada <ada@example.com>",
            "\"a b\"@example.com",
            "ada@[10.0.0.1]",
        ] {
            let mut check = Check::new();
            email(&mut check, bad);
            assert!(check.done().is_err(), "{bad}");
        }
    }
}
