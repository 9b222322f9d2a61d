//! Cutting text into words. This alone decides what a word is: both databases are given, and asked for, what
//! comes out of here, so that they find the same.

use std::collections::HashSet;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible, is_combining_mark};

/// How many characters of a word count; what follows them is cut off. PostgreSQL's lexemes end at 2,046 bytes.
pub const LONGEST_WORD: usize = 64;

/// The words of a text in order: letters and digits without case and accents, at most [`LONGEST_WORD`]
/// characters each. Everything else divides words.
pub fn words(text: &str) -> Vec<String> {
    split(&fold(text)).collect()
}

/// What is stored of a thing: the words of its title, each between two spaces, and every word of title and body
/// once, with one space between two.
pub(super) fn document(title: &[&str], body: &str) -> (String, String) {
    let title = words(&title.join(" "));
    let body = words(body);
    let mut seen = HashSet::new();
    let every: Vec<&str> =
        title.iter().chain(&body).map(String::as_str).filter(|word| seen.insert(*word)).collect();
    (format!(" {} ", title.join(" ")), every.join(" "))
}

pub(super) fn split(folded: &str) -> impl Iterator<Item = String> + '_ {
    folded.split(' ').filter(|word| !word.is_empty()).map(|word| word.chars().take(LONGEST_WORD).collect())
}

/// The text with its letters and digits folded, and a space for everything else.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !silent(*c)) {
        // A sign such as ™ would decompose into letters.
        if !c.is_alphanumeric() {
            folded.push(' ');
            continue;
        }
        decompose_compatible(c, |part| {
            if !silent(part) {
                // There and back again, so that ß is ss and both small sigmas are one.
                let parts = part.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
                let kept = parts.filter(|c| !silent(*c));
                folded.extend(kept.map(|c| if c.is_alphanumeric() { c } else { ' ' }));
            }
        });
    }
    folded
}

/// What is as if it were not there: accents and points, and signs that only say how letters are set. The vowels
/// that Indian scripts write as marks are letters.
fn silent(c: char) -> bool {
    canonical_combining_class(c) != 0
        || (is_combining_mark(c) && !c.is_alphabetic())
        || matches!(c, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_and_signs_make_no_difference() {
        for (text, wanted) in [
            ("Écran E\u{301}CRAN ecran", vec!["ecran", "ecran", "ecran"]),
            ("Straße STRASSE STRAẞE", vec!["strasse", "strasse", "strasse"]),
            ("ΟΔΟΣ οδος Ὀδός", vec!["οδοσ", "οδοσ", "οδοσ"]),
            ("İstanbul ISTANBUL ıstanbul", vec!["istanbul", "istanbul", "istanbul"]),
            ("ﬁne Ｆｕｌｌ m² ½", vec!["fine", "full", "m2", "1", "2"]),
            ("Rust™ & C++, .NET/Node.js!", vec!["rust", "c", "net", "node", "js"]),
            ("Web\u{ad}ent\u{200d}wickler", vec!["webentwickler"]),
            ("don't под_ключ 50%", vec!["don", "t", "под", "ключ", "50"]),
            ("हिन्दी हिंदी", vec!["हिनदी", "हिंदी"]),
            ("مُحَمَّد محمد", vec!["محمد", "محمد"]),
            ("日本語 한글", vec!["日本語", "한글"]),
            ("🦀 1\u{fe0f}\u{20e3} ☃ — \"*\" ( ) \0\n", vec!["1"]),
            ("", vec![]),
        ] {
            assert_eq!(words(text), wanted.iter().map(|word| fold(word)).collect::<Vec<_>>(), "{text}");
        }
        assert_eq!(words("AND near(a*) \"b\" NOT:c"), ["and", "near", "a", "b", "not", "c"]);
    }

    #[test]
    fn long_words_are_cut_alike_wherever_they_stand() {
        let (long, longer) = ("é".repeat(LONGEST_WORD), "É".repeat(LONGEST_WORD + 1));
        assert_eq!(words(&long), words(&longer));
        assert_eq!(words(&long)[0].chars().count(), LONGEST_WORD);
        assert!(words(&"𐐨".repeat(200))[0].len() < 2_047);
    }

    #[test]
    fn a_document_holds_each_word_once() {
        let (title, text) = document(&["A shop, a SHOP", "for lamps"], "Lamps shop: bright lamps.");
        assert_eq!(title, " a shop a shop for lamps ");
        assert_eq!(text, "a shop for lamps bright");
        assert_eq!(document(&["☃"], "").1, "");
    }

    /// Every character there is.
    #[test]
    fn what_was_folded_stays_as_it_is() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?} U+{:04X}", u32::from(c));
            assert!(once.chars().all(|c| c == ' ' || c.is_alphanumeric()), "{c:?} gives {once:?}");
        }
    }

    proptest! {
        #[test]
        fn words_are_letters_and_digits_and_cut_to_themselves(text in "\\PC{0,200}") {
            let once = words(&text);
            prop_assert_eq!(&words(&once.join(" ")), &once);
            for word in &once {
                prop_assert!(!word.is_empty() && word.chars().all(char::is_alphanumeric));
                prop_assert!(word.chars().count() <= LONGEST_WORD);
            }
            let (title, all) = document(&[&text], &text);
            prop_assert_eq!(words(&title), once);
            prop_assert!(!all.contains("  ") && all.trim() == all);
        }

        #[test]
        fn the_shape_of_an_accent_makes_no_difference(text in "[a-zà-ÿA-ZÀ-ßά-ώΑ-Ωё ]{0,60}") {
            use unicode_normalization::UnicodeNormalization;
            prop_assert_eq!(words(&text), words(&text.nfd().collect::<String>()));
            prop_assert_eq!(words(&text), words(&text.to_uppercase()));
        }
    }
}
