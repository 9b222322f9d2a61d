//! The header that makes a browser save a file under its name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 5987 lets stand in an extended parameter as it is, beside letters and digits.
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A `Content-Disposition` that saves under this name: plain for old clients, whole after RFC 5987 for the others.
pub(super) fn attachment(filename: &str) -> String {
    let safe = |c: char| c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | '/'));
    let plain: String = filename.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(filename, ATTR_CHAR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = attachment("a\r\nSet-Cookie: x=1\"; filename=evil.exe");
        assert!(header.chars().all(|c| !c.is_control()), "{header}");
        assert_eq!(header.matches('"').count(), 2, "{header}");
    }
}
