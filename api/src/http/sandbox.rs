//! `/sandbox`: the pages and controls of the laptop's outside world, for `megilance dev` only.
//!
//! Whoever reaches these routes reads all mails and pays with everybody's wallet: they belong on loopback, and
//! [`guard`] keeps pages of other sites away from them.

mod duration;
mod host;
mod pages;
mod wallet;

use std::io;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use domain::App;
use http::StatusCode;
use sandbox::evm::Evm;
use sandbox::smtp::{Mail, Mailbox};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use host::guard;

/// Keeps how far the clock was moved, so that a restart does not turn it back.
pub type SaveOffset = Arc<dyn Fn(chrono::Duration) -> io::Result<()> + Send + Sync>;

/// Where everything listens: what `GET /sandbox/info` answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The chain's JSON-RPC.
    pub rpc_url: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The token's contract.
    pub usdc_address: String,
    /// Where deposits go.
    pub treasury_address: String,
    /// The S3 server.
    pub s3_endpoint: String,
    /// Its bucket.
    pub bucket: String,
    /// The mail server.
    pub smtp_url: String,
    /// Circle's API, where payouts are by Circle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circle_url: Option<String>,
}

/// What the routes work with.
#[derive(Clone)]
pub struct Sandbox {
    app: App,
    evm: Arc<Evm>,
    mailbox: Mailbox,
    info: Arc<Info>,
    save_offset: SaveOffset,
    keys: Arc<wallet::Keys>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Over the running parts.
    pub fn new(app: App, evm: Arc<Evm>, mailbox: Mailbox, info: Info, save_offset: SaveOffset) -> Self {
        Self { app, evm, mailbox, info: Arc::new(info), save_offset, keys: Arc::default() }
    }
}

/// The routes, to go beside the API's.
pub fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/sandbox/info", get(info))
        .route("/sandbox/mail/api", get(mails))
        .route("/sandbox/clock", post(clock))
        .route("/sandbox/wallet/pay", post(wallet::pay))
        .route("/sandbox/wallet/new", get(wallet::new))
        .route("/sandbox/wallet/sign", post(wallet::sign))
        .with_state(sandbox)
        .merge(pages::routes())
}

/// What went wrong, as the pages show it.
struct Wrong(StatusCode, String);

impl Wrong {
    fn request(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }

    fn inside(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, why.to_string())
    }
}

impl From<domain::Error> for Wrong {
    fn from(error: domain::Error) -> Self {
        let status = match &error {
            domain::Error::Rejected { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

#[derive(Serialize)]
struct InfoNow {
    #[serde(flatten)]
    info: Info,
    now: DateTime<Utc>,
}

async fn info(State(sandbox): State<Sandbox>) -> Json<InfoNow> {
    Json(InfoNow { info: Info::clone(&sandbox.info), now: sandbox.app.clock.now() })
}

#[derive(Deserialize)]
struct MailQuery {
    to: Option<String>,
}

async fn mails(State(sandbox): State<Sandbox>, Query(query): Query<MailQuery>) -> Json<Vec<Mail>> {
    Json(sandbox.mailbox.list(query.to.as_deref().map(str::trim).filter(|to| !to.is_empty())))
}

#[derive(Deserialize)]
struct Advance {
    advance: String,
}

#[derive(Serialize)]
struct Advanced {
    now: DateTime<Utc>,
}

/// Moves the clock forward. The new offset is on the disk before anybody sees the new time; a block is made at once,
/// since deposits expire by block time. S3 stays on wall time, as its signatures do.
async fn clock(
    State(sandbox): State<Sandbox>,
    Json(Advance { advance }): Json<Advance>,
) -> Result<Json<Advanced>, Wrong> {
    let by = duration::parse(&advance).ok_or_else(|| {
        Wrong::request(
            "Give an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P3D or PT15M.",
        )
    })?;
    let clock = &sandbox.app.clock;
    (sandbox.save_offset)(clock.offset() + by).map_err(Wrong::inside)?;
    clock.advance(by);
    sandbox.evm.mine(1).map_err(Wrong::inside)?;
    Ok(Json(Advanced { now: clock.now() }))
}
