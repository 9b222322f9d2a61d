//! The assistant's other side: a server that speaks OpenAI's interface, and answers as it is told to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use crate::support::{ASSISTANT_KEY, text};

/// A text points where these words do, as often as it has them.
const WORDS: [&str; 3] = ["plants", "shop", "ledger"];

/// How the model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// With this status, and an error that repeats the key wherever it can.
    Status(u16),
    /// After ten seconds.
    Slow,
    /// What is not JSON.
    Garbage,
    /// One vector too few; a completion without a choice.
    TooFew,
    /// The first vector is longer; a completion without a text.
    Uneven,
    /// It will not write this.
    Declines,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) body: Value,
}

struct Inner {
    mood: Mood,
    writes: String,
    asked: Vec<Asked>,
}

/// A server that speaks OpenAI's interface.
#[derive(Clone)]
pub(super) struct Model(Arc<Mutex<Inner>>);

impl Model {
    /// The model, and its base URL.
    pub(super) async fn start() -> (Self, String) {
        let inner = Inner { mood: Mood::Well, writes: "Dear all".to_owned(), asked: Vec::new() };
        let model = Self(Arc::new(Mutex::new(inner)));
        let routes = Router::new()
            .route("/v1/embeddings", post(answer))
            .route("/v1/chat/completions", post(answer))
            .with_state(model.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (model, url)
    }

    pub(super) fn is(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    pub(super) fn writes(&self, text: &str) {
        text.clone_into(&mut self.0.lock().unwrap().writes);
    }

    /// What was asked since the last look.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// The one request since the last look: what the system and the user said.
    pub(super) fn told(&self) -> (String, Value) {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        assert_eq!(asked[0].path, "/v1/chat/completions");
        assert_eq!(asked[0].authorization, format!("Bearer {ASSISTANT_KEY}"));
        let body = &asked[0].body;
        assert_eq!(body["model"], "test-chat");
        let messages = body["messages"].as_array().unwrap();
        let roles: Vec<_> = messages.iter().map(|message| text(&message["role"])).collect();
        assert_eq!(roles, ["system", "user"]);
        (text(&messages[0]["content"]), serde_json::from_str(&text(&messages[1]["content"])).unwrap())
    }
}

async fn answer(
    State(model): State<Model>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    let asked =
        Asked { path: uri.path().to_owned(), authorization: authorization.clone(), body: body.clone() };
    let (mood, writes) = {
        let mut inner = model.0.lock().unwrap();
        inner.asked.push(asked);
        (inner.mood, inner.writes.clone())
    };
    match mood {
        Mood::Slow => tokio::time::sleep(Duration::from_secs(10)).await,
        Mood::Garbage => return "<html>Good day</html>".into_response(),
        Mood::Status(status) => {
            let key = authorization.trim_start_matches("Bearer ");
            let error =
                json!({ "message": format!("Not with {key}"), "type": key, "code": key, "param": key });
            let status = StatusCode::from_u16(status).unwrap();
            return (status, Json(json!({ "error": error }))).into_response();
        }
        Mood::Well | Mood::TooFew | Mood::Uneven | Mood::Declines => {}
    }
    Json(if uri.path().ends_with("/embeddings") {
        embeddings(&body, mood)
    } else {
        completion(&writes, mood)
    })
    .into_response()
}

/// A vector a text, the last one first: the interface promises no order.
fn embeddings(body: &Value, mood: Mood) -> Value {
    let texts = body["input"].as_array().unwrap();
    let mut data: Vec<Value> = (0..texts.len())
        .map(|index| {
            let said = texts[index].as_str().unwrap().to_lowercase();
            assert!(!said.is_empty() && said.chars().count() <= 1_500, "{said:?}");
            let mut vector: Vec<usize> = WORDS.iter().map(|word| said.matches(word).count()).collect();
            if mood == Mood::Uneven && index == 0 {
                vector.push(1);
            }
            json!({ "object": "embedding", "index": index, "embedding": vector })
        })
        .rev()
        .collect();
    if mood == Mood::TooFew {
        data.pop();
    }
    json!({ "object": "list", "data": data, "model": body["model"], "usage": { "total_tokens": 1 } })
}

fn completion(writes: &str, mood: Mood) -> Value {
    let content = if [Mood::Uneven, Mood::Declines].contains(&mood) { Value::Null } else { json!(writes) };
    let refusal = if mood == Mood::Declines { json!("I will not.") } else { Value::Null };
    let message = json!({ "role": "assistant", "content": content, "refusal": refusal });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let choices = if mood == Mood::TooFew { Vec::new() } else { vec![choice] };
    json!({ "id": "chatcmpl-1", "object": "chat.completion", "choices": choices })
}
