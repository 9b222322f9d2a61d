//! What stands between a connection and the schema: routes, limits, headers.

mod admission;
pub mod graphiql;
mod graphql;
pub mod health;
mod layers;
mod negotiate;
mod params;
mod peer;
mod persisted;
mod problem;
mod rate;
#[cfg(feature = "dev")]
pub mod sandbox;
mod webhooks;
mod websocket;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get, post};
use domain::App;
use tokio_util::sync::CancellationToken;

use crate::graphql::Schema;
use graphiql::Tab;

pub use health::{Check, Readiness};
pub use peer::Peer;
pub use rate::{RateLimit, RateLimits};

/// Bytes of a request's body, or of a WebSocket message.
pub const BODY: usize = 256 * 1024;
/// How long any request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tabs that GraphiQL opens with, asked for at each visit.
pub type Tabs = Arc<dyn Fn() -> Vec<Tab> + Send + Sync>;

/// What the HTTP layer can be told.
#[derive(Clone, Default)]
pub struct HttpSettings {
    /// Other sites whose pages may call this API, as `https://example.org`; `*` for all. The site at `PUBLIC_URL`
    /// and whatever is served from here need not be named.
    pub cors_origins: Vec<String>,
    /// GraphiQL at `/`; none leaves it out.
    pub graphiql: Option<Tabs>,
    /// How much one caller may ask for.
    pub rate_limits: RateLimits,
    /// How many proxies of ours stand before this server and write `X-Forwarded-For`; with 0 the header is not read.
    pub forwarded_hops: usize,
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("cors_origins", &self.cors_origins)
            .field("graphiql", &self.graphiql.is_some())
            .field("rate_limits", &self.rate_limits)
            .field("forwarded_hops", &self.forwarded_hops)
            .finish()
    }
}

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct HttpState {
    app: App,
    schema: Schema,
    settings: Arc<HttpSettings>,
    readiness: Readiness,
    closing: CancellationToken,
    limiter: Arc<rate::Limiter>,
    persisted: Arc<persisted::Persisted>,
}

impl HttpState {
    /// `readiness` runs the checks of `/readyz`. When `closing` is cancelled, WebSockets are closed: they would
    /// otherwise keep a server alive that wants to stop.
    pub fn new(
        app: App,
        schema: Schema,
        settings: HttpSettings,
        readiness: Readiness,
        closing: CancellationToken,
    ) -> Self {
        Self {
            limiter: Arc::new(rate::Limiter::new(settings.rate_limits)),
            persisted: Arc::default(),
            settings: Arc::new(settings),
            app,
            schema,
            readiness,
            closing,
        }
    }
}

/// Every route, with all that stands before them. Serve it with
/// `into_make_service_with_connect_info::<SocketAddr>()`, or all callers share one budget.
pub fn router(state: HttpState) -> Router {
    router_with(state, Router::new())
}

/// The same, with more routes behind the same layers.
pub fn router_with(state: HttpState, more: Router) -> Router {
    let mut routes = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/graphql/ws", get(websocket::upgrade))
        .route("/webhooks/circle", post(webhooks::circle).head(webhooks::circle_listens))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    if let Some(tabs) = &state.settings.graphiql {
        routes = routes.merge(graphiql::routes(tabs.clone()));
    }
    let routes = routes.with_state(state.clone()).merge(more);
    layers::around(routes, &state)
}
