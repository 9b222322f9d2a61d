//! `/graphql`: GraphQL over HTTP, as its specification has it.
//!
//! async-graphql's own extractor executes mutations from GET and from forms, has no limit on the body and knows one
//! media type; hence this one.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as Answer, ServerError, Value};
use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderValue, Method, StatusCode};
use serde::Serialize;
use std::collections::BTreeMap;
use tracing::Span;

use super::admission::{Admitted, Client, admit};
use super::negotiate::{Media, is_json};
use super::params::Params;
use super::problem::{Problem, code};
use super::{BODY, HttpState};
use crate::auth::{self, Bearer};

/// How long an operation may run. Less than the router's limit, so that the answer is GraphQL's.
const PATIENCE: Duration = Duration::from_secs(28);

/// The handler of every method but OPTIONS.
pub(super) async fn handle(State(state): State<HttpState>, request: Request) -> Response {
    let Some(media) = Media::wanted(request.headers()) else {
        return Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            code::NOT_ACCEPTABLE,
            "GraphQL is answered as application/graphql-response+json or as application/json.",
        )
        .into_response();
    };
    match answer(&state, request).await {
        Ok(answer) => executed(answer, media),
        Err(problem) => refused(problem, media),
    }
}

async fn answer(state: &HttpState, request: Request) -> Result<Answer, Problem> {
    let method = request.method().clone();
    if !matches!(method, Method::GET | Method::POST) {
        return Err(Problem::method("GET, POST, OPTIONS", "Send GraphQL by POST, or a query by GET."));
    }
    let client = Client::of(&request, state.settings.forwarded_hops);
    let bearer = Bearer::from_headers(request.headers())
        .map_err(|malformed| Problem::unauthenticated(malformed.to_string()));
    let params = if method == Method::GET { from_query(&request) } else { from_body(request).await }?;
    let actor = match auth::actor(&state.app, bearer?.as_ref()).await {
        Ok(actor) => actor,
        Err(error) => {
            // A wrong token is counted on the address: guessing them is limited, too.
            state.limiter.request(&state.app.clock, &domain::Actor::Anonymous, client.peer)?;
            return Err(error.into());
        }
    };

    let Admitted { request, operation } = admit(state, &actor, &client, params)?;
    let span = Span::current();
    span.record("graphql.type", operation.kind.to_string());
    if let Some(name) = &operation.name {
        span.record("graphql.operation", name.get(..64).unwrap_or(name));
    }
    match operation.kind {
        OperationType::Mutation if method == Method::GET => {
            return Err(Problem::method("POST", "A mutation changes things: send it by POST."));
        }
        OperationType::Subscription => {
            let problem = Problem::bad("Subscriptions are spoken at /graphql/ws, as graphql-transport-ws.");
            return Err(Problem { well_formed: true, ..problem });
        }
        OperationType::Query | OperationType::Mutation => {}
    }
    tokio::time::timeout(PATIENCE, state.schema.execute(request)).await.map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code::TIMEOUT,
            "The operation took too long and was given up.",
        )
    })
}

fn from_query(request: &Request) -> Result<Params, Problem> {
    let pairs: Query<Vec<(String, String)>> = Query::try_from_uri(request.uri())
        .map_err(|error| Problem::bad(format!("The query string cannot be read: {error}.")))?;
    Params::from_pairs(pairs.0)
}

async fn from_body(request: Request) -> Result<Params, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code::UNSUPPORTED_MEDIA_TYPE,
            "Send the request as \"Content-Type: application/json\", in UTF-8.",
        ));
    }
    let body = to_bytes(request.into_body(), BODY).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            code::PAYLOAD_TOO_LARGE,
            format!("The body did not arrive whole, or is longer than {} KiB.", BODY / 1024),
        )
    })?;
    Params::from_json(&body)
}

/// A GraphQL answer on the wire: `data` is left out where nothing was executed.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// Whether nothing was executed. An error of execution knows the path of its field.
pub(super) fn is_request_error(answer: &Answer) -> bool {
    answer.data == Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.path.is_empty())
}

fn executed(answer: Answer, media: Media) -> Response {
    let refused = is_request_error(&answer);
    let status = match media {
        Media::GraphQl if refused => StatusCode::BAD_REQUEST,
        Media::GraphQl | Media::Json => StatusCode::OK,
    };
    let body = Body {
        data: (!refused).then_some(&answer.data),
        errors: &answer.errors,
        extensions: &answer.extensions,
    };
    let mut response = write(&body, status, media);
    response.headers_mut().extend(answer.http_headers);
    response
}

fn refused(problem: Problem, media: Media) -> Response {
    let status = match media {
        Media::Json if problem.well_formed => StatusCode::OK,
        Media::GraphQl | Media::Json => problem.status,
    };
    let body =
        Body { data: None, errors: std::slice::from_ref(&problem.error), extensions: &BTreeMap::new() };
    let mut response = write(&body, status, media);
    response.headers_mut().extend(problem.headers);
    response
}

fn write(body: &Body<'_>, status: StatusCode, media: Media) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => {
            let mut response = (status, body).into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, media.content_type());
            headers.append(VARY, HeaderValue::from(ACCEPT));
            response
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}
