//! What the server answers. Nothing of its texts gets into our errors: they may repeat what was asked, or the key.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::{NoAnswer, Vector, refused, transient};
use crate::ports::PortError;

/// The longest code of an error that is repeated.
const CODE_LIMIT: usize = 64;

#[derive(Deserialize)]
pub(super) struct Embeddings {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

impl Embeddings {
    /// The vectors of so many texts, in the order of the texts: the server may give them in any.
    pub(super) fn of(self, texts: usize) -> Result<Vec<Vector>, PortError> {
        let given = self.data.len();
        let mut vectors = vec![None; texts];
        for Embedding { index, embedding } in self.data {
            if let Some(place) = vectors.get_mut(index).filter(|_| !embedding.is_empty()) {
                *place = Some(Vector::from(embedding));
            }
        }
        // So many given for as many places, and each place taken: none twice.
        let all: Option<Vec<_>> = vectors.into_iter().collect();
        all.filter(|_| given == texts)
            .ok_or_else(|| transient(format!("{given} vectors do not answer {texts} texts, each by one")))
    }
}

/// Whether vectors can be compared with each other.
pub(super) fn alike(vectors: &[Vector]) -> bool {
    vectors.iter().all(|vector| Some(vector.len()) == vectors.first().map(|first| first.len()))
}

#[derive(Deserialize)]
pub(super) struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

impl Completion {
    /// What was written, never blank.
    pub(super) fn text(self) -> Result<String, NoAnswer> {
        let message = self.choices.into_iter().next().map(|choice| choice.message);
        match message {
            Some(Message { refusal: Some(_), .. }) => {
                Err(NoAnswer::Declined(refused("the model declines".to_owned())))
            }
            Some(Message { content: Some(text), .. }) if !text.trim().is_empty() => Ok(text),
            // What is asked brings that about, as a refusal does: it says nothing of the model's health.
            Some(_) => Err(NoAnswer::Declined(refused("an answer without a text".to_owned()))),
            None => Err(transient("an answer without a text".to_owned()).into()),
        }
    }
}

/// What an answer other than 2xx says: its status, and its code where that is a word.
pub(super) fn failure(status: StatusCode, body: &[u8], key: &str) -> PortError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = ["code", "type"].iter().find_map(|name| body["error"][*name].as_str());
    let code = code.filter(|code| is_word(code) && !code.contains(key));
    let reason = code.map_or_else(|| format!("HTTP {status}"), |code| format!("HTTP {status}, {code}"));
    let passes = status.is_server_error()
        || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
    if passes { transient(reason) } else { refused(reason) }
}

/// Whether a status is about what was asked, and not about who asks or how the server is: a filter may refuse what
/// people wrote.
pub(super) fn is_about_the_question(status: StatusCode) -> bool {
    let such = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
    such.contains(&status)
}

fn is_word(code: &str) -> bool {
    let letters = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    letters && (1..=CODE_LIMIT).contains(&code.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn embeddings(of: Value, texts: usize) -> Option<Vec<Vector>> {
        serde_json::from_value::<Embeddings>(json!({ "data": of })).ok()?.of(texts).ok()
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts() {
        let data = json!([{ "index": 1, "embedding": [0.5, 1] }, { "index": 0, "embedding": [-1, 0], "object": "x" }]);
        let vectors = embeddings(data, 2).unwrap();
        assert_eq!((&*vectors[0], &*vectors[1]), (&[-1.0_f32, 0.0][..], &[0.5_f32, 1.0][..]));
        assert!(alike(&vectors) && alike(&[]));
    }

    #[test]
    fn anything_but_one_vector_for_each_text_is_no_answer() {
        let one = |index: i32| json!({ "index": index, "embedding": [1.0] });
        for (data, texts) in [
            (json!([]), 1),
            (json!([one(0)]), 2),
            (json!([one(0), one(0)]), 2),
            (json!([one(0), one(1)]), 1),
            (json!([one(0), one(2)]), 2),
            (json!([{ "index": 0, "embedding": [] }]), 1),
            (json!([{ "index": 0, "embedding": "AAAA" }]), 1),
            (json!([{ "index": 0 }]), 1),
        ] {
            assert_eq!(embeddings(data.clone(), texts), None, "{data} for {texts}");
        }
        let uneven = json!([{ "index": 0, "embedding": [1.0] }, { "index": 1, "embedding": [1.0, 0.0] }]);
        assert!(!alike(&embeddings(uneven, 2).unwrap()));
    }

    #[test]
    fn a_completion_has_a_text_or_says_why_not() {
        let text = |message: Value| {
            let answer = json!({ "choices": [{ "message": message, "finish_reason": "stop" }] });
            serde_json::from_value::<Completion>(answer).unwrap().text()
        };
        assert_eq!(text(json!({ "role": "assistant", "content": "Dear all" })).unwrap(), "Dear all");
        for silent in [json!({ "content": null }), json!({ "content": " \n" }), json!({})] {
            assert!(matches!(text(silent).unwrap_err(), NoAnswer::Declined(why) if !why.is_transient()));
        }
        let declined = text(json!({ "content": null, "refusal": "No: the secret is out" })).unwrap_err();
        assert_eq!(declined, NoAnswer::Declined(refused("the model declines".to_owned())));
        let none: Completion = serde_json::from_value(json!({ "choices": [] })).unwrap();
        assert!(matches!(none.text().unwrap_err(), NoAnswer::Failed(why) if why.is_transient()));
    }

    #[test]
    fn a_failure_repeats_a_code_and_never_a_text() {
        let fail = |status: u16, error: Value| {
            let body = json!({ "error": error }).to_string();
            failure(StatusCode::from_u16(status).unwrap(), body.as_bytes(), "canary_key")
        };
        let wrong_key =
            json!({ "message": "Incorrect API key provided: canary_key", "code": "invalid_api_key" });
        assert_eq!(fail(401, wrong_key), refused("HTTP 401 Unauthorized, invalid_api_key".to_owned()));
        let busy = fail(429, json!({ "type": "insufficient_quota", "code": null }));
        assert_eq!(busy, transient("HTTP 429 Too Many Requests, insufficient_quota".to_owned()));
        for code in ["canary_key", "Your key", "", &"x".repeat(65)] {
            assert_eq!(
                fail(400, json!({ "code": code })),
                refused("HTTP 400 Bad Request".to_owned()),
                "{code}"
            );
        }
        for (status, passes, about_the_question) in [
            (307, false, false),
            (400, false, true),
            (401, false, false),
            (404, false, false),
            (408, true, false),
            (413, false, true),
            (422, false, true),
            (429, true, false),
            (500, true, false),
            (503, true, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let error = failure(status, b"<html>", "canary_key");
            assert_eq!(error.is_transient(), passes, "{status}");
            assert_eq!(is_about_the_question(status), about_the_question, "{status}");
        }
    }
}
