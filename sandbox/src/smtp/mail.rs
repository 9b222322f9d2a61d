//! A mail as people and tests read it.

use chrono::{DateTime, SecondsFormat};
use mail_parser::{Message, MessageParser, PartType};
use serde::Serialize;

use super::store::Envelope;

/// One mail in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Its name in this mailbox; sorts by arrival.
    pub id: String,
    /// The envelope's sender; empty for a bounce.
    pub from: String,
    /// The envelope's recipients, as the client wrote them.
    pub to: Vec<String>,
    /// The decoded subject; empty when there is none.
    pub subject: String,
    /// The text part, or the HTML part turned into text.
    pub text: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The `Message-ID` without its angle brackets.
    pub message_id: Option<String>,
    /// The message's own headers, in order, unfolded but not decoded.
    pub headers: Vec<Header>,
    /// When it arrived first: RFC 3339, UTC, by the sandbox's clock.
    pub received_at: String,
    /// How many times it was delivered. More than one: the same `Message-ID` came again for a recipient of this mail.
    pub deliveries: u32,
}

/// One header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Its name, such as `List-Unsubscribe`.
    pub name: String,
    /// Its value on one line.
    pub value: String,
}

impl Mail {
    /// Reads a message. What is not a message at all becomes a mail with its bytes as text.
    pub(super) fn read(id: String, envelope: Envelope, raw: &[u8]) -> Self {
        let message = MessageParser::default().parse(raw);
        let message = message.as_ref();
        Self {
            id,
            from: envelope.from,
            to: envelope.to,
            subject: message.and_then(Message::subject).unwrap_or_default().to_owned(),
            text: message.map_or_else(|| String::from_utf8_lossy(raw).into_owned(), text),
            html: message.and_then(html),
            message_id: message.and_then(Message::message_id).map(str::to_owned),
            headers: message.map(headers).unwrap_or_default(),
            received_at: rfc3339(envelope.received_ms),
            deliveries: envelope.deliveries,
        }
    }

    /// Whether `address` is among the envelope's recipients. Case does not count.
    pub(super) fn is_to(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        self.to.iter().any(|to| to.to_lowercase() == address)
    }
}

fn text(message: &Message<'_>) -> String {
    let text = message.body_text(0).unwrap_or_default();
    text.replace("\r\n", "\n")
}

/// Only a part that is HTML: `mail-parser` would also turn text into HTML.
fn html(message: &Message<'_>) -> Option<String> {
    message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(html.replace("\r\n", "\n")),
        _ => None,
    })
}

fn headers(message: &Message<'_>) -> Vec<Header> {
    let unfolded = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    message
        .headers_raw()
        .map(|(name, value)| Header { name: name.to_owned(), value: unfolded(value) })
        .collect()
}

fn rfc3339(unix_ms: u64) -> String {
    i64::try_from(unix_ms)
        .ok()
        .and_then(DateTime::from_timestamp_millis)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
