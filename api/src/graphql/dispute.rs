//! Disputes: opened by a party, decided by an admin.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::{
    dispute as disputes,
    entities::{dispute, dispute_evidence},
    policy::{Action, can},
};

use super::{
    connection::{Listing, connect, list_cost, page},
    contract::Contract,
    enums::{DisputeKind, DisputeStatus},
    milestone::Milestone,
    payment::Payment,
    scalars::Money,
    support::{actor, app, parse_id},
    upload::{Upload, of_subject},
    user::User,
};
use crate::{
    error::{fault, found},
    loaders::{EscrowOf, EvidenceIn, PaymentsBy, load, load_or_default},
};

pub mod change;
pub mod list;

use list::{DisputeFilter, DisputeOrder};

/// A quarrel over a funded milestone. It freezes the milestone at once; an admin divides what is in escrow. Only
/// the contract's two parties and admins see it.
#[derive(Debug, Clone)]
pub struct Dispute(pub dispute::Model);

/// A quarrel over a funded milestone. It freezes the milestone at once; an admin divides what is in escrow. Only
/// the contract's two parties and admins see it.
#[Object]
impl Dispute {
    /// The dispute's id, `dsp_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The contract that it is on: DISPUTED until the dispute's money has moved.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Contract> {
        load(ctx, self.0.contract_id).await.map(Contract)
    }

    /// The milestone that it freezes.
    async fn milestone(&self, ctx: &Context<'_>) -> Result<Milestone> {
        load(ctx, self.0.milestone_id).await.map(Milestone)
    }

    /// The party that opened it.
    async fn opened_by(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.opened_by).await.map(User)
    }

    /// What it is about.
    async fn kind(&self) -> DisputeKind {
        self.0.kind.into()
    }

    /// Where it is in its life.
    async fn status(&self) -> DisputeStatus {
        self.0.status.into()
    }

    /// What happened, in the words of who opened it.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What both sides brought forward, in the order it came.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn evidence(&self, ctx: &Context<'_>) -> Result<Vec<Evidence>> {
        Ok(load_or_default(ctx, EvidenceIn(self.0.id)).await?.into_iter().map(Evidence).collect())
    }

    /// What is in escrow for its milestone now: what a resolution divides.
    async fn in_escrow(&self, ctx: &Context<'_>) -> Result<Money> {
        load_or_default(ctx, EscrowOf(self.0.milestone_id)).await.map(Money::from)
    }

    /// The admin who took it; null while nobody has.
    async fn taken_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.taken_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// Why it was escalated. For admins; others get null.
    async fn escalation_note(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let admin = can(actor(ctx)?, Action::DisputesManage).is_ok();
        Ok(self.0.escalation_note.as_deref().filter(|_| admin))
    }

    /// The admin who decided it; null until then.
    async fn resolved_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.resolved_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// The admin's reasons; null until it is RESOLVED.
    async fn resolution(&self) -> Option<&str> {
        self.0.resolution.as_deref()
    }

    /// How much goes back to the client, without a fee; null until it is RESOLVED.
    async fn refund_amount(&self) -> Option<Money> {
        self.0.refund_amount.map(Money::from)
    }

    /// How much is released to the freelancer, gross: the fee is taken from it. Null until it is RESOLVED.
    async fn release_amount(&self) -> Option<Money> {
        self.0.release_amount.map(Money::from)
    }

    /// Whether the contract ends with it.
    async fn ends_contract(&self) -> bool {
        self.0.ends_contract
    }

    /// The payments that carry out the resolution, oldest first: a refund, a release, or both.
    #[graphql(complexity = "1 + 2 * child_complexity")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        Ok(load_or_default(ctx, PaymentsBy(self.0.id)).await?.into_iter().map(Payment).collect())
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When an admin took it.
    async fn taken_at(&self) -> Option<DateTime<Utc>> {
        self.0.taken_at
    }

    /// When it was escalated.
    async fn escalated_at(&self) -> Option<DateTime<Utc>> {
        self.0.escalated_at
    }

    /// When it was resolved or withdrawn.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// What a party brought forward in a dispute.
#[derive(Debug, Clone)]
pub struct Evidence(pub dispute_evidence::Model);

/// What a party brought forward in a dispute.
#[Object]
impl Evidence {
    /// Its id, `evd_...`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Who brought it forward.
    async fn author(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.author_id).await.map(User)
    }

    /// What they say about it.
    async fn note(&self) -> &str {
        &self.0.note
    }

    /// Its files.
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<Upload>> {
        of_subject(ctx, self.0.id).await
    }

    /// When it was brought forward.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Reading disputes.
#[derive(Debug, Default)]
pub struct DisputeQuery;

#[Object]
impl DisputeQuery {
    /// A dispute; null when it is not there, or when you are no party of its contract.
    async fn dispute(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `dsp_...`.")] id: ID,
    ) -> Result<Option<Dispute>> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let found = found(async { disputes::find(app, actor, parse_id("id", &id)?).await }.await)?;
        Ok(found.map(Dispute))
    }

    /// Everybody's disputes. For admins; a party finds its own under `Contract.disputes`.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public field")]
    async fn disputes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<DisputeFilter>,
        #[graphql(desc = "In which order; newest first when left out.")] order_by: Option<DisputeOrder>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Dispute>> {
        let (app, actor, wanted) = (app(ctx)?, actor(ctx)?, filter.unwrap_or_default());
        let filter = disputes::Filter {
            status: wanted.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            kind: wanted.kind.unwrap_or_default().into_iter().map(Into::into).collect(),
            taken_by: actor.user_id().filter(|_| wanted.taken_by_me == Some(true)),
        };
        let order = order_by.map(Into::into).unwrap_or_default();
        let list = disputes::list(actor, &filter, order).map_err(fault)?;
        connect(app, list, page(first, after, last, before), Dispute).await
    }
}
