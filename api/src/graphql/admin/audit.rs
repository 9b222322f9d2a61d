//! The audit log.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::{
    audit,
    entities::{AnyId, audit_entry},
};

use crate::{
    error::fault,
    graphql::{
        connection::{Listing, connect, list_cost, page},
        job,
        node::{Node, resolve},
        scalars::BigInt,
        support::{actor, app, parse_id},
        user::User,
    },
    loaders::load,
};

/// What an administrator or the command line did. Entries are never changed: each holds the hash of the one before
/// it, and `megilance audit verify` walks the chain.
pub struct AuditEntry(pub audit_entry::Model);

/// What an administrator or the command line did. Entries are never changed: each holds the hash of the one before
/// it, and `megilance audit verify` walks the chain.
#[Object]
impl AuditEntry {
    /// The entry's id, `aud_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its place in the chain, from 1 without a gap.
    async fn sequence(&self) -> BigInt {
        BigInt(self.0.sequence.into())
    }

    /// Who did it; null for the command line and for the system itself.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.actor_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// What was done: a noun and a verb, such as `user.suspend`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// What it was done to, if that is a thing with an id that is still there.
    #[graphql(complexity = "5 + child_complexity")]
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match &self.0.subject {
            Some(id) if id.starts_with(job::PREFIX) || id.parse::<AnyId>().is_ok() => resolve(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The id of what it was done to, also when that is gone.
    async fn subject_id(&self) -> Option<ID> {
        self.0.subject.clone().map(ID)
    }

    /// The facts, as a JSON object. There are no secrets and no e-mail addresses in it.
    async fn details(&self) -> &str {
        &self.0.details
    }

    /// When.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// SHA-256 over the whole entry and the hash of the one before it, in hex.
    async fn hash(&self) -> &str {
        &self.0.hash
    }
}

/// Which entries of the audit log to list; what is left out does not matter.
#[derive(Debug, Default, InputObject)]
pub struct AuditFilter {
    /// What this person did, `usr_...`.
    pub actor_id: Option<ID>,
    /// This action, such as `user.suspend`; up to 64 characters.
    pub action: Option<String>,
    /// What was done to this thing: its id.
    pub subject_id: Option<ID>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

impl AuditFilter {
    fn parse(self) -> domain::Result<audit::Filter> {
        Ok(audit::Filter {
            actor_id: self.actor_id.as_ref().map(|id| parse_id("filter.actorId", id)).transpose()?,
            action: self.action,
            subject: self.subject_id.map(|id| id.0),
            from: self.from,
            to: self.to,
        })
    }
}

/// Reading the audit log.
#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit log, newest first. For admins.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entries; all of them when left out.")] filter: Option<AuditFilter>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<AuditEntry>> {
        let actor = actor(ctx)?;
        let list = filter.unwrap_or_default().parse().and_then(|filter| audit::list(actor, &filter));
        connect(app(ctx)?, list.map_err(fault)?, page(first, after, last, before), AuditEntry).await
    }
}
