//! What every operation passes before it runs, over HTTP and WebSocket alike.

use async_graphql::Request;
use domain::Actor;
use http::header::USER_AGENT;

use super::HttpState;
use super::params::Params;
use super::peer::Peer;
use super::problem::Problem;
use super::rate::TooMany;
use crate::graphql::limits::{self, Operation};
use crate::graphql::session::UserAgent;

/// An operation that may run.
pub(super) struct Admitted {
    pub(super) request: Request,
    pub(super) operation: Operation,
}

/// What is known of a caller before anybody asks who it is.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) peer: Peer,
    user_agent: Option<String>,
}

impl Client {
    /// `hops` as in [`Peer::of`].
    pub(super) fn of(request: &axum::extract::Request, hops: usize) -> Self {
        let headers = request.headers();
        let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
        Self { peer: Peer::of(headers, request.extensions(), hops), user_agent }
    }
}

/// Counts the request, finds and checks its document, and puts in what resolvers read: the [`Actor`], the [`Peer`],
/// the [`UserAgent`], the [`RateLimit`](super::RateLimit) and the [`Operation`].
pub(super) fn admit(
    state: &HttpState,
    actor: &Actor,
    client: &Client,
    mut params: Params,
) -> Result<Admitted, Problem> {
    let peer = client.peer;
    let rate = state.limiter.request(&state.app.clock, actor, peer)?;
    let document = state.persisted.resolve(&mut params)?;
    let hash = document.hash();
    let mut request = params.into_request(document.query);
    let operation = limits::prepare(&mut request).map_err(Problem::refused)?;
    state.persisted.remember(hash, &request.query);
    state.limiter.passwords(&operation, actor, peer)?;
    state.limiter.drafts(&operation, actor)?;
    let mut request = request.data(actor.clone()).data(peer).data(rate).data(operation.clone());
    if let Some(agent) = &client.user_agent {
        request = request.data(UserAgent(agent.clone()));
    }
    Ok(Admitted { request, operation })
}

impl From<TooMany> for Problem {
    fn from(refused: TooMany) -> Self {
        let seconds = refused.seconds();
        Self::rate_limited(seconds, format!("Too many {}: try again in {seconds} s.", refused.what))
    }
}
