//! What the parties and administrators do in a dispute.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    dispute::{self as disputes, Opening, Resolution},
    entities::{DisputeId, dispute},
};

use super::Dispute;
use crate::{
    error::{UserError, answer},
    graphql::{
        enums::DisputeKind,
        scalars::MoneyInput,
        support::{actor, app, parse_id, parse_ids},
    },
};

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
