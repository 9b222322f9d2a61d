//! What in a text leads away from the marketplace, pure. Whole words and whole addresses: a piece of work may well be
//! about a bot for Telegram.

/// Services that people are asked to write to.
const APPS: &[&str] = &["telegram", "whatsapp", "skype", "wechat", "viber", "discord"];
/// Ways to pay that nobody here can hold or give back.
const OUTSIDE: &[&str] = &[
    "paypal",
    "western union",
    "moneygram",
    "venmo",
    "cashapp",
    "cash app",
    "zelle",
    "skrill",
    "payoneer",
    "bank transfer",
    "wire transfer",
    "gift card",
    "gift cards",
];
/// What somebody is asked to do who is to be led away.
const VERBS: &[&str] = &["contact", "message", "text", "write", "ping", "add", "reach", "call", "dm"];
/// How many words further on the service, or the name there, still belongs to it.
const REACH: usize = 4;

/// The contact details in a text, by what they are.
pub(super) fn contacts(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    if has_email(&text) {
        found.push("an e-mail address");
    }
    if has_phone(&text) {
        found.push("a phone number");
    }
    if has_handle(&text) {
        found.push("a name at another service");
    }
    found
}

/// The ways to pay outside that a text names.
pub(super) fn outside_payments(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let named = |phrase: &str| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        words.windows(phrase.len()).any(|window| window == phrase.as_slice())
    };
    OUTSIDE.iter().copied().filter(|phrase| named(phrase)).collect()
}

fn has_email(text: &str) -> bool {
    let apart = |c: char| c.is_whitespace() || "()<>[]{},;:\"'|/".contains(c);
    text.split(apart).any(|word| {
        let Some((local, domain)) = word.trim_matches(['.', '!', '?']).split_once('@') else { return false };
        let local = !local.is_empty() && local.chars().all(|c| c.is_alphanumeric() || "._%+-".contains(c));
        let labels: Vec<&str> = domain.split('.').collect();
        let whole =
            |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let last =
            labels.last().is_some_and(|label| label.len() >= 2 && label.chars().all(char::is_alphabetic));
        local && labels.len() >= 2 && labels.iter().all(whole) && last
    })
}

fn has_handle(text: &str) -> bool {
    let spaced = text.replace(':', " : ").replace(" : //", "://");
    let bare = |word: &str| -> String {
        word.trim_matches(|c: char| !(c.is_alphanumeric() || c == '@' || c == '_' || c == ':')).to_owned()
    };
    let words: Vec<String> = spaced.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().any(|(place, word)| {
        let mut next = words.iter().skip(place + 1).take(REACH);
        if is_link(word) {
            true
        } else if APPS.contains(&word.as_str()) {
            let named = next.clone().next().is_some_and(|word| word == ":")
                && words.get(place + 2).is_some_and(|name| is_name(name) && name.contains(['_', '@']));
            named || next.any(|word| word.strip_prefix('@').is_some_and(is_name))
        } else if VERBS.contains(&word.as_str()) {
            let me = |word: &String| word == "me" || word == "us";
            next.clone().take(2).any(me) && next.any(|word| APPS.contains(&word.as_str()))
        } else {
            false
        }
    })
}

/// A link to somebody at a service.
fn is_link(word: &str) -> bool {
    let word = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://")).unwrap_or(word);
    let word = word.strip_prefix("www.").unwrap_or(word);
    ["t.me/", "wa.me/"].iter().any(|site| word.strip_prefix(site).is_some_and(|name| !name.is_empty()))
}

fn is_name(name: &str) -> bool {
    let name = name.strip_prefix('@').unwrap_or(name);
    name.chars().count() >= 4 && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

fn has_phone(text: &str) -> bool {
    let (mut run, mut before, mut last) = (String::new(), ' ', ' ');
    for c in text.chars().chain(['\n']) {
        let goes_on = c.is_ascii_digit() || (!run.is_empty() && " -.()/".contains(c));
        if !goes_on {
            if is_phone(&run) && !before.is_alphanumeric() {
                return true;
            }
            run.clear();
        }
        if goes_on || c == '+' || c == '(' {
            if run.is_empty() {
                before = last;
            }
            run.push(c);
        }
        last = c;
    }
    false
}

/// Digits and what stands between them: an international number, one with its leading zero, or one of three, three and
/// four digits. No date, no sum and no range of sums.
fn is_phone(run: &str) -> bool {
    let groups: Vec<&str> =
        run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits: usize = lengths.iter().sum();
    if run.starts_with('+') {
        return (8..=15).contains(&digits);
    }
    let date = lengths.starts_with(&[2, 2, 4]);
    let zero = groups.first().is_some_and(|group| group.len() >= 2 && group.starts_with('0'));
    (zero && !date && (9..=15).contains(&digits)) || lengths.ends_with(&[3, 3, 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_details_are_found_and_what_only_looks_like_them_is_not() {
        for (text, wanted) in [
            ("Write to joe.doe+jobs@mail.example.com.", "an e-mail address"),
            ("(JOE@EXAMPLE.ORG)", "an e-mail address"),
            ("Call +49 151 2345678", "a phone number"),
            ("call (555) 123-4567 now", "a phone number"),
            ("06 12 34 56 78", "a phone number"),
            ("Telegram: @joe_dev", "a name at another service"),
            ("my telegram is @joedev", "a name at another service"),
            ("telegram: joe_dev", "a name at another service"),
            ("see https://t.me/joe", "a name at another service"),
            ("(wa.me/491512345)", "a name at another service"),
            ("Message me on WhatsApp!", "a name at another service"),
            ("write to us via Skype", "a name at another service"),
        ] {
            assert_eq!(contacts(text), [wanted], "{text}");
        }
        for text in [
            "A Telegram bot with a web page, and a WhatsApp channel.",
            "Uses @angular/core and user@host.",
            "From 2026-01-01 to 2026-02-01, 10:00 to 12:00.",
            "On 01.02.2026 10:30, or 01/02/2026.",
            "Between 10000 - 50000 USDC, 1 000 000 rows, 0.000000001 s.",
            "1+20000 rows; version 1.2.3.4",
            "Call us names: text me up.",
            "",
        ] {
            assert_eq!(contacts(text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(contacts("joe@example.com, +49 151 2345678, t.me/joe").len(), 3);
    }

    #[test]
    fn outside_payments_are_whole_words() {
        assert_eq!(outside_payments("By PayPal or Western  Union."), ["paypal", "western union"]);
        assert_eq!(outside_payments("A wire-transfer."), ["wire transfer"]);
        assert_eq!(
            outside_payments("Grizzelled, unpaypalled; a union in the western world."),
            Vec::<&str>::new()
        );
    }
}
