//! What others tell us by themselves. Nobody is signed in here: who speaks is known by a signature over the raw body.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use domain::payment::circle::{Notified, notified};
use domain::{Actor, Error};
use http::{HeaderMap, StatusCode};

use super::HttpState;
use super::peer::Peer;
use super::problem::{Problem, code};

/// Bytes of a notification: Circle's have two thousand or so.
const BODY: usize = 64 * 1024;

/// Whoever asks whether somebody listens is told so: Circle does before it sends.
pub(super) async fn circle_listens() -> StatusCode {
    StatusCode::OK
}

/// A notification of Circle. 200 when it was taken, now or before; anything else makes Circle send it again. What Circle signed
/// costs nobody's budget, so that whoever forges notifications uses up their own and keeps none of Circle's out.
pub(super) async fn circle(State(state): State<HttpState>, request: Request) -> Response {
    take(&state, request).await.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
}

async fn take(state: &HttpState, request: Request) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let peer = Peer::of(&parts.headers, &parts.extensions, state.settings.forwarded_hops);
    let body = to_bytes(body, BODY).await.map_err(|_| {
        let message = format!("The body did not arrive whole, or is longer than {} KiB.", BODY / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code::PAYLOAD_TOO_LARGE, message)
    })?;
    let key_id = header(&parts.headers, "x-circle-key-id");
    let signature = header(&parts.headers, "x-circle-signature");
    // A key that we do not know has to be asked for, and anybody can make up ids: of what all may ask for, nobody gets more than
    // their own budget has.
    let may_ask = || {
        let own = state.limiter.request(&state.app.clock, &Actor::Anonymous, peer);
        own.is_ok() && state.limiter.key_lookup().is_ok()
    };
    match notified(&state.app, (key_id, signature), &body, may_ask).await {
        Ok(Notified::New | Notified::Known) => Ok(StatusCode::OK),
        Ok(Notified::Unsigned) => {
            state.limiter.request(&state.app.clock, &Actor::Anonymous, peer)?;
            let message = "The notification is not signed by Circle.";
            Err(Problem::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, message))
        }
        Ok(Notified::Busy) => {
            state.limiter.request(&state.app.clock, &Actor::Anonymous, peer)?;
            let message =
                "The key of the notification is not known, and too many were asked for: send it again.";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, code::TIMEOUT, message))
        }
        Ok(Notified::Malformed) => Err(Problem::bad("This is no notification of Circle, version 2.")),
        Ok(Notified::NotSetUp) => {
            Err(Problem::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "Circle is not set up here."))
        }
        Err(error @ Error::Port(_)) => {
            tracing::warn!(%error, "a notification could not be checked; it comes again");
            let message = "The notification cannot be checked at the moment: send it again.";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, code::TIMEOUT, message))
        }
        Err(error) => Err(error.into()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
