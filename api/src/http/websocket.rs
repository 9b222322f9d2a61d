//! `/graphql/ws`: subscriptions, as `graphql-transport-ws`.
//!
//! async-graphql has an implementation of its own, which closes with codes that the protocol does not know, lets one id
//! replace another, and has no place to ask again who is listening; hence this one.

mod connection;
mod message;

use axum::RequestExt as _;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use tracing::Instrument as _;
use url::Url;

use super::admission::Client;
use super::problem::{Problem, code};
use super::{BODY, HttpState};
use connection::Connection;

const PROTOCOL: &str = "graphql-transport-ws";

pub(super) async fn upgrade(State(state): State<HttpState>, request: Request) -> Response {
    if !is_welcome(request.headers(), &state) {
        let message =
            "Pages of this origin may not open a WebSocket here. CORS_ORIGINS names those that may.";
        return Problem::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message).into_response();
    }
    let client = Client::of(&request, state.settings.forwarded_hops);
    if let Err(refused) = state.limiter.request(&state.app.clock, &domain::Actor::Anonymous, client.peer) {
        return Problem::from(refused).into_response();
    }
    let upgrade = match request.extract::<WebSocketUpgrade, _>().await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let message = format!("This is a WebSocket of {PROTOCOL}: {}", rejection.body_text());
            return Problem::new(rejection.status(), code::BAD_REQUEST, message).into_response();
        }
    };
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(BODY).max_frame_size(BODY);
    let span = tracing::info_span!("websocket");
    upgrade.on_upgrade(move |socket| Connection::new(state, client).serve(socket).instrument(span))
}

/// Browsers do not ask by CORS before they open a WebSocket, so the origin is checked here. Other clients send none.
fn is_welcome(headers: &HeaderMap, state: &HttpState) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else { return false };
    let here = headers.get(HOST).and_then(|host| host.to_str().ok());
    let same_host = here.is_some_and(|host| host == authority(&origin));
    same_host
        || origin.origin() == state.app.settings.public_url.origin()
        || state.settings.cors_origins.iter().any(|allowed| {
            allowed == "*" || Url::parse(allowed).is_ok_and(|allowed| allowed.origin() == origin.origin())
        })
}

/// Host and port as the `Host` header has them: without a scheme's own port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
