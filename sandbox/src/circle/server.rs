//! The endpoints, behind the API key and the faults.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::account::{Account, balances};
use super::{Fault, Shared, answer, list, money};

/// The largest request, in bytes.
const BODY: usize = 64 * 1024;

/// Answers requests until stopped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let router = Router::new()
        .route("/v1/addressBook/recipients", post(add_recipient).get(recipients))
        .route("/v1/addressBook/recipients/{id}", get(recipient))
        .route("/v1/payouts", post(add_payout).get(list::payouts))
        .route("/v1/payouts/{id}", get(payout))
        .route("/v1/businessAccount/balances", get(balance))
        .route("/v2/notifications/publicKey/{id}", get(public_key))
        .fallback(async || answer::not_found())
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), gate))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(shared);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the sandbox's Circle stopped listening");
    }
}

async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match shared.fault() {
        Some(Fault::RateLimited(seconds)) => return answer::rate_limited(seconds),
        Some(Fault::Broken) => return answer::broken(),
        _ => {}
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(shared.api_key.as_str()) {
        return answer::unauthorized();
    }
    next.run(request).await
}

/// Off the async threads, since a change waits for the disk.
pub(super) async fn change(
    shared: Arc<Shared>,
    change: impl FnOnce(&mut Account, u64) -> Response + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(move || shared.change(change)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, "the account of the sandbox's Circle cannot be written");
            answer::broken()
        }
        Err(error) => {
            tracing::error!(%error, "a request to the sandbox's Circle failed");
            answer::broken()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewRecipient {
    idempotency_key: String,
    chain: String,
    address: String,
}

async fn add_recipient(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let new: NewRecipient = match read(&body) {
        Ok(new) => new,
        Err(refusal) => return *refusal,
    };
    if let Err(refusal) = require_key(&new.idempotency_key) {
        return *refusal;
    }
    if new.chain.is_empty() {
        return answer::invalid("chain", "chain may not be empty");
    }
    let hex = new.address.strip_prefix("0x");
    if !hex.is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        return answer::invalid("address", "address is not one of this chain");
    }
    let screening = shared.screening;
    change(shared, move |account, now| {
        match account.add_recipient(&new.idempotency_key, &new.chain, &new.address, screening, now) {
            Ok(row) => answer::data(StatusCode::CREATED, &answer::recipient(&row)),
            Err(refusal) => refusal.into_response(),
        }
    })
    .await
}

#[derive(Deserialize)]
struct Wanted {
    address: Option<String>,
    chain: Option<String>,
}

async fn recipients(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>) -> Response {
    change(shared, move |account, _| {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        let found = account.recipients.iter();
        let found = found.filter(|row| is(&wanted.address, &row.address) && is(&wanted.chain, &row.chain));
        answer::data(StatusCode::OK, &found.map(answer::recipient).collect())
    })
    .await
}

async fn recipient(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    change(shared, move |account, _| match account.recipients.iter().find(|row| row.id == id) {
        Some(row) => answer::data(StatusCode::OK, &answer::recipient(row)),
        None => answer::not_found(),
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPayout {
    idempotency_key: String,
    destination: Destination,
    amount: Amount,
}

#[derive(Deserialize)]
struct Destination {
    r#type: String,
    id: String,
}

#[derive(Deserialize)]
struct Amount {
    amount: String,
    currency: String,
}

async fn add_payout(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let new: NewPayout = match read(&body) {
        Ok(new) => new,
        Err(refusal) => return *refusal,
    };
    if let Err(refusal) = require_key(&new.idempotency_key) {
        return *refusal;
    }
    if new.destination.r#type != "address_book" {
        return answer::invalid("destination.type", "destination.type must be address_book");
    }
    if new.amount.currency != "USD" {
        return answer::invalid("amount.currency", "only USD is held here");
    }
    let Some(amount) = money::parse(&new.amount.amount).filter(|micro| *micro > 0) else {
        return answer::invalid("amount.amount", "amount is not a positive decimal of at most six places");
    };
    let (paying, fault) = (shared.paying, shared.fault());
    let response = change(shared, move |account, now| {
        match account.add_payout(&new.idempotency_key, &new.destination.id, amount, paying, now) {
            Ok(row) => answer::data(StatusCode::CREATED, &answer::payout(&row)),
            Err(refusal) => refusal.into_response(),
        }
    })
    .await;
    match fault {
        Some(Fault::CutAfterPayout) if response.status().is_success() => cut(),
        Some(Fault::SlowAfterPayout(long)) => {
            tokio::time::sleep(long).await;
            response
        }
        _ => response,
    }
}

/// An answer that breaks off before its body: the connection is closed.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(io::Error::other("cut, as a test wants")) });
    (StatusCode::CREATED, Body::from_stream(broken)).into_response()
}

async fn payout(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    change(shared, move |account, _| match account.payouts.iter().find(|row| row.id == id) {
        Some(row) => answer::data(StatusCode::OK, &answer::payout(row)),
        None => answer::not_found(),
    })
    .await
}

async fn balance(State(shared): State<Arc<Shared>>) -> Response {
    change(shared, |account, _| answer::data(StatusCode::OK, &balances(account))).await
}

async fn public_key(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    if id != shared.signer.id() {
        return answer::not_found();
    }
    let key = serde_json::json!({
        "id": id,
        "algorithm": "ECDSA_SHA_256",
        "publicKey": shared.signer.public_key(),
        "createDate": answer::date((shared.clock)()),
    });
    answer::data(StatusCode::OK, &key)
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Box::new(answer::invalid("", "not JSON")))?;
    serde_json::from_value(value).map_err(|error| Box::new(answer::invalid("", &error.to_string())))
}

fn require_key(key: &str) -> Result<(), Box<Response>> {
    match Uuid::parse_str(key) {
        Ok(uuid) if uuid.get_version_num() == 4 => Ok(()),
        _ => Err(Box::new(answer::invalid("idempotencyKey", "idempotencyKey must be a UUID of version 4"))),
    }
}
