//! What every operation passes before it runs, over HTTP and WebSocket alike.

use async_graphql::Request;
use domain::Actor;

use super::HttpState;
use super::params::Params;
use super::peer::Peer;
use super::problem::Problem;
use super::rate::TooMany;
use crate::graphql::limits::{self, Operation};

/// An operation that may run.
pub(super) struct Admitted {
    pub(super) request: Request,
    pub(super) operation: Operation,
}

/// Counts the request, finds and checks its document, and puts in what resolvers read: the [`Actor`], the [`Peer`],
/// the [`RateLimit`](super::RateLimit) and the [`Operation`].
pub(super) fn admit(
    state: &HttpState,
    actor: &Actor,
    peer: Peer,
    mut params: Params,
) -> Result<Admitted, Problem> {
    let rate = state.limiter.request(&state.app.clock, actor, peer)?;
    let document = state.persisted.resolve(&mut params)?;
    let hash = document.hash();
    let mut request = params.into_request(document.query);
    let operation = limits::prepare(&mut request).map_err(Problem::refused)?;
    state.persisted.remember(hash, &request.query);
    state.limiter.passwords(&operation, peer)?;
    let request = request.data(actor.clone()).data(peer).data(rate).data(operation.clone());
    Ok(Admitted { request, operation })
}

impl From<TooMany> for Problem {
    fn from(refused: TooMany) -> Self {
        let seconds = refused.seconds();
        Self::rate_limited(seconds, format!("Too many {}: try again in {seconds} s.", refused.what))
    }
}
