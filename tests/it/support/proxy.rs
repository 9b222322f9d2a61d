//! Something that stands before a server and goes wrong on demand: it is slow, drops answers, fails, or lies. What it says nothing
//! about is passed on as it came. It knows a node's JSON-RPC by its methods, and Circle's API by its requests.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It takes so long.
    Slow(Duration),
    /// The other side gets the request and acts on it, and the connection breaks before its answer.
    Cut,
    /// It answers with this status and never hears of the request.
    Status(u16),
    /// A JSON-RPC call is answered with this error, and never passed on.
    Refused { code: i64, message: &'static str },
    /// It answers with this status and JSON, and never hears of the request.
    Says(u16, Value),
    /// A call is answered with this instead of the truth. Where the truth is an object, what is given here takes the place of its
    /// fields. The truth is a node's `result`, or Circle's `data`.
    Lie(Value),
}

/// One thing that goes wrong, for the calls of one JSON-RPC method, for some requests or for all.
#[derive(Debug, Clone)]
struct Rule {
    method: Option<&'static str>,
    /// How the request begins, query included: `POST /v1/payouts`, `GET /v1/payouts?`.
    request: Option<&'static str>,
    /// The first parameter of the call, if that matters.
    first: Option<Value>,
    fault: Fault,
}

#[derive(Debug, Default)]
struct Switches {
    rules: Vec<Rule>,
    /// The calls that were made, answered truly or not: by method, or, where there is none, by request.
    calls: Vec<String>,
}

/// A running proxy; gone when dropped.
#[derive(Debug)]
pub struct Proxy {
    switches: Arc<Mutex<Switches>>,
    url: String,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Server {
    switches: Arc<Mutex<Switches>>,
    upstream: String,
    http: reqwest::Client,
}

impl Proxy {
    /// Before the server at this address.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let switches = Arc::<Mutex<Switches>>::default();
        let server = Server {
            switches: Arc::clone(&switches),
            upstream: upstream.trim_end_matches('/').to_owned(),
            http: reqwest::Client::new(),
        };
        let router = Router::new().fallback(handle).with_state(server);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { switches, url, task }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on every call of a JSON-RPC method goes wrong.
    pub fn set(&self, method: &'static str, fault: Fault) {
        self.add(Rule { method: Some(method), request: None, first: None, fault });
    }

    /// Every call of a method with this first parameter goes wrong.
    pub fn set_for(&self, method: &'static str, first: Value, fault: Fault) {
        self.add(Rule { method: Some(method), request: None, first: Some(first), fault });
    }

    /// From now on every request that begins so, as in `POST /v1/payouts`, goes wrong.
    pub fn on(&self, request: &'static str, fault: Fault) {
        self.add(Rule { method: None, request: Some(request), first: None, fault });
    }

    /// From now on every request goes wrong, whatever it is.
    pub fn all(&self, fault: Fault) {
        self.add(Rule { method: None, request: None, first: None, fault });
    }

    /// Nothing goes wrong any more.
    pub fn cure(&self) {
        self.switches.lock().unwrap().rules.clear();
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.switches.lock().unwrap().calls.iter().filter(|call| *call == method).count()
    }

    /// How many requests began so.
    pub fn requests(&self, beginning: &str) -> usize {
        self.switches.lock().unwrap().calls.iter().filter(|call| call.starts_with(beginning)).count()
    }

    fn add(&self, rule: Rule) {
        self.switches.lock().unwrap().rules.push(rule);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Switches {
    /// What goes wrong with a request, the rule given last first.
    fn fault(&mut self, call: Option<&Value>, request: &str) -> Option<Fault> {
        let method = call.and_then(|call| call["method"].as_str());
        self.calls.push(method.unwrap_or(request).to_owned());
        let first = call.map(|call| &call["params"][0]);
        let matches = |rule: &&Rule| {
            rule.method.is_none_or(|wanted| Some(wanted) == method)
                && rule.request.is_none_or(|wanted| request.starts_with(wanted))
                && rule.first.as_ref().is_none_or(|wanted| Some(wanted) == first)
        };
        self.rules.iter().rfind(matches).map(|rule| rule.fault.clone())
    }
}

async fn handle(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call: Option<Value> = serde_json::from_slice(&body).ok();
    let Some(Value::Array(calls)) = call else {
        return one(&server, method, &uri, headers, body, call).await;
    };
    // A batch: each call of it goes wrong by itself, and what is no answer to one is none to all.
    let mut answers = Vec::new();
    for call in calls {
        let body = Bytes::from(call.to_string());
        let response = one(&server, method.clone(), &uri, headers.clone(), body, Some(call)).await;
        if !response.status().is_success() {
            return response;
        }
        let Ok(answer) = axum::body::to_bytes(response.into_body(), usize::MAX).await else { return cut() };
        answers.push(serde_json::from_slice::<Value>(&answer).unwrap());
    }
    axum::response::IntoResponse::into_response(axum::Json(answers))
}

/// Breaks off instead of answering.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}

async fn one(
    server: &Server,
    method: Method,
    uri: &Uri,
    headers: HeaderMap,
    body: Bytes,
    call: Option<Value>,
) -> Response {
    let request = format!("{method} {}", uri.path_and_query().map_or("/", |path| path.as_str()));
    let fault = server.switches.lock().unwrap().fault(call.as_ref(), &request);
    let speaks_rpc = call.as_ref().is_some_and(|call| call.get("jsonrpc").is_some());
    let envelope = |what: &str, value: Value| {
        let id = call.as_ref().map(|call| call["id"].clone()).unwrap_or_default();
        axum::response::IntoResponse::into_response(axum::Json(
            json!({ "jsonrpc": "2.0", "id": id, what: value }),
        ))
    };
    match fault {
        Some(Fault::Status(status)) => Response::builder()
            .status(StatusCode::from_u16(status).unwrap())
            .body(Body::from("out of order"))
            .unwrap(),
        Some(Fault::Says(status, answer)) => said(status, &answer),
        Some(Fault::Refused { code, message }) => {
            envelope("error", json!({ "code": code, "message": message }))
        }
        Some(Fault::Slow(by)) => {
            tokio::time::sleep(by).await;
            server.pass_on(method, uri, headers, body).await
        }
        Some(Fault::Cut) => {
            drop(server.pass_on(method, uri, headers, body).await);
            cut()
        }
        Some(Fault::Lie(lie)) if !speaks_rpc => {
            let answer = server.pass_on(method, uri, headers, body).await;
            if !answer.status().is_success() {
                return answer;
            }
            let (parts, body) = answer.into_parts();
            let truth = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let truth: Value = serde_json::from_slice(&truth).unwrap();
            said(parts.status.as_u16(), &json!({ "data": told(truth["data"].clone(), lie) }))
        }
        Some(Fault::Lie(lie)) => {
            let truth = server.http.post(&server.upstream).header(header::CONTENT_TYPE, "application/json");
            let truth: Value = truth.body(body).send().await.unwrap().json().await.unwrap();
            envelope("result", told(truth["result"].clone(), lie))
        }
        None => server.pass_on(method, uri, headers, body).await,
    }
}

fn said(status: u16, answer: &Value) -> Response {
    let json = Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header(header::CONTENT_TYPE, "application/json");
    json.body(Body::from(answer.to_string())).unwrap()
}

/// The truth with what is lied about in its place.
fn told(truth: Value, lie: Value) -> Value {
    match (truth, lie) {
        (Value::Object(mut truth), Value::Object(lie)) => {
            truth.extend(lie);
            Value::Object(truth)
        }
        (_, lie) => lie,
    }
}

impl Server {
    async fn pass_on(&self, method: Method, uri: &Uri, mut headers: HeaderMap, body: Bytes) -> Response {
        // What belongs to this connection, and not to the one behind.
        const OWN: [HeaderName; 4] =
            [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        for name in &OWN {
            headers.remove(name);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = self.http.request(method, format!("{}{path}", self.upstream)).headers(headers).body(body);
        let Ok(answer) = sent.send().await else {
            return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
        };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for name in &OWN {
            headers.remove(name);
        }
        let mut response = Response::new(Body::from(answer.bytes().await.unwrap_or_default()));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}
