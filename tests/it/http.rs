//! The HTTP layer, through the router.

mod graphql;
mod limits;
mod routes;
mod websocket;

use std::net::SocketAddr;
use std::sync::Arc;

use api::http::{Check, HttpSettings, HttpState, Readiness};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::support::TestApp;

/// An answer, read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code of the first error.
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

/// Sends a request; a body that is no JSON is read as a string.
async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A POST of JSON with more headers.
async fn post(router: &Router, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(body.into()).unwrap()).await
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// A router over a test's App with settings of its own.
fn router(app: &TestApp, settings: HttpSettings, checks: &[Check]) -> (Router, CancellationToken) {
    let checks = checks.to_vec();
    let readiness: Readiness = Arc::new(move || {
        let checks = checks.clone();
        Box::pin(async move { checks })
    });
    let closing = CancellationToken::new();
    let state = HttpState::new(app.app.clone(), app.schema.clone(), settings, readiness, closing.clone());
    (api::http::router(state), closing)
}

/// Serves a router on a port of its own until the test ends.
async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}
