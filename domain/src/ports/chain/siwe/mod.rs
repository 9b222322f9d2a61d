//! Sign-In with Ethereum (EIP-4361): the message by which somebody shows that a wallet is theirs.
//!
//! [`message`] writes one, [`parse`] reads one back strictly, [`recover`] tells who signed it.

use chrono::{DateTime, SecondsFormat, Utc};

use super::Address;

mod parse;
mod signature;

pub use parse::parse;
pub use signature::recover;

/// What follows the domain on the first line.
const PREAMBLE: &str = " wants you to sign in with your Ethereum account:";

/// The fields of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siwe {
    /// The URI scheme of whoever asks, such as `https`.
    pub scheme: Option<String>,
    /// Who asks: host and, where it is not the usual one, port.
    pub domain: String,
    /// Who is asked to sign.
    pub address: Address,
    /// One line for the person who signs: letters, digits, spaces and the punctuation that RFC 3986 names.
    pub statement: Option<String>,
    /// What it is signed for.
    pub uri: String,
    /// On which chain.
    pub chain_id: u64,
    /// At least 8 letters and digits, never given out twice.
    pub nonce: String,
    /// When it was written.
    pub issued_at: DateTime<Utc>,
    /// From when it is no longer good.
    pub expiration_time: Option<DateTime<Utc>>,
    /// From when it is good.
    pub not_before: Option<DateTime<Utc>>,
    /// Names the request to whoever asked.
    pub request_id: Option<String>,
    /// What else belongs to it: URIs.
    pub resources: Vec<String>,
}

impl Siwe {
    /// Whether its own time is over.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expiration_time.is_some_and(|end| end <= now)
    }
}

/// Why a message or its signature is not accepted. The texts are fit for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiweError {
    /// The message does not follow the grammar.
    #[error("the message does not follow EIP-4361: {0}")]
    Message(&'static str),
    /// The signature cannot be one of a wallet.
    #[error("the signature is not valid: {0}")]
    Signature(&'static str),
}

/// The text to sign. The fields must keep to the grammar, as [`parse`] would check them.
pub fn message(siwe: &Siwe) -> String {
    let mut lines = Vec::with_capacity(16);
    let scheme = siwe.scheme.as_ref().map(|scheme| format!("{scheme}://")).unwrap_or_default();
    lines.push(format!("{scheme}{}{PREAMBLE}", siwe.domain));
    lines.push(siwe.address.checksummed());
    lines.push(String::new());
    lines.extend(siwe.statement.clone());
    lines.push(String::new());
    lines.push(format!("URI: {}", siwe.uri));
    lines.push("Version: 1".to_owned());
    lines.push(format!("Chain ID: {}", siwe.chain_id));
    lines.push(format!("Nonce: {}", siwe.nonce));
    lines.push(format!("Issued At: {}", date_time(siwe.issued_at)));
    lines.extend(siwe.expiration_time.map(|time| format!("Expiration Time: {}", date_time(time))));
    lines.extend(siwe.not_before.map(|time| format!("Not Before: {}", date_time(time))));
    lines.extend(siwe.request_id.as_ref().map(|id| format!("Request ID: {id}")));
    if !siwe.resources.is_empty() {
        lines.push("Resources:".to_owned());
        lines.extend(siwe.resources.iter().map(|uri| format!("- {uri}")));
    }
    lines.join("\n")
}

fn date_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests;
