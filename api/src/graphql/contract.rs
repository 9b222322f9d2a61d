//! Contracts.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    amendment as amendments, contract as contracts, dispute as disputes,
    entities::{ContractStatus as Status, contract},
    payment as payments,
    policy::{Action, can},
};

use super::{
    amendment::Amendment,
    connection::{Listing, connect_below, list_cost, page},
    dispute::Dispute,
    enums::ContractStatus,
    milestone::Milestone,
    payment::Payment,
    project::Project,
    proposal::Proposal,
    review::Review,
    scalars::Money,
    support::{actor, app, parse_id},
    user::User,
};
use crate::{
    error::{UserError, answer, found},
    loaders::{DisputeOn, EscrowOn, MilestonesOf, PaidOn, ReviewsOf, load, load_if_any, load_or_default},
};

mod running;

pub use running::{
    ContractBonusInput, ContractPauseInput, ContractPaymentPayload, ContractResumeInput,
    ContractRunningMutation, ContractTerminateInput,
};

/// An agreement between a client and a freelancer, paid by milestones. Only its two parties and admins see
/// it.
#[derive(Debug, Clone)]
pub struct Contract(pub contract::Model);

/// An agreement between a client and a freelancer, paid by milestones. Only its two parties and admins see
/// it.
#[Object]
impl Contract {
    /// The contract's id, `ctr_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The project that it is on.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project> {
        load(ctx, self.0.project_id).await.map(Project)
    }

    /// The proposal that it came from.
    async fn proposal(&self, ctx: &Context<'_>) -> Result<Proposal> {
        load(ctx, self.0.proposal_id).await.map(Proposal)
    }

    /// Who pays.
    async fn client(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.client_id).await.map(User)
    }

    /// Who works.
    async fn freelancer(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.freelancer_id).await.map(User)
    }

    /// Where it is in its life.
    async fn status(&self) -> ContractStatus {
        self.0.status.into()
    }

    /// What is agreed.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The sum of its milestones, gross.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// What its milestones hold in escrow now.
    async fn in_escrow(&self, ctx: &Context<'_>) -> Result<Money> {
        load_or_default(ctx, EscrowOn(self.0.id)).await.map(Money::from)
    }

    /// What was paid out to the freelancer, gross: the fee was taken from it.
    async fn paid(&self, ctx: &Context<'_>) -> Result<Money> {
        load_or_default(ctx, PaidOn(self.0.id)).await.map(Money::from)
    }

    /// Its milestones, in order.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn milestones(&self, ctx: &Context<'_>) -> Result<Vec<Milestone>> {
        Ok(load_or_default(ctx, MilestonesOf(self.0.id)).await?.into_iter().map(Milestone).collect())
    }

    /// The payments on it that you may see, newest first: deposits, releases, refunds, bonuses.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Payment>> {
        let list = payments::of_contracts(actor(ctx)?);
        connect_below(ctx, list, self.0.id.0, page(first, after, last, before), Payment).await
    }

    /// The dispute on it that is not over, else the newest; null when there never was one.
    async fn dispute(&self, ctx: &Context<'_>) -> Result<Option<Dispute>> {
        Ok(load_if_any(ctx, DisputeOn(self.0.id)).await?.map(Dispute))
    }

    /// The disputes on it, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn disputes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Dispute>> {
        let list = disputes::of_contracts(actor(ctx)?);
        connect_below(ctx, list, self.0.id.0, page(first, after, last, before), Dispute).await
    }

    /// The changes that were proposed, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn amendments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Amendment>> {
        let list = amendments::of_contracts(actor(ctx)?);
        connect_below(ctx, list, self.0.id.0, page(first, after, last, before), Amendment).await
    }

    /// What its parties said about each other, oldest first: those that are shown, and your own.
    async fn reviews(&self, ctx: &Context<'_>) -> Result<Vec<Review>> {
        let actor = actor(ctx)?;
        let written = load_or_default(ctx, ReviewsOf(self.0.id)).await?;
        Ok(written.into_iter().filter(|row| can(actor, Action::ReviewSee(row)).is_ok()).map(Review).collect())
    }

    /// When the work is to begin, if that was said.
    async fn start_at(&self) -> Option<DateTime<Utc>> {
        self.0.start_at
    }

    /// When it is to be done, if that was said.
    async fn end_at(&self) -> Option<DateTime<Utc>> {
        self.0.end_at
    }

    /// Until when the freelancer can answer the offer; null once it is answered.
    async fn lapses_at(&self) -> Option<DateTime<Utc>> {
        (self.0.status == Status::Pending).then_some(self.0.lapses_at)
    }

    /// When the freelancer accepted it.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        self.0.accepted_at
    }

    /// Since when it rests; null unless it is PAUSED.
    async fn paused_at(&self) -> Option<DateTime<Utc>> {
        self.0.paused_at
    }

    /// When it ended, in whatever way.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }

    /// Why it was TERMINATED, in the words of who did it; null otherwise.
    async fn end_reason(&self) -> Option<&str> {
        self.0.end_reason.as_deref()
    }

    /// Who terminated it: one of its parties or an admin; null otherwise.
    async fn ended_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.ended_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// When it was offered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Which of a person's contracts are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct UserContractFilter {
    /// In one of these states.
    pub status: Option<Vec<ContractStatus>>,
}

impl From<UserContractFilter> for contracts::Filter {
    fn from(filter: UserContractFilter) -> Self {
        let status = filter.status.unwrap_or_default().into_iter().map(Into::into).collect();
        Self { status, ..Default::default() }
    }
}

/// Reading contracts.
#[derive(Debug, Default)]
pub struct ContractQuery;

#[Object]
impl ContractQuery {
    /// A contract; null when it is not there, or when you are no party of it.
    async fn contract(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `ctr_...`.")] id: ID,
    ) -> Result<Option<Contract>> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let found = found(async { contracts::find(app, actor, parse_id("id", &id)?).await }.await)?;
        Ok(found.map(Contract))
    }
}

/// Which offer to accept.
#[derive(Debug, InputObject)]
pub struct ContractAcceptInput {
    /// A PENDING contract that was offered to you, `ctr_...`.
    pub contract_id: ID,
}

/// Which offer to decline.
#[derive(Debug, InputObject)]
pub struct ContractDeclineInput {
    /// A PENDING contract that was offered to you, `ctr_...`.
    pub contract_id: ID,
}

/// Which offer to take back.
#[derive(Debug, InputObject)]
pub struct ContractRetractInput {
    /// A PENDING contract that you offered, `ctr_...`.
    pub contract_id: ID,
}

/// The contract after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct ContractPayload {
    /// The contract; null when something has to be mended first.
    pub contract: Option<Contract>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ContractPayload {
    fn of(result: domain::Result<contract::Model>) -> Result<Self> {
        let (contract, user_errors) = answer(result)?;
        Ok(Self { contract: contract.map(Contract), user_errors })
    }
}

/// Changing contracts.
#[derive(Debug, Default)]
pub struct ContractMutation;

#[Object]
impl ContractMutation {
    /// Accepts an offer: the contract becomes ACTIVE, its project IN_PROGRESS, and the project's other live
    /// proposals are REJECTED. For its freelancer. The client is told.
    async fn contract_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: ContractAcceptInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::accept(app, actor, id?).await }.await)
    }

    /// Declines an offer: the contract becomes DECLINED and its proposal CLOSED; the project's other proposals
    /// stay live. For its freelancer. The client is told.
    async fn contract_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: ContractDeclineInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::decline(app, actor, id?).await }.await)
    }

    /// Takes an unanswered offer back: the contract becomes RETRACTED and its proposal CLOSED; the project's
    /// other proposals stay live. For its client. The freelancer is told.
    async fn contract_retract(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which offer.")] input: ContractRetractInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::retract(app, actor, id?).await }.await)
    }
}
