//! Disputes: opened by a party, decided by an admin.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    dispute::{self as disputes, Opening, Resolution},
    entities::{DisputeId, dispute, dispute_evidence},
    policy::{Action, can},
};

use super::{
    connection::{Listing, connect, list_cost, page},
    contract::Contract,
    enums::{DisputeKind, DisputeStatus, OrderDirection},
    milestone::Milestone,
    payment::Payment,
    scalars::{Money, MoneyInput},
    support::{actor, app, parse_id, parse_ids},
    upload::{Upload, of_subject},
    user::User,
};
use crate::{
    error::{UserError, answer, fault, found},
    loaders::{EscrowOf, EvidenceIn, PaymentsBy, load, load_or_default},
};

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

/// Which disputes are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct DisputeFilter {
    /// In one of these states.
    pub status: Option<Vec<DisputeStatus>>,
    /// About one of these.
    pub kind: Option<Vec<DisputeKind>>,
    /// True: only those that you took.
    pub taken_by_me: Option<bool>,
}

/// What a list of disputes can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeOrderField {
    /// When it was opened.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

/// How a list of disputes is sorted. Ties go by creation.
#[derive(Debug, InputObject)]
pub struct DisputeOrder {
    /// By what.
    pub field: DisputeOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl From<DisputeOrder> for disputes::Order {
    fn from(order: DisputeOrder) -> Self {
        let field = match order.field {
            DisputeOrderField::CreatedAt => disputes::OrderField::CreatedAt,
            DisputeOrderField::UpdatedAt => disputes::OrderField::UpdatedAt,
        };
        Self { field, descending: order.direction == OrderDirection::Desc }
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

/// Over which milestone, and why.
#[derive(Debug, InputObject)]
pub struct DisputeOpenInput {
    /// A FUNDED or SUBMITTED milestone of your ACTIVE contract, `mil_...`.
    pub milestone_id: ID,
    /// What it is about.
    pub kind: DisputeKind,
    /// What happened, 10 to 5,000 characters; the other side and admins read it.
    pub description: String,
    /// The first evidence: files of purpose EVIDENCE that are READY, at most ten.
    pub upload_ids: Option<Vec<ID>>,
}

/// What you bring forward, and in which dispute.
#[derive(Debug, InputObject)]
pub struct DisputeAddEvidenceInput {
    /// A dispute on your contract that is not over, `dsp_...`.
    pub dispute_id: ID,
    /// What you say about it, 1 to 5,000 characters.
    pub note: String,
    /// Files of purpose EVIDENCE that are READY, at most ten.
    pub upload_ids: Option<Vec<ID>>,
}

/// Which dispute to take back.
#[derive(Debug, InputObject)]
pub struct DisputeWithdrawInput {
    /// An OPEN or IN_REVIEW dispute that you opened, `dsp_...`.
    pub dispute_id: ID,
}

/// Which dispute to take on.
#[derive(Debug, InputObject)]
pub struct DisputeTakeInput {
    /// An OPEN dispute, `dsp_...`.
    pub dispute_id: ID,
}

/// Which dispute a senior admin should see to, and why.
#[derive(Debug, InputObject)]
pub struct DisputeEscalateInput {
    /// A dispute IN_REVIEW, `dsp_...`.
    pub dispute_id: ID,
    /// What they should know, 1 to 5,000 characters; only admins read it.
    pub note: String,
}

/// How to divide what is in escrow, and why.
#[derive(Debug, InputObject)]
pub struct DisputeResolveInput {
    /// A dispute that is IN_REVIEW or ESCALATED, `dsp_...`.
    pub dispute_id: ID,
    /// How much goes back to the client: from 0 to all that is in escrow for the milestone. The rest is released
    /// to the freelancer, less the fee.
    pub refund_amount: MoneyInput,
    /// Why, 10 to 5,000 characters; both sides read it.
    pub resolution: String,
    /// Whether the contract ends with it. Only while no other milestone of it has money in escrow or on its way;
    /// what is PENDING is then CANCELLED.
    #[graphql(default)]
    pub end_contract: bool,
    /// A UUID of your making, new for each intent: sent again, it answers with the same dispute.
    pub idempotency_key: ID,
}

/// The dispute after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct DisputePayload {
    /// The dispute; null when something has to be mended first.
    pub dispute: Option<Dispute>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl DisputePayload {
    fn of(result: domain::Result<dispute::Model>) -> Result<Self> {
        let (dispute, user_errors) = answer(result)?;
        Ok(Self { dispute: dispute.map(Dispute), user_errors })
    }
}

/// What can be done with disputes.
#[derive(Debug, Default)]
pub struct DisputeMutation;

#[Object]
impl DisputeMutation {
    /// Opens a dispute over a FUNDED or SUBMITTED milestone: it is DISPUTED at once, its automatic release stands
    /// still, and so does its contract. One at a time on a contract. For either party; the other and the admins
    /// are told.
    async fn dispute_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Over which milestone, and why.")] input: DisputeOpenInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let milestone = parse_id("milestoneId", &input.milestone_id)?;
            let uploads = parse_ids("uploadIds", &input.upload_ids.unwrap_or_default())?;
            let (kind, description) = (input.kind.into(), input.description.as_str());
            disputes::open(app, actor, Opening { milestone, kind, description, uploads: &uploads }).await
        };
        DisputePayload::of(result.await)
    }

    /// Brings something forward while the dispute is not over, at most fifty times. For the parties of its
    /// contract.
    async fn dispute_add_evidence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and in which dispute.")] input: DisputeAddEvidenceInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("disputeId", &input.dispute_id)?;
            let uploads = parse_ids("uploadIds", &input.upload_ids.unwrap_or_default())?;
            disputes::add_evidence(app, actor, id, &input.note, &uploads).await
        };
        DisputePayload::of(result.await)
    }

    /// Takes a dispute back: the milestone is what it was, with what was left of its time until the automatic
    /// release, and the contract is ACTIVE. For who opened it, while it is OPEN or IN_REVIEW. Everybody concerned
    /// is told.
    async fn dispute_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute.")] input: DisputeWithdrawInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("disputeId", &input.dispute_id);
        DisputePayload::of(async { disputes::withdraw(app, actor, id?).await }.await)
    }

    /// Takes a dispute on: OPEN becomes IN_REVIEW. For admins who are no party of its contract.
    async fn dispute_take(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute.")] input: DisputeTakeInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("disputeId", &input.dispute_id);
        DisputePayload::of(async { disputes::take(app, actor, id?).await }.await)
    }

    /// Gives a dispute to a senior admin: IN_REVIEW becomes ESCALATED, and it can no longer be withdrawn. For
    /// admins who are no party of its contract.
    async fn dispute_escalate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute, and why.")] input: DisputeEscalateInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("disputeId", &input.dispute_id);
        DisputePayload::of(async { disputes::escalate(app, actor, id?, &input.note).await }.await)
    }

    /// Decides a dispute: so much back to the client, the rest released to the freelancer less the fee, both at
    /// once. Once all of it is final the milestone is REFUNDED, PAID or SPLIT, and the contract goes on or ends.
    /// For admins who are no party of its contract. Both parties are told.
    async fn dispute_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dispute, how to divide, why, and the idempotency key.")]
        input: DisputeResolveInput,
    ) -> Result<DisputePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let ask = Resolution {
                dispute: parse_id("disputeId", &input.dispute_id)?,
                refund: input.refund_amount.parse("refundAmount")?,
                reasons: &input.resolution,
                ends_contract: input.end_contract,
                key: &input.idempotency_key,
            };
            let id: DisputeId = disputes::resolve(app, actor, ask).await?;
            // As it is now: a replayed key answers with the same dispute, whatever became of it.
            disputes::find(app, actor, id).await
        };
        DisputePayload::of(result.await)
    }
}
