//! What every request passes, from the outside in: request id, span, panics, compression, headers, CORS, time.

use std::any::Any;
use std::future::ready;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use domain::Clock;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::{Span, field};
use uuid::Uuid;

use super::problem::{Problem, code};
use super::{BODY, HttpState, PATIENCE};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) fn around(routes: Router, state: &HttpState) -> Router {
    let secure = state.app.settings.public_url.scheme() == "https";
    let compression =
        CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(1024)));
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // The last layer is the outermost.
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn(in_time))
        .layer(cors(state))
        .layer(middleware::map_response(move |response: Response| ready(with_headers(response, secure))))
        .layer(compression)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(trace())
        .layer(SetRequestIdLayer::new(REQUEST_ID, Ids(state.app.clock.clone())))
        .layer(middleware::from_fn_with_state(state.settings.forwarded_hops > 0, own_request_id))
}

/// Ids of requests come from the application's clock, as all ids do.
#[derive(Clone)]
struct Ids(Clock);

impl MakeRequestId for Ids {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let id: Uuid = self.0.new_id();
        HeaderValue::from_str(&id.to_string()).ok().map(RequestId::new)
    }
}

/// An id from outside is believed only where a proxy of ours writes it.
async fn own_request_id(
    axum::extract::State(believe): axum::extract::State<bool>,
    mut request: Request,
    next: Next,
) -> Response {
    if !believe {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

type Trace = TraceLayer<
    tower_http::classify::SharedClassifier<tower_http::classify::ServerErrorsAsFailures>,
    fn(&Request) -> Span,
    (),
    fn(&Response, Duration, &Span),
    (),
    (),
    (),
>;

/// A span a request. It has the path and never the query string: a GET carries variables there.
fn trace() -> Trace {
    fn open(request: &Request) -> Span {
        let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        tracing::info_span!(
            "request",
            method = %request.method(),
            path = request.uri().path(),
            id,
            graphql.operation = field::Empty,
            graphql.type = field::Empty,
        )
    }
    fn close(response: &Response, took: Duration, _: &Span) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), ms, "answered");
    }
    TraceLayer::new_for_http()
        .make_span_with(open as fn(&Request) -> Span)
        .on_request(())
        .on_response(close as fn(&Response, Duration, &Span))
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().map(ToString::to_string);
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Problem::internal(&domain::Error::bug(format!("panic: {what}"))).into_response()
}

fn cors(state: &HttpState) -> CorsLayer {
    let named = &state.settings.cors_origins;
    let origins = if named.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let own = state.app.settings.public_url.origin().ascii_serialization();
        let origins =
            named.iter().chain([&own]).filter_map(|origin| origin.trim_end_matches('/').parse().ok());
        AllowOrigin::list(origins.collect::<Vec<HeaderValue>>())
    };
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            REQUEST_ID,
            name("apollographql-client-name"),
            name("apollographql-client-version"),
        ])
        .expose_headers([REQUEST_ID, RETRY_AFTER])
        .max_age(Duration::from_secs(24 * 3600))
}

/// Adds what is not there yet: GraphiQL and the sandbox's pages bring policies of their own.
fn with_headers(mut response: Response, secure: bool) -> Response {
    let headers = response.headers_mut();
    let html = headers.get(CONTENT_TYPE).is_some_and(|of| of.as_bytes().starts_with(b"text/html"));
    let policy = if html { "frame-ancestors 'none'" } else { "default-src 'none'; frame-ancestors 'none'" };
    let mut defaults = vec![
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    if secure {
        defaults.push((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    }
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            code::TIMEOUT,
            "The request took too long and was given up.",
        )
        .into_response(),
    }
}

async fn not_found(uri: Uri) -> Response {
    let message = format!("There is nothing at {}. GraphQL is at /graphql.", uri.path());
    Problem::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message).into_response()
}

/// axum adds the `Allow` header.
async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let message = format!("{method} is not possible at {}. GraphQL is at /graphql, by POST.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED, message).into_response()
}
