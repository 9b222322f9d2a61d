//! Automatic persisted queries, as Apollo's clients speak them: a document is sent once with its SHA-256 and by the
//! hash alone from then on.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use lru::LruCache;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::params::Params;
use super::problem::{Problem, code};

/// Documents that are remembered at once: with [`DOCUMENT`], 16 MiB at most.
const DOCUMENTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
/// Bytes of the longest document that is remembered; a longer one works, and is sent each time.
const DOCUMENT: usize = 16 * 1024;

/// The documents that this process remembers. After a restart clients send theirs again by themselves.
#[derive(Debug)]
pub(super) struct Persisted(Mutex<LruCache<[u8; 32], Arc<str>>>);

/// A document, and the hash to remember it by once it has proven to be acceptable.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) query: String,
    hash: Option<[u8; 32]>,
}

impl Default for Persisted {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(DOCUMENTS)))
    }
}

impl Persisted {
    /// The document that was sent, or the one that its hash stands for.
    pub(super) fn resolve(&self, params: &mut Params) -> Result<Document, Problem> {
        let sent = params.query.take().filter(|query| !query.is_empty());
        match (sent, params.extensions.get("persistedQuery")) {
            (None, None) => Err(Problem::bad("\"query\" is missing: it has to be a GraphQL document.")),
            (Some(query), None) => Ok(Document { query, hash: None }),
            (None, Some(wish)) => {
                let hash = hash(wish)?;
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let query = known.get(&hash).ok_or_else(unknown)?.to_string();
                Ok(Document { query, hash: None })
            }
            (Some(query), Some(wish)) => {
                let hash = hash(wish)?;
                if Sha256::digest(&query)[..] != hash {
                    return Err(Problem::bad("The sha256Hash is not the SHA-256 of the query."));
                }
                Ok(Document { query, hash: Some(hash) })
            }
        }
    }

    /// Remembers a document that was sent with its hash.
    pub(super) fn remember(&self, hash: Option<[u8; 32]>, query: &str) {
        if let Some(hash) = hash.filter(|_| query.len() <= DOCUMENT) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(hash, query.into());
        }
    }
}

impl Document {
    /// The hash to remember it by, if the client wants that.
    pub(super) const fn hash(&self) -> Option<[u8; 32]> {
        self.hash
    }
}

fn hash(wish: &Value) -> Result<[u8; 32], Problem> {
    let wish = wish.as_object().filter(|wish: &&Map<String, Value>| wish.get("version") == Some(&1.into()));
    let text = wish.and_then(|wish| wish.get("sha256Hash")).and_then(Value::as_str);
    let mut hash = [0; 32];
    match text {
        Some(text) if hex::decode_to_slice(text, &mut hash).is_ok() => Ok(hash),
        _ => Err(Problem::bad(
            "\"persistedQuery\" has to be {\"version\": 1, \"sha256Hash\": \"<64 hex digits>\"}.",
        )),
    }
}

/// Apollo's clients look for this very message or code, and then send the document.
fn unknown() -> Problem {
    let mut problem =
        Problem::new(StatusCode::BAD_REQUEST, code::PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound");
    problem.well_formed = true;
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(known: &Persisted, query: Option<&str>, of: &str) -> Result<String, String> {
        let hash = hex::encode(Sha256::digest(of));
        let mut params = Params::from_value(json!({
            "query": query,
            "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } },
        }))
        .expect("well formed");
        let document = known.resolve(&mut params).map_err(|problem| problem.error.message.clone())?;
        known.remember(document.hash(), &document.query);
        Ok(document.query)
    }

    #[test]
    fn once_sent_the_hash_is_enough() {
        let known = Persisted::default();
        assert_eq!(ask(&known, None, "{ a }"), Err("PersistedQueryNotFound".into()));
        assert_eq!(ask(&known, Some("{ a }"), "{ a }"), Ok("{ a }".into()));
        assert_eq!(ask(&known, None, "{ a }"), Ok("{ a }".into()));
        assert!(ask(&known, Some("{ b }"), "{ a }").is_err(), "a wrong hash must not be remembered");
        assert_eq!(ask(&known, None, "{ a }"), Ok("{ a }".into()));
    }

    #[test]
    fn memory_is_bounded() {
        let known = Persisted::default();
        for n in 0..=DOCUMENTS.get() {
            let query = format!("{{ a{n} }}");
            assert!(ask(&known, Some(&query), &query).is_ok());
        }
        assert!(ask(&known, None, "{ a0 }").is_err(), "the oldest is forgotten");
        assert!(ask(&known, None, "{ a1 }").is_ok());
        let long = "a".repeat(DOCUMENT + 1);
        assert!(ask(&known, Some(&long), &long).is_ok());
        assert!(ask(&known, None, &long).is_err());
    }

    #[test]
    fn a_malformed_wish_is_said() {
        for wish in [
            json!(1),
            json!({}),
            json!({ "version": 2, "sha256Hash": "00" }),
            json!({ "version": 1, "sha256Hash": "xyz" }),
        ] {
            assert!(hash(&wish).is_err(), "{wish}");
        }
    }
}
