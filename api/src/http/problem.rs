//! Answers of the HTTP layer itself, in the shape of a GraphQL answer, so that a client reads one sort of error.

use async_graphql::{ErrorExtensionValues, ServerError};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

/// The codes of this layer, beside those of [`crate::graphql::limits::code`].
pub(super) mod code {
    pub(in crate::http) const BAD_REQUEST: &str = "BAD_REQUEST";
    pub(in crate::http) const FORBIDDEN: &str = "FORBIDDEN";
    pub(in crate::http) const INTERNAL: &str = "INTERNAL";
    pub(in crate::http) const LIMIT_REACHED: &str = "LIMIT_REACHED";
    pub(in crate::http) const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    pub(in crate::http) const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    pub(in crate::http) const NOT_FOUND: &str = "NOT_FOUND";
    pub(in crate::http) const PAYLOAD_TOO_LARGE: &str = "PAYLOAD_TOO_LARGE";
    pub(in crate::http) const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
    pub(in crate::http) const RATE_LIMITED: &str = "RATE_LIMITED";
    pub(in crate::http) const TIMEOUT: &str = "TIMEOUT";
    pub(in crate::http) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    pub(in crate::http) const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
}

/// Why a request goes no further.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) error: Box<ServerError>,
    /// Whether the request itself was well formed: `application/json` then answers 200, as its old clients expect.
    pub(super) well_formed: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code);
        let mut error = ServerError::new(message, None);
        error.extensions = Some(extensions);
        Self { status, error: Box::new(error), well_formed: false, headers: Vec::new() }
    }

    /// 400: the request is not well formed.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST, message)
    }

    /// A GraphQL request error in a well-formed request.
    pub(super) fn refused(error: ServerError) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: Box::new(error),
            well_formed: true,
            headers: Vec::new(),
        }
    }

    /// 401.
    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, message)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 405: what is allowed stands in the header.
    pub(super) fn method(allow: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED, message)
            .header(ALLOW, HeaderValue::from_static(allow))
    }

    /// 429: try again in that many seconds.
    pub(super) fn rate_limited(retry_after: u64, message: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMITED, message)
            .header(RETRY_AFTER, HeaderValue::from(retry_after));
        if let Some(extensions) = &mut problem.error.extensions {
            extensions.set("retryAfter", retry_after);
        }
        problem
    }

    /// 500 under a new reference, which the log and Sentry have, too.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let reference = crate::error::report(error);
        let message = format!(
            "Something went wrong on our side. Quote the reference {reference} if you write to support."
        );
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, message);
        if let Some(extensions) = &mut problem.error.extensions {
            extensions.set("reference", reference);
        }
        problem
    }

    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<domain::Error> for Problem {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Unauthenticated => Self::unauthenticated(
                "The access token is wrong, expired or revoked: refresh the session, or sign in again.",
            ),
            error => Self::internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [*self.error] }).to_string();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.extend(self.headers);
        response
    }
}
