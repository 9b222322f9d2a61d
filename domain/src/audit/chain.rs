//! What an entry's hash covers, pure.

use std::collections::BTreeMap;

use entities::audit_entry;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash before the first entry: 64 zeros, as the migration wrote them.
pub(super) fn beginning() -> String {
    "0".repeat(64)
}

/// SHA-256, in hex, over every column but the hash itself. Each field comes with its length, so that nothing can
/// move from one to the next; an empty one differs from one that is not there.
pub(super) fn hash(entry: &audit_entry::Model) -> String {
    let mut hasher = Sha256::new();
    let mut field = |bytes: Option<&[u8]>| match bytes {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    };
    field(Some(b"megilance audit 1"));
    field(Some(&entry.sequence.to_be_bytes()));
    field(Some(entry.id.0.as_bytes()));
    field(entry.actor_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
    field(Some(entry.action.as_bytes()));
    field(entry.subject.as_deref().map(str::as_bytes));
    field(Some(entry.details.as_bytes()));
    field(Some(&entry.created_at.timestamp_micros().to_be_bytes()));
    field(Some(entry.previous_hash.as_bytes()));
    hex::encode(hasher.finalize())
}

/// The same JSON with the keys of every object in order: one value has one text, whoever builds serde_json how.
pub(super) fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// The same JSON without e-mail addresses: the log is never changed, and people have a right to be forgotten.
pub(super) fn blotted(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('@') => Value::String(without_addresses(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(blotted).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, blotted(value))).collect())
        }
        other => other,
    }
}

/// Every word that has something on both sides of an `@` becomes `[e-mail]`; the spaces between words stay.
fn without_addresses(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let address = word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        kept.push_str(if address { "[e-mail]" } else { word });
        kept.push_str(&piece[word.len()..]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};
    use entities::{AuditEntryId, UserId};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn entry() -> audit_entry::Model {
        audit_entry::Model {
            id: AuditEntryId(Uuid::from_u128(1)),
            sequence: 7,
            actor_id: Some(UserId(Uuid::from_u128(2))),
            action: "user.suspend".to_owned(),
            subject: Some("usr_1".to_owned()),
            details: "{}".to_owned(),
            previous_hash: beginning(),
            hash: String::new(),
            created_at: DateTime::UNIX_EPOCH + Duration::microseconds(1_700_000_000_123_456),
        }
    }

    #[test]
    fn every_column_counts() {
        let whole = hash(&entry());
        let changed = |change: fn(&mut audit_entry::Model)| {
            let mut entry = entry();
            change(&mut entry);
            hash(&entry)
        };
        assert_eq!(changed(|entry| entry.hash = "x".to_owned()), whole, "but the hash itself");
        let all = [
            changed(|entry| entry.id = AuditEntryId(Uuid::from_u128(3))),
            changed(|entry| entry.sequence = 8),
            changed(|entry| entry.actor_id = None),
            changed(|entry| entry.action = "user.restore".to_owned()),
            changed(|entry| entry.subject = None),
            changed(|entry| entry.subject = Some(String::new())),
            changed(|entry| entry.details = r#"{"a":1}"#.to_owned()),
            changed(|entry| entry.previous_hash = "1".repeat(64)),
            changed(|entry| entry.created_at += Duration::microseconds(1)),
            // What one field loses the next one gets: the lengths tell.
            changed(|entry| {
                entry.action = "user.suspendu".to_owned();
                entry.subject = Some("sr_1".to_owned());
            }),
        ];
        let mut seen: Vec<&String> = all.iter().chain([&whole]).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all.len() + 1, "{all:?}");
    }

    #[test]
    fn the_hash_of_today_is_the_hash_of_tomorrow() {
        // Stored chains depend on it: whoever changes the encoding breaks them all.
        assert_eq!(hash(&entry()), "e5fa0b1211bd08381f44b6e63c3471900ee192ec1a21bdb2d90785bd639e2a05");
    }

    #[test]
    fn json_has_one_text() {
        let value = json!({ "b": [{ "z": 1, "a": 2 }], "a": "x" });
        assert_eq!(canonical(&value).to_string(), r#"{"a":"x","b":[{"a":2,"z":1}]}"#);
    }

    #[test]
    fn addresses_are_blotted_out_wherever_they_stand() {
        let value = json!({ "reason": "Mail from <eve@example.com>,\nsee ana@x.at or @eve", "list": ["a@b"], "n": 1 });
        let wanted =
            json!({ "reason": "Mail from [e-mail]\nsee [e-mail] or @eve", "list": ["[e-mail]"], "n": 1 });
        assert_eq!(blotted(value), wanted);
    }
}
