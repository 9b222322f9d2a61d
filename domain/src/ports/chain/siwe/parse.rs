//! The grammar of EIP-4361, line by line.

use std::iter::Peekable;
use std::str::Split;

use chrono::{DateTime, Utc};
use http::uri::Authority;
use url::Url;

use super::{PREAMBLE, Siwe, SiweError};
use crate::ports::chain::Address;

/// Reads a message. Nothing may be missing, out of order, added or spelt otherwise.
///
/// # Errors
/// [`SiweError::Message`], which names the first line that is wrong.
pub fn parse(message: &str) -> Result<Siwe, SiweError> {
    let mut lines = Lines(message.split('\n').peekable());
    let (scheme, domain) = first_line(lines.take("the first line is missing")?)?;
    let address = address(lines.take("the address is missing")?)?;
    lines.blank("an empty line belongs after the address")?;
    let statement = match lines.take("the URI line is missing")? {
        "" => None,
        text => {
            ensure(
                text.bytes().all(|c| c == b' ' || is_uri_byte(c)),
                "the statement has a forbidden character",
            )?;
            lines.blank("an empty line belongs after the statement, which is a single line")?;
            Some(text.to_owned())
        }
    };
    let siwe = Siwe {
        scheme,
        domain,
        address,
        statement,
        uri: uri(lines.tagged("URI: ", "the URI line is missing or out of order")?)?,
        chain_id: {
            let version = lines.tagged("Version: ", "the version line is missing or out of order")?;
            ensure(version == "1", "the version is not 1")?;
            chain_id(lines.tagged("Chain ID: ", "the chain id line is missing or out of order")?)?
        },
        nonce: nonce(lines.tagged("Nonce: ", "the nonce line is missing or out of order")?)?,
        issued_at: date_time(lines.tagged("Issued At: ", "the issued-at line is missing or out of order")?)?,
        expiration_time: lines.optional("Expiration Time: ").map(date_time).transpose()?,
        not_before: lines.optional("Not Before: ").map(date_time).transpose()?,
        request_id: lines.optional("Request ID: ").map(request_id).transpose()?,
        resources: resources(&mut lines)?,
    };
    ensure(lines.0.next().is_none(), "a line is out of order or does not belong there")?;
    Ok(siwe)
}

struct Lines<'a>(Peekable<Split<'a, char>>);

impl<'a> Lines<'a> {
    fn take(&mut self, otherwise: &'static str) -> Result<&'a str, SiweError> {
        self.0.next().ok_or(SiweError::Message(otherwise))
    }

    fn blank(&mut self, otherwise: &'static str) -> Result<(), SiweError> {
        ensure(self.0.next() == Some(""), otherwise)
    }

    fn tagged(&mut self, tag: &str, otherwise: &'static str) -> Result<&'a str, SiweError> {
        self.optional(tag).ok_or(SiweError::Message(otherwise))
    }

    /// What follows the tag, if the next line begins with it; otherwise that line stays.
    fn optional(&mut self, tag: &str) -> Option<&'a str> {
        let value = self.0.peek()?.strip_prefix(tag)?;
        self.0.next();
        Some(value)
    }
}

fn ensure(right: bool, otherwise: &'static str) -> Result<(), SiweError> {
    if right { Ok(()) } else { Err(SiweError::Message(otherwise)) }
}

fn first_line(line: &str) -> Result<(Option<String>, String), SiweError> {
    let origin =
        line.strip_suffix(PREAMBLE).ok_or(SiweError::Message("the first line has another wording"))?;
    let (scheme, domain) = match origin.split_once("://") {
        Some((scheme, domain)) => (Some(scheme), domain),
        None => (None, origin),
    };
    if let Some(scheme) = scheme {
        let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        let goes_on = scheme.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.'));
        ensure(starts && goes_on, "the scheme is not one of RFC 3986")?;
    }
    let authority: Authority =
        domain.parse().map_err(|_| SiweError::Message("the domain is not an authority of RFC 3986"))?;
    ensure(!authority.host().is_empty(), "the domain has no host")?;
    Ok((scheme.map(str::to_owned), domain.to_owned()))
}

/// An address with its checksum: EIP-4361 asks for exactly that spelling.
fn address(line: &str) -> Result<Address, SiweError> {
    let address: Address =
        line.parse().map_err(|_| SiweError::Message("the address is not 0x and 40 hex digits"))?;
    ensure(address.checksummed() == line, "the address is not spelt with its EIP-55 checksum")?;
    Ok(address)
}

fn uri(text: &str) -> Result<String, SiweError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let right = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().flatten().filter(|c| c.is_ascii_hexdigit()).count() == 2
            }
            _ => is_uri_byte(byte),
        };
        ensure(right, "a URI has a character that RFC 3986 forbids")?;
    }
    Url::parse(text).map_err(|_| SiweError::Message("a URI is not one of RFC 3986"))?;
    Ok(text.to_owned())
}

/// RFC 3986's reserved and unreserved characters.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}

fn chain_id(text: &str) -> Result<u64, SiweError> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or(SiweError::Message("the chain id is not a number"))
}

fn nonce(text: &str) -> Result<String, SiweError> {
    let right = text.len() >= 8 && text.bytes().all(|c| c.is_ascii_alphanumeric());
    ensure(right, "the nonce is not at least 8 letters and digits")?;
    Ok(text.to_owned())
}

fn date_time(text: &str) -> Result<DateTime<Utc>, SiweError> {
    // chrono also takes a space or a small letter where RFC 3339's grammar has `T`.
    ensure(text.as_bytes().get(10) == Some(&b'T'), "a time is not in the form of RFC 3339")?;
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| SiweError::Message("a time is not in the form of RFC 3339"))
}

/// `*pchar` of RFC 3986.
fn request_id(text: &str) -> Result<String, SiweError> {
    let right = text.bytes().all(|c| c == b'%' || (is_uri_byte(c) && !b"/?#[]".contains(&c)));
    ensure(right, "the request id has a forbidden character")?;
    Ok(text.to_owned())
}

fn resources(lines: &mut Lines<'_>) -> Result<Vec<String>, SiweError> {
    match lines.optional("Resources:") {
        None => Ok(Vec::new()),
        Some("") => std::iter::from_fn(|| lines.optional("- ")).map(uri).collect(),
        Some(_) => Err(SiweError::Message("resources stand each on a line of its own")),
    }
}
