//! Milestones: funded, handed in, approved or refunded.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::{self, milestone, submission},
    milestone::{self as milestones, MilestonePayment, Refund},
    payment as payments,
};

use super::{
    contract::Contract,
    enums::MilestoneStatus,
    payment::Payment,
    scalars::{Money, MoneyInput},
    support::{actor, app, parse_id, parse_ids},
    upload::{Upload, of_subject},
};
use crate::{
    error::{UserError, answer, fault},
    loaders::{PaymentsOn, SubmissionOf, load, load_if_any, load_or_default},
};

/// A part of a contract that is funded, done and paid by itself.
pub struct Milestone(pub milestone::Model);

/// A part of a contract that is funded, done and paid by itself.
#[Object]
impl Milestone {
    /// The milestone's id, `mil_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The contract that it belongs to.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Contract> {
        load(ctx, self.0.contract_id).await.map(Contract)
    }

    /// What it is about, 1 to 255 characters.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it pays, gross: the fee is taken from it when it is released.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// Where it is in its life.
    async fn status(&self) -> MilestoneStatus {
        self.0.status.into()
    }

    /// When it is due, if that was agreed.
    async fn due_at(&self) -> Option<DateTime<Utc>> {
        self.0.due_at
    }

    /// Its place in the contract, from 1.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// What was handed in last; null before the first time.
    async fn submission(&self, ctx: &Context<'_>) -> Result<Option<Submission>> {
        Ok(load_if_any(ctx, SubmissionOf(self.0.id)).await?.map(Submission))
    }

    /// When submitted work that nobody answered is paid by itself; null unless it is SUBMITTED. A refund of a part and a
    /// dispute stop it: the time that was left then is left again afterwards.
    async fn auto_release_at(&self) -> Option<DateTime<Utc>> {
        self.0.auto_release_at.filter(|_| self.0.status == entities::MilestoneStatus::Submitted)
    }

    /// The payments on it, oldest first: deposits, releases, refunds.
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        let rows = load_or_default(ctx, PaymentsOn(self.0.id)).await?;
        Ok(rows.into_iter().map(Payment).collect())
    }
}

/// What a freelancer handed in for a milestone.
pub struct Submission(pub submission::Model);

/// What a freelancer handed in for a milestone.
#[Object]
impl Submission {
    /// What the freelancer says about it.
    async fn note(&self) -> &str {
        &self.0.note
    }

    /// The files handed in.
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<Upload>> {
        of_subject(ctx, self.0.id).await
    }

    /// What the client wants changed; null while it is unanswered or when it was approved.
    async fn feedback(&self) -> Option<&str> {
        self.0.feedback.as_deref()
    }

    /// When the client answered.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// When it was handed in.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Which milestone to fund.
#[derive(Debug, InputObject)]
pub struct MilestoneFundInput {
    /// A PENDING milestone of your active contract, `mil_...`.
    pub milestone_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// What is handed in, and for which milestone.
#[derive(Debug, InputObject)]
pub struct MilestoneSubmitInput {
    /// A FUNDED milestone of your contract, `mil_...`.
    pub milestone_id: ID,
    /// What you say about it, 1 to 5,000 characters.
    pub note: String,
    /// Files of purpose DELIVERABLE that are READY, at most ten.
    pub upload_ids: Option<Vec<ID>>,
}

/// What should change, and in which milestone.
#[derive(Debug, InputObject)]
pub struct MilestoneRequestChangesInput {
    /// A SUBMITTED milestone of your contract, `mil_...`.
    pub milestone_id: ID,
    /// What you want changed, 1 to 5,000 characters.
    pub feedback: String,
}

/// Which milestone to approve.
#[derive(Debug, InputObject)]
pub struct MilestoneApproveInput {
    /// A SUBMITTED milestone of your contract, `mil_...`.
    pub milestone_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// How much of which milestone goes back to the client, and why.
#[derive(Debug, InputObject)]
pub struct MilestoneRefundInput {
    /// A FUNDED or SUBMITTED milestone, `mil_...`.
    pub milestone_id: ID,
    /// How much; everything in escrow when left out.
    pub amount: Option<MoneyInput>,
    /// Why, 1 to 1,000 characters; both sides read it.
    pub reason: String,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// The milestone after the change, or why there was none.
#[derive(SimpleObject)]
pub struct MilestonePayload {
    /// The milestone; null when something has to be mended first.
    pub milestone: Option<Milestone>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The milestone and the payment made for it, or why there is none.
#[derive(SimpleObject)]
pub struct MilestonePaymentPayload {
    /// The milestone; null when something has to be mended first.
    pub milestone: Option<Milestone>,
    /// The payment; null when something has to be mended first.
    pub payment: Option<Payment>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl MilestonePayload {
    fn of(result: domain::Result<milestone::Model>) -> Result<Self> {
        let (milestone, user_errors) = answer(result)?;
        Ok(Self { milestone: milestone.map(Milestone), user_errors })
    }
}

impl MilestonePaymentPayload {
    /// The two things as they are now: a replayed key answers with the same ones, whatever became of them.
    async fn of(ctx: &Context<'_>, result: domain::Result<MilestonePayment>) -> Result<Self> {
        let (done, user_errors) = answer(result)?;
        let Some(done) = done else { return Ok(Self { milestone: None, payment: None, user_errors }) };
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let milestone = milestones::find(app, actor, done.milestone).await.map_err(fault)?;
        let payment = payments::find(app, actor, done.payment).await.map_err(fault)?;
        Ok(Self { milestone: Some(Milestone(milestone)), payment: Some(Payment(payment)), user_errors })
    }
}

/// What can be done with milestones.
#[derive(Default)]
pub struct MilestoneMutation;

#[Object]
impl MilestoneMutation {
    /// Asks for a deposit: PENDING becomes FUNDING. The payment tells where to send how much USDC by when;
    /// once the chain has confirmed it, the milestone is FUNDED. For the contract's client.
    async fn milestone_fund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which milestone, and the idempotency key.")] input: MilestoneFundInput,
    ) -> Result<MilestonePaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("milestoneId", &input.milestone_id)?;
            milestones::fund(app, actor, id, &input.idempotency_key).await
        };
        MilestonePaymentPayload::of(ctx, result.await).await
    }

    /// Hands in work: FUNDED becomes SUBMITTED, and the client has fourteen days to answer. For the
    /// contract's freelancer.
    async fn milestone_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which milestone, with what.")] input: MilestoneSubmitInput,
    ) -> Result<MilestonePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("milestoneId", &input.milestone_id)?;
            let uploads = parse_ids("uploadIds", &input.upload_ids.unwrap_or_default())?;
            milestones::submit(app, actor, id, &input.note, &uploads).await
        };
        MilestonePayload::of(result.await)
    }

    /// Sends work back: SUBMITTED becomes FUNDED again, with feedback. For the contract's client.
    async fn milestone_request_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which milestone, and what should change.")] input: MilestoneRequestChangesInput,
    ) -> Result<MilestonePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("milestoneId", &input.milestone_id)?;
            milestones::request_changes(app, actor, id, &input.feedback).await
        };
        MilestonePayload::of(result.await)
    }

    /// Approves work: SUBMITTED becomes APPROVED, and what is in escrow is paid out to the freelancer less
    /// the fee; once that is final, the milestone is PAID. For the contract's client.
    async fn milestone_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which milestone, and the idempotency key.")] input: MilestoneApproveInput,
    ) -> Result<MilestonePaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("milestoneId", &input.milestone_id)?;
            milestones::approve(app, actor, id, &input.idempotency_key).await
        };
        MilestonePaymentPayload::of(ctx, result.await).await
    }

    /// Gives escrowed money back to the client, in whole or in part and without a fee: FUNDED or SUBMITTED
    /// becomes REFUNDING, then REFUNDED, or what it was when something is left. A part is 1 USDC at least. It goes to
    /// the wallets that paid, the newest first, by a payment each; the answer names the first. For the contract's
    /// freelancer, or an admin.
    async fn milestone_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which milestone, how much, why, and the idempotency key.")]
        input: MilestoneRefundInput,
    ) -> Result<MilestonePaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let milestone = parse_id("milestoneId", &input.milestone_id)?;
            let amount = input.amount.as_ref().map(|money| money.parse("amount")).transpose()?;
            let ask = Refund { milestone, amount, reason: &input.reason, key: &input.idempotency_key };
            milestones::refund(app, actor, ask).await
        };
        MilestonePaymentPayload::of(ctx, result.await).await
    }
}
