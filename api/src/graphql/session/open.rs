//! Sessions as their owner sees them in a list: without tokens.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::entities::session;

use crate::graphql::support::actor;

/// A session that is open: somebody is signed in to the account by it.
#[derive(Debug, Clone)]
pub struct UserSession(pub session::Model);

/// A session that is open: somebody is signed in to the account by it. sessionRevoke ends it.
#[Object]
impl UserSession {
    /// Which session: sessionRevoke takes it.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The client that signed in, as its `User-Agent` calls it, cut to 255 characters; null when it did not say.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// Whether it is the one you are using now.
    async fn is_current(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        Ok(actor(ctx)?.person().is_some_and(|person| person.session_id == self.0.id))
    }

    /// When its tokens were last traded for new ones by sessionRefresh; when it was opened, if never. A client that is
    /// in use does so whenever its access token ends.
    async fn refreshed_at(&self) -> DateTime<Utc> {
        self.0.refreshed_at
    }

    /// When it ends by itself; each sessionRefresh puts it off.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
