//! JSON-RPC 2.0 over HTTP: the server, batches, and which method is answered where.

mod ask;
mod call;
mod control;
mod fees;
mod logs;
mod params;
mod send;
mod show;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::params::Params;
use super::Shared;
use super::error::{EvmError, Refusal};

/// The most requests in one batch.
const BATCH: usize = 1000;

/// Answers requests until cancelled.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, cancel: CancellationToken) {
    let router = Router::new().route("/", post(handle).options(preflight)).with_state(shared);
    let served = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the sandbox chain stopped listening");
    }
}

/// Pages of any origin may ask, as with anvil: a dapp under development is one, and there is nothing of value
/// here.
const CORS: [(HeaderName, HeaderValue); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type")),
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST")),
];

async fn preflight() -> Response {
    (StatusCode::NO_CONTENT, CORS).into_response()
}

async fn handle(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    // Off the async threads: execution takes a millisecond, and the journal waits for the disk.
    let reply = tokio::task::spawn_blocking(move || reply(&shared, &body)).await;
    match reply {
        Ok(Some(reply)) => (CORS, axum::Json(reply)).into_response(),
        Ok(None) => (StatusCode::NO_CONTENT, CORS).into_response(),
        Err(error) => {
            tracing::error!(%error, "a request to the sandbox chain failed");
            (StatusCode::INTERNAL_SERVER_ERROR, CORS).into_response()
        }
    }
}

/// The answer to a body; `None` when it holds notifications only.
fn reply(shared: &Shared, body: &[u8]) -> Option<Value> {
    match serde_json::from_slice(body) {
        Err(error) => Some(envelope(Value::Null, Err(Fault::new(-32700, format!("parse error: {error}"))))),
        Ok(Value::Array(batch)) if batch.is_empty() || batch.len() > BATCH => {
            let fault = Fault::new(-32600, format!("a batch holds 1 to {BATCH} requests"));
            Some(envelope(Value::Null, Err(fault)))
        }
        Ok(Value::Array(batch)) => {
            let replies: Vec<_> = batch.into_iter().filter_map(|request| one(shared, request)).collect();
            (!replies.is_empty()).then_some(Value::Array(replies))
        }
        Ok(request) => one(shared, request),
    }
}

fn one(shared: &Shared, mut request: Value) -> Option<Value> {
    let Some(method) = request.get("method").and_then(Value::as_str).map(str::to_owned) else {
        return Some(envelope(Value::Null, Err(Fault::new(-32600, "not a request"))));
    };
    let params = Params::new(request.get_mut("params").map(Value::take));
    let answer = params.and_then(|params| answer(shared, &method, &params));
    let id = request.get_mut("id").map(Value::take)?;
    Some(envelope(id, answer))
}

fn envelope(id: Value, answer: Result<Value, Fault>) -> Value {
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Fault { code, message, data }) => {
            let mut error = json!({ "code": code, "message": message });
            if let Some(data) = data {
                error["data"] = Value::String(data);
            }
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
    }
}

/// A JSON-RPC error.
#[derive(Debug)]
struct Fault {
    code: i64,
    message: String,
    /// What a contract gave back when it reverted, in hexadecimal.
    data: Option<String>,
}

impl Fault {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The parameters make no sense.
    fn params(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    /// The request makes sense, but not to this chain as it is.
    fn server(message: impl Into<String>) -> Self {
        Self::new(-32000, message)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Journal(_) => -32603,
            _ => -32000,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<EvmError> for Fault {
    fn from(error: EvmError) -> Self {
        Self::server(error.to_string())
    }
}

/// Every method there is.
fn answer(shared: &Shared, method: &str, params: &Params) -> Result<Value, Fault> {
    let chain = &mut *shared.chain();
    match method {
        "web3_clientVersion" => Ok(json!(concat!("sandbox/", env!("CARGO_PKG_VERSION"), "/revm"))),
        "net_version" => Ok(json!(chain.chain_id.to_string())),
        "net_listening" => Ok(json!(true)),
        "eth_chainId" => Ok(show::quantity(chain.chain_id)),
        "eth_syncing" => Ok(json!(false)),
        "eth_accounts" => Ok(chain.impersonated.iter().map(show::hex).collect()),
        "eth_blockNumber" => Ok(show::quantity(chain.head().number)),
        "eth_getBlockByNumber" | "eth_getBlockByHash" => ask::block(chain, params),
        "eth_getTransactionByHash" => ask::transaction(chain, params),
        "eth_getTransactionReceipt" => ask::receipt(chain, params),
        "eth_getBlockReceipts" => ask::block_receipts(chain, params),
        "eth_getTransactionCount" => ask::nonce(chain, params),
        "eth_getBalance" => ask::balance(chain, params),
        "eth_getCode" => ask::code(chain, params),
        "eth_getStorageAt" => ask::storage(chain, params),
        "eth_getLogs" => logs::get(chain, params),
        "eth_call" => call::call(chain, params),
        "eth_estimateGas" => call::estimate(chain, params),
        "eth_gasPrice" => Ok(fees::gas_price(chain)),
        "eth_maxPriorityFeePerGas" => Ok(fees::tip()),
        "eth_feeHistory" => fees::history(chain, params),
        "eth_sendRawTransaction" => send::raw(chain, params),
        "eth_sendTransaction" => send::impersonated(chain, params),
        "anvil_mine" | "evm_mine" => control::mine(chain, method, params),
        "anvil_reorg" => control::reorg(chain, params),
        "anvil_setBalance" => control::set_balance(chain, params),
        "anvil_impersonateAccount" => control::impersonate(chain, params, true),
        "anvil_stopImpersonatingAccount" => control::impersonate(chain, params, false),
        "anvil_setNextBlockBaseFeePerGas" => control::base_fee(chain, params),
        "anvil_dropTransaction" => control::drop_transaction(chain, params),
        "evm_increaseTime" => control::increase_time(chain, params),
        "evm_setAutomine" => control::automine(shared, chain, params),
        "evm_setIntervalMining" => control::interval(shared, chain, params),
        _ => Err(Fault::new(-32601, format!("the method {method} does not exist/is not available"))),
    }
}
