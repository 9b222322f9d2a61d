//! The rule for lines inside a message.

/// The longest line of a message in bytes, without its CRLF (RFC 5322, 2.1.1).
const LINE: usize = 998;

/// Tells what is wrong with a message's lines, as strict servers do.
///
/// Lenient ones repair such mails or pass them on broken: better to learn here that a mail is badly built.
pub(super) fn check(message: &[u8]) -> Result<(), &'static str> {
    let mut rest = message;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        if end > LINE {
            return Err("a line is longer than 998 bytes");
        }
        rest = match rest.get(end..).unwrap_or_default() {
            [] => &[],
            [b'\r', b'\n', tail @ ..] => tail,
            _ => return Err("a CR or LF stands alone"),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn lines_end_in_crlf_and_stay_short() {
        let long = |length| [vec![b'a'; length], b"\r\n".to_vec()].concat();
        assert!(check(b"").is_ok());
        assert!(check(b"a\r\n\r\nb").is_ok());
        assert!(check(&long(998)).is_ok());
        assert!(check(&long(999)).is_err());
        for bare in ["a\nb\r\n", "a\rb\r\n", "a\r"] {
            assert!(check(bare.as_bytes()).is_err(), "{bare:?}");
        }
    }
}
