//! The real assistant: `/embeddings` and `/chat/completions` over HTTP.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::try_join_all;
use lru::LruCache;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    Assistant, NoAnswer, Vector,
    answer::{Completion, Embeddings, alike, failure, is_about_the_question},
    refused, transient,
};
use crate::ports::{
    PortError,
    http::{self, Unread},
};

/// How long one call may take, connecting included: a draft of some thousand characters takes ten seconds, and the
/// API gives an operation 28.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The largest answer read, in bytes: three times the vectors of a batch, written as JSON.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;
/// Texts in one request: the smallest limit among the servers that speak this.
const BATCH: usize = 32;
/// Vectors that are remembered: 6 MiB of them with 1,536 numbers each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

/// Where the assistant is, and who we are to it.
#[derive(Debug, Clone)]
pub struct AssistantSettings {
    /// What the paths are joined to: `https://api.openai.com/v1`. It holds no secret.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: SecretString,
    /// The model that makes vectors of texts.
    pub embedding_model: String,
    /// The model that writes.
    pub chat_model: String,
}

/// The SHA-256 of a text.
type Key = [u8; 32];

/// An [`Assistant`] behind one address.
pub struct OpenAi {
    http: Client,
    embeddings: Url,
    completions: Url,
    settings: AssistantSettings,
    /// The same profiles and projects are looked at again and again, and a text means the same each time.
    known: Mutex<LruCache<Key, Vector>>,
}

impl OpenAi {
    /// Makes the client; nothing is sent.
    ///
    /// # Errors
    /// [`PortError::Refused`] for an address that cannot have a path. The text holds no secret.
    pub fn new(settings: AssistantSettings) -> Result<Self, PortError> {
        let http = http::client(CONNECT_LIMIT, CALL_LIMIT).map_err(refused)?;
        Ok(Self {
            http,
            embeddings: below(&settings.base_url, &["embeddings"])?,
            completions: below(&settings.base_url, &["chat", "completions"])?,
            settings,
            known: Mutex::new(LruCache::new(REMEMBERED)),
        })
    }

    async fn post<T: DeserializeOwned>(&self, url: &Url, request: &Value) -> Result<T, NoAnswer> {
        let key = self.settings.api_key.expose_secret();
        let sent = self.http.post(url.clone()).bearer_auth(key).json(request).send().await;
        let response = sent.map_err(|error| transient(http::describe(error)))?;
        let status = response.status();
        let body = read(response).await;
        if !status.is_success() {
            let error = failure(status, &body.unwrap_or_default(), key);
            return Err(if is_about_the_question(status) { NoAnswer::Declined(error) } else { error.into() });
        }
        // The parser's words may repeat what it read.
        serde_json::from_slice(&body?).map_err(|_| transient("an answer of another shape".to_owned()).into())
    }

    /// The vectors of some texts, remembered as they come: what arrives too late for one who asks is there for the next.
    async fn batch(&self, texts: &[(Key, &String)]) -> Result<Vec<(Key, Vector)>, NoAnswer> {
        let input: Vec<&String> = texts.iter().map(|(_, text)| *text).collect();
        let request = json!({ "model": self.settings.embedding_model, "input": input });
        let answer: Embeddings = self.post(&self.embeddings, &request).await?;
        let vectors = answer.of(texts.len())?;
        let vectors: Vec<(Key, Vector)> = texts.iter().map(|(key, _)| *key).zip(vectors).collect();
        let mut known = self.known();
        for (key, vector) in &vectors {
            known.put(*key, vector.clone());
        }
        Ok(vectors)
    }

    fn known(&self) -> MutexGuard<'_, LruCache<Key, Vector>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, keys: &[Key]) -> HashMap<Key, Vector> {
        let mut known = self.known();
        keys.iter().filter_map(|key| Some((*key, known.get(key)?.clone()))).collect()
    }
}

#[async_trait]
impl Assistant for OpenAi {
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, NoAnswer> {
        let keys: Vec<Key> = texts.iter().map(key).collect();
        let mut vectors = self.remembered(&keys);
        let mut once = HashSet::new();
        let unknown = keys.iter().copied().zip(texts);
        let unknown: Vec<(Key, &String)> =
            unknown.filter(|(key, _)| !vectors.contains_key(key) && once.insert(*key)).collect();
        let batches: Vec<_> = unknown.chunks(BATCH).map(|batch| self.batch(batch)).collect();
        vectors.extend(try_join_all(batches).await?.into_iter().flatten());
        let all: Vec<Vector> = keys.iter().filter_map(|key| vectors.get(key).cloned()).collect();
        if all.len() != texts.len() || !alike(&all) {
            // Another model answers under the same name, or this one is out of its mind: what it said before is no use.
            self.known().clear();
            return Err(transient("the vectors have different lengths".to_owned()).into());
        }
        Ok(all)
    }

    fn unknown(&self, texts: &[String]) -> usize {
        let keys: HashSet<Key> = texts.iter().map(key).collect();
        let known = self.known();
        keys.iter().filter(|key| !known.contains(*key)).count()
    }

    /// No limit of tokens is sent: the servers disagree about its name. What comes is limited in bytes and in time.
    async fn write(&self, task: &str, material: &str) -> Result<String, NoAnswer> {
        let messages = json!([
            { "role": "system", "content": task },
            { "role": "user", "content": material },
        ]);
        let request = json!({ "model": self.settings.chat_model, "messages": messages });
        self.post::<Completion>(&self.completions, &request).await?.text()
    }
}

fn key(text: &String) -> Key {
    Sha256::digest(text).into()
}

fn below(base: &Url, path: &[&str]) -> Result<Url, PortError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| refused("its address cannot have a path".to_owned()))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

async fn read(response: Response) -> Result<Vec<u8>, PortError> {
    http::read(response, ANSWER_LIMIT).await.map_err(|unread| match unread {
        Unread::Broken(reason) => transient(reason),
        Unread::TooLarge => refused(format!("the answer is larger than {ANSWER_LIMIT} bytes")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base_url: &str) -> AssistantSettings {
        AssistantSettings {
            base_url: base_url.parse().unwrap(),
            api_key: "canary-key".into(),
            embedding_model: "small".to_owned(),
            chat_model: "mini".to_owned(),
        }
    }

    #[test]
    fn paths_are_joined_to_the_base_with_or_without_a_slash() {
        for (base, embeddings) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/embeddings"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/embeddings"),
            ("http://127.0.0.1:11434", "http://127.0.0.1:11434/embeddings"),
        ] {
            let client = OpenAi::new(settings(base)).unwrap();
            assert_eq!(client.embeddings.as_str(), embeddings);
            assert!(client.completions.as_str().ends_with("/chat/completions"));
        }
        assert!(!format!("{:?}", settings("https://api.openai.com/v1")).contains("canary"));
    }

    #[tokio::test]
    async fn nobody_there_is_transient_and_names_no_key() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = OpenAi::new(settings(&format!("http://{address}/v1"))).unwrap();
        let error = client.write("Write.", "{}").await.unwrap_err();
        assert_eq!(error, NoAnswer::Failed(transient("no connection".to_owned())));
        // What is remembered needs nobody.
        assert_eq!(client.embed(&[]).await.unwrap(), [] as [Vector; 0]);
    }
}
