//! What is kept of what a model wrote.

/// The marks that turn the direction of writing: no text of ours takes them.
const TURNING: [char; 4] = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}'];

/// A text that its field takes as it is: without control characters, cut to so many characters. None when nothing of it
/// can be seen.
pub(super) fn clean(written: &str, limit: usize) -> Option<String> {
    let lines = written.replace("\r\n", "\n");
    let kept = |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || TURNING.contains(c));
    let text: String = lines.chars().filter(kept).collect();
    let text: String = text.trim().chars().take(limit).collect();
    let text = text.trim_end();
    text.contains(char::is_alphanumeric).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Check;

    #[test]
    fn a_draft_is_what_its_field_takes() {
        let written = " \u{1b}[31mDear\0 all,\r\n\r\n\tI\u{202e} build\u{7f} shops.\u{85}\n";
        let draft = clean(written, 5_000).unwrap();
        assert_eq!(draft, "[31mDear all,\n\n\tI build shops.");
        let mut check = Check::new();
        assert_eq!(check.text("coverLetter", &draft, 1..=5_000), draft);
        check.done().unwrap();
    }

    #[test]
    fn it_is_cut_in_characters_and_ends_with_one_that_shows() {
        assert_eq!(clean(&"ü".repeat(11), 10), Some("ü".repeat(10)));
        assert_eq!(clean("one two", 4).as_deref(), Some("one"));
        assert_eq!(clean(" \u{200b}\r\n\0 ", 10), None);
        assert_eq!(clean("", 10), None);
    }
}
