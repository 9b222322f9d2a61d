//! JSON-RPC over HTTP to one node.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::abi::revert_reason;
use crate::ports::{
    PortError,
    http::{self, Unread},
};

/// How long one call may take, connecting included.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// The largest answer read, in bytes: far above a block's worth of logs, far below what would hurt.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;
/// The longest text of a node that gets into our errors.
const TEXT_LIMIT: usize = 200;

/// JSON-RPC's own codes for a call that will never be answered: invalid request, unknown method, bad parameters.
const LASTING_CODES: [i64; 3] = [-32600, METHOD_NOT_FOUND, INVALID_PARAMETERS];
/// Of these, the unknown method.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
/// And the bad parameters.
pub(super) const INVALID_PARAMETERS: i64 = -32602;
/// `Limit exceeded` of EIP-1474, and the HTTP code that some providers put there.
const BUSY_CODES: [i64; 2] = [-32005, 429];
/// geth's and its followers' code of a reverted call, and Parity's.
const REVERT_CODES: [i64; 2] = [3, -32015];

/// Why a call gave no result.
#[derive(Debug)]
pub(super) enum RpcError {
    /// No usable answer: it may come later, and whether the node acted is unknown.
    NoAnswer(String),
    /// The answer is larger than we read.
    TooLarge,
    /// The node's front door turned us away (HTTP 4xx): a wrong address or key.
    TurnedAway(StatusCode),
    /// The node answered with an error.
    Node(NodeError),
}

/// An error as JSON-RPC carries it. Codes and texts differ from node to node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeError {
    pub(super) code: i64,
    /// Free of our secrets, one line, cut to size.
    pub(super) message: String,
    pub(super) data: Option<Vec<u8>>,
}

impl NodeError {
    /// Whether the contract reverted the call.
    pub(super) fn is_revert(&self) -> bool {
        REVERT_CODES.contains(&self.code) || self.says("revert") || self.says("invalid opcode")
    }

    /// Whether the node only has no time now, or lags.
    pub(super) fn is_busy(&self) -> bool {
        BUSY_CODES.contains(&self.code)
            || ["too many requests", "rate limit", "timeout"].iter().any(|t| self.says(t))
    }

    /// Whether the text contains these lower-case words. Only a hint: no two nodes use the same.
    pub(super) fn says(&self, words: &str) -> bool {
        self.message.to_ascii_lowercase().contains(words)
    }

    fn reason(&self) -> String {
        let words =
            self.data.as_deref().and_then(revert_reason).filter(|words| !self.message.contains(words));
        let words = words.map(|words| format!(" ({})", one_line(&words))).unwrap_or_default();
        format!("the node says {:?}{words}, code {}", self.message, self.code)
    }

    /// A refusal that will be repeated.
    pub(super) fn refused(&self) -> PortError {
        super::refused(self.reason())
    }

    /// Something that may pass.
    pub(super) fn transient(&self) -> PortError {
        super::transient(self.reason())
    }
}

impl From<RpcError> for PortError {
    /// A node's error is taken to pass unless it says clearly that it will not: a wrong "never" loses a payment's
    /// turn, a wrong "later" costs another look.
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::NoAnswer(reason) => super::transient(reason),
            RpcError::TooLarge => super::refused(format!("the answer is larger than {ANSWER_LIMIT} bytes")),
            RpcError::TurnedAway(status) => super::refused(format!("HTTP {status}")),
            RpcError::Node(error) if LASTING_CODES.contains(&error.code) || error.is_revert() => {
                error.refused()
            }
            RpcError::Node(error) => error.transient(),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    id: Option<u64>,
    #[serde(default)]
    result: Value,
    error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    data: Option<Value>,
}

/// A connection to one node.
pub(super) struct Rpc {
    http: Client,
    url: Url,
    /// Parts of the URL that a node might repeat in an error text.
    secrets: Vec<String>,
    next_id: AtomicU64,
}

impl Rpc {
    pub(super) fn new(url: Url) -> Result<Self, PortError> {
        let http = http::client(CALL_LIMIT / 2, CALL_LIMIT).map_err(super::refused)?;
        Ok(Self { http, secrets: secrets_of(&url), url, next_id: AtomicU64::new(1) })
    }

    /// Calls a method. A `null` result is read as `T` too, so ask for an `Option` where it is possible.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let outcome = self.exchange(method, params).await;
        if let Err(error) = &outcome {
            tracing::debug!(method, ?error, "a call to the chain's node gave no result");
        }
        outcome
    }

    /// Calls two methods in one request: what stands before several nodes hands it to one of them, which answers both.
    /// `None` from a node that takes one call at a time; a node's error is an error, whichever call it is about.
    pub(super) async fn call_both<T: DeserializeOwned, U: DeserializeOwned>(
        &self,
        (first, first_params): (&'static str, Value),
        (second, second_params): (&'static str, Value),
    ) -> Result<Option<(T, U)>, RpcError> {
        let id = self.next_id.fetch_add(2, Ordering::Relaxed);
        let calls = json!([request(id, first, &first_params), request(id + 1, second, &second_params)]);
        let (_, body) = self.post(second, &calls).await?;
        let Ok(mut answers) = serde_json::from_slice::<Vec<Answer>>(&body) else {
            tracing::debug!(method = second, "the chain's node takes one call at a time");
            return Ok(None);
        };
        // A batch is answered in any order.
        let mut answer = |id: u64| {
            let at = answers.iter().position(|answer| answer.id == Some(id));
            at.map(|at| answers.swap_remove(at))
        };
        let (Some(one), Some(two)) = (answer(id), answer(id + 1)) else {
            // Some refuse a batch as one call, in one answer to none.
            tracing::debug!(method = second, "the chain's node answers no batch");
            return Ok(None);
        };
        Ok(Some((self.result(first, one)?, self.result(second, two)?)))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (status, body) = self.post(method, &request(id, method, &params)).await?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            return Err(if status.is_success() {
                no_answer(method, "the answer is not JSON-RPC")
            } else {
                RpcError::TurnedAway(status)
            });
        };
        if answer.error.is_none() && answer.id != Some(id) {
            return Err(no_answer(method, "the answer belongs to another request"));
        }
        self.result(method, answer)
    }

    /// Sends what is asked: the HTTP status and the body of what came back, unless the node is out of order.
    async fn post(&self, method: &'static str, body: &Value) -> Result<(StatusCode, Vec<u8>), RpcError> {
        let sent = self.http.post(self.url.clone()).json(body).send().await;
        let response = sent.map_err(|error| no_answer(method, http::describe(error)))?;
        let status = response.status();
        if status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
        {
            return Err(no_answer(method, format!("HTTP {status}")));
        }
        Ok((status, read(response, |reason| no_answer(method, reason)).await?))
    }

    fn result<T: DeserializeOwned>(&self, method: &'static str, answer: Answer) -> Result<T, RpcError> {
        if let Some(error) = answer.error {
            return Err(RpcError::Node(self.clean(error)));
        }
        serde_json::from_value(answer.result)
            .map_err(|error| no_answer(method, format!("unexpected result: {error}")))
    }

    fn clean(&self, error: WireError) -> NodeError {
        let message = self.secrets.iter().fold(error.message, |text, secret| text.replace(secret, "***"));
        // Most nodes give the bytes in hex, some inside an object.
        let data = error.data.as_ref().and_then(|data| data.as_str().or_else(|| data.get("data")?.as_str()));
        let data = data.and_then(|data| hex::decode(data.strip_prefix("0x")?).ok());
        NodeError { code: error.code, message: one_line(&message), data }
    }
}

fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn no_answer(method: &str, reason: impl fmt::Display) -> RpcError {
    RpcError::NoAnswer(format!("{method}: {reason}"))
}

async fn read(response: Response, no_answer: impl Fn(String) -> RpcError) -> Result<Vec<u8>, RpcError> {
    http::read(response, ANSWER_LIMIT).await.map_err(|unread| match unread {
        Unread::Broken(reason) => no_answer(reason),
        Unread::TooLarge => RpcError::TooLarge,
    })
}

fn one_line(text: &str) -> String {
    http::one_line(text, TEXT_LIMIT)
}

/// Providers put their keys into the path, the query or the user part.
fn secrets_of(url: &Url) -> Vec<String> {
    let path = url.path_segments().into_iter().flatten().map(str::to_owned);
    let query = url.query_pairs().map(|(_, value)| value.into_owned());
    let user = [url.username(), url.password().unwrap_or_default()].map(str::to_owned);
    path.chain(query).chain(user).filter(|part| part.len() >= 8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(code: i64, message: &str) -> NodeError {
        NodeError { code, message: message.to_owned(), data: None }
    }

    #[test]
    fn only_a_clear_never_is_refused() {
        let refused =
            [node(-32601, "method not found"), node(3, "execution reverted"), node(-32000, "Revert: x")];
        for error in refused {
            assert!(!PortError::from(RpcError::Node(error.clone())).is_transient(), "{error:?}");
        }
        let passing = [node(-32000, "header not found"), node(-32603, "internal"), node(429, "slow down")];
        for error in passing {
            assert!(PortError::from(RpcError::Node(error.clone())).is_transient(), "{error:?}");
        }
        assert!(PortError::from(RpcError::NoAnswer(String::new())).is_transient());
        assert!(!PortError::from(RpcError::TurnedAway(StatusCode::UNAUTHORIZED)).is_transient());
    }

    #[test]
    fn a_node_that_repeats_our_key_does_not_get_it_into_an_error() {
        let url = "https://someone:hunter22@rpc.example/v3/0123456789abcdef?token=fedcba9876543210";
        let rpc = Rpc::new(url.parse().unwrap()).unwrap();
        let text = "bad\nproject 0123456789abcdef, fedcba9876543210, hunter22";
        let wire = WireError { code: 1, message: text.to_owned(), data: Some(json!({"data": "0xff"})) };
        let error = rpc.clean(wire);
        assert_eq!(error.message, "bad project ***, ***, ***");
        assert_eq!(error.data, Some(vec![0xff]));
    }

    #[tokio::test]
    async fn nobody_there_is_transient_and_names_no_url() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let rpc = Rpc::new(format!("http://{address}/v3/0123456789abcdef").parse().unwrap()).unwrap();
        let error = PortError::from(rpc.call::<Value>("eth_chainId", json!([])).await.unwrap_err());
        assert!(error.is_transient());
        assert!(!error.to_string().contains("0123456789abcdef"), "{error}");
    }
}
