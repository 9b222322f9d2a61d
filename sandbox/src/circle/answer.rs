//! What is answered: resources, and refusals, as Circle writes them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::account::{Payout, Recipient, Refusal};
use super::money;

/// The transient fallback of every endpoint.
const SOMETHING_WENT_WRONG: i64 = -1;
/// The `Authorization` header is missing or malformed.
const MALFORMED_AUTHORIZATION: i64 = 1;
const INVALID_ENTITY: i64 = 2;
/// An idempotency key is bound to another body.
const KEY_BOUND: i64 = 1083;

pub(super) fn date(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn recipient(row: &Recipient) -> Value {
    json!({
        "id": row.id,
        "chain": row.chain,
        "address": row.address,
        "metadata": {},
        "status": row.status,
        "updateDate": date(row.updated),
        "createDate": date(row.created),
    })
}

pub(super) fn payout(row: &Payout) -> Value {
    let amount = json!({ "amount": money::show(row.amount), "currency": "USD" });
    let mut payout = json!({
        "id": row.id,
        "sourceWalletId": "1000000001",
        "destination": { "type": "address_book", "id": row.recipient },
        "amount": amount,
        "toAmount": amount,
        "status": row.status,
        "createDate": date(row.created),
        "updateDate": date(row.updated),
    });
    if let Some(fee) = row.fee {
        payout["fees"] = json!({ "amount": money::show(fee), "currency": "USD" });
    }
    if let Some(code) = &row.error_code {
        payout["errorCode"] = json!(code);
    }
    payout
}

/// The usual wrapping.
pub(super) fn data(status: StatusCode, data: &Value) -> Response {
    (status, Json(json!({ "data": data }))).into_response()
}

fn error(status: StatusCode, code: i64, message: impl Into<String>) -> Response {
    (status, Json(json!({ "code": code, "message": message.into() }))).into_response()
}

pub(super) fn unauthorized() -> Response {
    error(StatusCode::UNAUTHORIZED, MALFORMED_AUTHORIZATION, "Malformed authorization. Is the API key right?")
}

pub(super) fn broken() -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, SOMETHING_WENT_WRONG, "Something went wrong")
}

pub(super) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, INVALID_ENTITY, "Not found")
}

pub(super) fn rate_limited(seconds: u64) -> Response {
    let mut answer = error(StatusCode::TOO_MANY_REQUESTS, SOMETHING_WENT_WRONG, "Too many requests");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// A field that makes no sense, by its path.
pub(super) fn invalid(location: &str, message: &str) -> Response {
    let body = json!({
        "code": INVALID_ENTITY,
        "message": "Invalid entity.",
        "errors": [{ "error": "invalid_value", "message": message, "location": location }],
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::KeyBound => {
                error(StatusCode::CONFLICT, KEY_BOUND, "The idempotency key is bound to another request")
            }
            Self::AddressTaken => {
                error(StatusCode::CONFLICT, INVALID_ENTITY, "The address is in the address book already")
            }
            Self::Destination(why) => invalid("destination.id", why),
            Self::Broken(why) => {
                tracing::error!(why, "the sandbox's Circle failed");
                broken()
            }
        }
    }
}
