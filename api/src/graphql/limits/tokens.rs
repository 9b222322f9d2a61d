//! Counts tokens and brackets without parsing: the parser would first allocate for all of them, and recurse.

use async_graphql::ServerError;

use super::refusal::exceeded;
use super::{BRACKETS, TOKENS};

/// Refuses a source of too many tokens, or with brackets too deep in each other.
///
/// It never counts less than the grammar does: `1.5` counts as three. What is no GraphQL at all is left to the
/// parser.
pub(super) fn check(source: &str) -> Result<(), ServerError> {
    let mut rest = source.as_bytes();
    let (mut tokens, mut brackets) = (0_usize, 0_usize);
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                rest = tail;
                continue;
            }
            b'#' => {
                rest = skip_while(tail, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => after_string(rest),
            b'.' if rest.starts_with(b"...") => rest.get(3..).unwrap_or_default(),
            b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                skip_while(tail, |byte| byte == b'_' || byte.is_ascii_alphanumeric())
            }
            b'(' | b'[' | b'{' => {
                brackets += 1;
                tail
            }
            b')' | b']' | b'}' => {
                brackets = brackets.saturating_sub(1);
                tail
            }
            _ => tail,
        };
        tokens += 1;
        if tokens > TOKENS {
            return Err(exceeded("token count", tokens, TOKENS, None));
        }
        if brackets > BRACKETS {
            return Err(exceeded("bracket depth", brackets, BRACKETS, None));
        }
    }
    Ok(())
}

fn skip_while(bytes: &[u8], skip: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|&byte| !skip(byte)).unwrap_or(bytes.len());
    bytes.get(end..).unwrap_or_default()
}

/// What follows the string, of either sort, that `bytes` begins with.
fn after_string(bytes: &[u8]) -> &[u8] {
    let quote: &[u8] = if bytes.starts_with(b"\"\"\"") { b"\"\"\"" } else { b"\"" };
    let block = quote.len() == 3;
    let mut rest = bytes.get(quote.len()..).unwrap_or_default();
    while let Some((&first, tail)) = rest.split_first() {
        if rest.starts_with(quote) {
            return rest.get(quote.len()..).unwrap_or_default();
        }
        rest = match first {
            // A block string knows one escape, `\"""`; a string takes any byte after a backslash.
            b'\\' if block && tail.starts_with(quote) => tail.get(3..).unwrap_or_default(),
            b'\\' if !block => tail.get(1..).unwrap_or_default(),
            b'\n' | b'\r' if !block => return rest,
            _ => tail,
        };
    }
    rest
}
