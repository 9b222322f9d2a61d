//! What is done to a contract that runs: rest, go on, end early, a bonus.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    contract::{self as contracts, Bonus, ContractPayment},
    payment as payments,
};

use super::{Contract, ContractPayload};
use crate::{
    error::{UserError, answer, fault},
    graphql::{
        payment::Payment,
        scalars::MoneyInput,
        support::{actor, app, parse_id},
    },
};

/// Which contract rests.
#[derive(Debug, InputObject)]
pub struct ContractPauseInput {
    /// An ACTIVE contract of yours without work that waits for an answer, `ctr_...`.
    pub contract_id: ID,
}

/// Which contract goes on.
#[derive(Debug, InputObject)]
pub struct ContractResumeInput {
    /// A PAUSED contract of yours, `ctr_...`.
    pub contract_id: ID,
}

/// Which contract ends, and why.
#[derive(Debug, InputObject)]
pub struct ContractTerminateInput {
    /// An ACTIVE or PAUSED contract of yours with nothing in escrow or under way, `ctr_...`.
    pub contract_id: ID,
    /// Why, 1 to 1,000 characters; both sides read it.
    pub reason: String,
}

/// A bonus on a contract.
#[derive(Debug, InputObject)]
pub struct ContractBonusInput {
    /// An ACTIVE or COMPLETED contract of yours, `ctr_...`.
    pub contract_id: ID,
    /// How much, gross: 1 to 1,000,000 USDC. The fee is taken from it.
    pub amount: MoneyInput,
    /// A word with it, up to 1,000 characters; the freelancer reads it.
    pub note: Option<String>,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// The contract and the payment made for it, or why there is none.
#[derive(SimpleObject)]
pub struct ContractPaymentPayload {
    /// The contract; null when something has to be mended first.
    pub contract: Option<Contract>,
    /// The payment; null when something has to be mended first.
    pub payment: Option<Payment>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ContractPaymentPayload {
    /// The two things as they are now: a replayed key answers with the same ones, whatever became of them.
    async fn of(ctx: &Context<'_>, result: domain::Result<ContractPayment>) -> Result<Self> {
        let (done, user_errors) = answer(result)?;
        let Some(done) = done else { return Ok(Self { contract: None, payment: None, user_errors }) };
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let contract = contracts::find(app, actor, done.contract).await.map_err(fault)?;
        let payment = payments::find(app, actor, done.payment).await.map_err(fault)?;
        Ok(Self { contract: Some(Contract(contract)), payment: Some(Payment(payment)), user_errors })
    }
}

/// What is done to a contract that runs.
#[derive(Default)]
pub struct ContractRunningMutation;

#[Object]
impl ContractRunningMutation {
    /// Lets the work rest: ACTIVE becomes PAUSED, and nothing is funded, handed in or approved. What is in
    /// escrow stays there. Refused while work waits for an answer. For its client. The freelancer is told.
    async fn contract_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contract.")] input: ContractPauseInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::pause(app, actor, id?).await }.await)
    }

    /// Lets the work go on: PAUSED becomes ACTIVE. For its client. The freelancer is told.
    async fn contract_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contract.")] input: ContractResumeInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::resume(app, actor, id?).await }.await)
    }

    /// Ends a contract early: ACTIVE or PAUSED becomes TERMINATED, and its PENDING milestones CANCELLED. Refused
    /// while anything is in escrow or under way; the errors say what, and what to do. A DISPUTED contract is
    /// ended by admins only. The project stays IN_PROGRESS, for its client to cancel. For either party, or an
    /// admin. The other side is told.
    async fn contract_terminate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contract, and why.")] input: ContractTerminateInput,
    ) -> Result<ContractPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("contractId", &input.contract_id);
        ContractPayload::of(async { contracts::terminate(app, actor, id?, &input.reason).await }.await)
    }

    /// Gives more than was agreed: answers with a DEPOSIT to pay, as `milestoneFund` does. Once the chain has
    /// confirmed it, a BONUS to the freelancer is queued, less the contract's fee. For its client. Both are
    /// told when it is on its way.
    async fn contract_bonus(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which contract, how much, and the idempotency key.")] input: ContractBonusInput,
    ) -> Result<ContractPaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let contract = parse_id("contractId", &input.contract_id)?;
            let amount = input.amount.parse("amount")?;
            let (note, key) = (input.note.as_deref(), input.idempotency_key.as_str());
            contracts::bonus(app, actor, Bonus { contract, amount, note, key }).await
        };
        ContractPaymentPayload::of(ctx, result.await).await
    }
}
