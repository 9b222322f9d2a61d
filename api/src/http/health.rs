//! `/livez`: the process answers. `/readyz`: it can do its work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::HttpState;

/// How long the checks may take together.
const PATIENCE: Duration = Duration::from_secs(5);

/// One thing that has to be right before requests are sent here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, stable.
    #[serde(skip)]
    pub name: &'static str,
    /// Whether it is right.
    pub ok: bool,
    /// More for whoever looks. Public: no secrets, no error texts of the inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    /// It is right.
    pub const fn passed(name: &'static str) -> Self {
        Self { name, ok: true, detail: None }
    }

    /// It is wrong, for this reason.
    pub fn failed(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, ok: false, detail: Some(detail.into()) }
    }
}

/// Runs all checks: main knows which there are.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync>;

pub(super) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

pub(super) async fn ready(State(state): State<HttpState>) -> Response {
    let checks = tokio::time::timeout(PATIENCE, (state.readiness)())
        .await
        .unwrap_or_else(|_| vec![Check::failed("time", "the checks took more than 5 seconds")]);
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let checks: Map<String, Value> =
        checks.into_iter().map(|check| (check.name.to_owned(), json!(check))).collect();
    let body = json!({ "status": if ready { "ready" } else { "unready" }, "checks": checks });
    (status, Json(body)).into_response()
}
