//! Payments, quotes, and hearing of a payment's changes.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use domain::{
    Actor, App,
    entities::{EventKind, PaymentId, PaymentKind as Kind, PaymentStatus as Status, Usdc, payment},
    payment as payments,
    payment::transfers::confirmations,
    policy::{self, Action},
    ports::chain,
};
use futures::{Stream, StreamExt as _};

use super::{
    connection::{Listing, list_cost, page},
    contract::Contract,
    dispute::Dispute,
    enums::{PaymentKind, PaymentRail, PaymentStatus},
    events::EventFeed,
    job::{Job, connect_about},
    milestone::Milestone,
    scalars::Money,
    support::{actor, app, parse_id},
    user::User,
};
use crate::{
    error::{UserError, answer, fault, found},
    loaders::{ArrivedFor, ChainHead, SignedFor, load, load_if_any, load_or_default},
};

mod manage;
mod quote;
mod transfer;

pub use manage::{
    PaymentApproveInput, PaymentBookCostInput, PaymentHoldInput, PaymentManageMutation, PaymentRedirectInput,
    PaymentResumeInput,
};

pub use quote::{FeeSchedule, Quote, QuoteInput, QuoteQuery};
pub use transfer::ChainTransfer;
pub(super) use transfer::checksummed;

/// Money on its way: a deposit that the chain has to confirm, or an intent to pay out.
pub struct Payment(pub payment::Model);

/// Money on its way: a deposit that the chain has to confirm, or an intent to pay out.
#[Object]
impl Payment {
    /// The payment's id, `pay_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is for.
    async fn kind(&self) -> PaymentKind {
        self.0.kind.into()
    }

    /// Where it is in its life.
    async fn status(&self) -> PaymentStatus {
        self.0.status.into()
    }

    /// What it travels on.
    async fn rail(&self) -> PaymentRail {
        self.0.rail.into()
    }

    /// The contract that it belongs to.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        let Some(id) = self.0.contract_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Contract(row)))
    }

    /// The milestone that it belongs to.
    async fn milestone(&self, ctx: &Context<'_>) -> Result<Option<Milestone>> {
        let Some(id) = self.0.milestone_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Milestone(row)))
    }

    /// The dispute whose resolution it carries out; null for all other payments.
    async fn dispute(&self, ctx: &Context<'_>) -> Result<Option<Dispute>> {
        let Some(id) = self.0.dispute_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Dispute(row)))
    }

    /// The FAILED payment in whose place it came, by paymentRetry; null for all others.
    async fn retry_of(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        let Some(id) = self.0.retry_of else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Payment(row)))
    }

    /// Whose money it is.
    async fn payer(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.payer_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// Who gets it.
    async fn payee(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.payee_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// The gross: fee and net together.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// The platform's part.
    async fn fee(&self) -> Money {
        self.0.fee.into()
    }

    /// What the payee gets.
    async fn net(&self) -> Money {
        self.0.net.into()
    }

    /// Where a deposit has to be sent, with its checksum; null for payouts.
    async fn deposit_address(&self) -> Option<String> {
        self.0.deposit_address.as_deref().map(checksummed)
    }

    /// A link that wallets open with address and amount filled in (EIP-681); null unless funds are awaited.
    async fn payment_uri(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.status != Status::AwaitingFunds {
            return Ok(None);
        }
        let received = self.arrived(ctx).await?;
        let missing = self.0.amount.minus(received).map_err(|error| fault(error.into()))?;
        Ok(payment_uri(app(ctx)?, missing))
    }

    /// By when a deposit has to be in a block; null for payouts.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// What has arrived for a deposit so far, confirmed or not; null for payouts.
    async fn received(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        if self.0.kind != Kind::Deposit {
            return Ok(None);
        }
        Ok(Some(self.arrived(ctx).await?.into()))
    }

    /// The USDC transfers that arrived for a deposit, as the chain shows them.
    async fn transfers(&self, ctx: &Context<'_>) -> Result<Vec<ChainTransfer>> {
        let head = load_if_any(ctx, ChainHead).await?.unwrap_or(0);
        let rows = load_or_default(ctx, ArrivedFor(self.0.id)).await?;
        Ok(rows.into_iter().map(|row| ChainTransfer { row, head }).collect())
    }

    /// The transaction that carries it: the newest that arrived for a deposit, or that was signed for a
    /// payout. Null before there is one.
    async fn transaction_hash(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.kind == Kind::Deposit {
            let rows = load_or_default(ctx, ArrivedFor(self.0.id)).await?;
            return Ok(rows.into_iter().next_back().map(|row| row.transaction_hash));
        }
        // The newest, unless the chain took one that it was to replace.
        let rows = load_or_default(ctx, SignedFor(self.0.id)).await?;
        let mined = rows.iter().find(|row| row.block_number.is_some());
        Ok(mined.or(rows.first()).map(|row| row.hash.clone()))
    }

    /// How many blocks confirm it by now, its own included; null before it is in a block.
    async fn confirmations(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let block = if self.0.kind == Kind::Deposit {
            let rows = load_or_default(ctx, ArrivedFor(self.0.id)).await?;
            rows.iter().map(|row| row.block_number).max()
        } else {
            let rows = load_or_default(ctx, SignedFor(self.0.id)).await?;
            rows.iter().find_map(|row| row.block_number)
        };
        let Some(block) = block else { return Ok(None) };
        let head = load_if_any(ctx, ChainHead).await?.unwrap_or(0);
        let counted = confirmations(head, block);
        // What completed it knew of newer blocks than the scanner, whose head this is.
        let needed = self.0.completed_at.and(self.0.required_confirmations).unwrap_or(0);
        Ok(Some(counted.max(needed)))
    }

    /// How many blocks it needs; null when its block has to be final, as that of a large deposit has to be.
    async fn required_confirmations(&self) -> Option<i32> {
        self.0.required_confirmations
    }

    /// Why it failed, is held, waits, or is stuck at Circle, in its words; null when nothing is wrong.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref().or(self.0.hold_reason.as_deref())
    }

    /// Whether it waits for an administrator other than the one who started it, because of its amount, or of all that was decided with
    /// it.
    async fn needs_approval(&self, ctx: &Context<'_>) -> Result<bool> {
        let waits = payments::state::is_unsigned(self.0.kind, self.0.status);
        Ok(waits && payments::needs_approval(app(ctx)?, &self.0))
    }

    /// The administrator who approved it, for administrators; null for everybody else, and where nobody had to.
    async fn approved_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.approved_by.filter(|_| actor(ctx).is_ok_and(Actor::sees_all)) else {
            return Ok(None);
        };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// The administrator who holds it until one lets it go, for administrators; null for everybody else, and where nobody does.
    async fn held_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.held_by.filter(|_| actor(ctx).is_ok_and(Actor::sees_all)) else {
            return Ok(None);
        };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// Why it was asked for, in the words of who asked: refunds have one, and a bonus may have a note.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The work queued for it, newest first: why it is waiting.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Job>> {
        connect_about(ctx, self.0.id.to_string(), page(first, after, last, before)).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it ended well; null until then.
    async fn completed_at(&self) -> Option<DateTime<Utc>> {
        self.0.completed_at
    }
}

impl Payment {
    async fn arrived(&self, ctx: &Context<'_>) -> Result<Usdc> {
        let rows = load_or_default(ctx, ArrivedFor(self.0.id)).await?;
        Usdc::sum(rows.iter().map(|row| row.amount)).map_err(|error| fault(error.into()))
    }
}

/// The EIP-681 link for what is still missing.
fn payment_uri(app: &App, missing: Usdc) -> Option<String> {
    let (chain, usdc, treasury) = (app.chain.chain_id(), app.chain.usdc(), app.chain.treasury());
    missing.is_positive().then(|| chain::payment_uri(chain, usdc, treasury, missing))
}

/// Reading payments.
#[derive(Default)]
pub struct PaymentQuery;

#[Object]
impl PaymentQuery {
    /// A payment; null when it is not there, or not yours.
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `pay_...`.")] id: ID,
    ) -> Result<Option<Payment>> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let found = found(async { payments::find(app, actor, parse_id("id", &id)?).await }.await)?;
        Ok(found.map(Payment))
    }
}

/// Which transaction pays which deposit.
#[derive(Debug, InputObject)]
pub struct PaymentReportTransactionInput {
    /// Your deposit, `pay_...`.
    pub payment_id: ID,
    /// The hash that your wallet shows: `0x` and 64 hex digits.
    pub transaction_hash: String,
}

/// Which payment to try again.
#[derive(Debug, InputObject)]
pub struct PaymentRetryInput {
    /// A FAILED payment, `pay_...`, whose cause was seen to; or one on CIRCLE that is SUBMITTED and that Circle does not take.
    pub payment_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// The payment after the change, or why there was none.
#[derive(SimpleObject)]
pub struct PaymentPayload {
    /// The payment; null when something has to be mended first.
    pub payment: Option<Payment>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What can be done with payments.
#[derive(Default)]
pub struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Says which transaction pays a deposit. It is a hint that makes us look at once, never proof: what
    /// counts is what the chain shows, and a deposit that nobody reports is found too.
    async fn payment_report_transaction(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which transaction, for which deposit.")] input: PaymentReportTransactionInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let id = parse_id("paymentId", &input.payment_id)?;
            payments::report_transaction(app, actor, id, &input.transaction_hash).await
        };
        let (payment, user_errors) = answer(result.await)?;
        Ok(PaymentPayload { payment: payment.map(Payment), user_errors })
    }

    /// Pays what a FAILED release, bonus, return or part of a dispute's resolution did not, by a new payment of the same
    /// amounts, which is the answer; once for each failed one. A failed refund that somebody gave is given anew instead,
    /// with milestoneRefund. A payment that Circle refuses (SUBMITTED on CIRCLE, with a `failureReason`) is asked for once more under
    /// its own key, and one that Circle does not know any more (CONFIRMING) by its id: it goes on when Circle has it or takes it, also
    /// when only Circle's list of payouts shows it. It is FAILED, the money back where it was, when Circle refuses it afresh, or has not
    /// known it for a day, and by that list has not accepted it unheard; the answer is then that payment, and another retry pays it
    /// anew. For admins who are no party of its contract.
    async fn payment_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: PaymentRetryInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            // Who may not hears that first, whatever id they try.
            policy::authorise(actor, Action::Administer, "", "payment")?;
            let id = parse_id("paymentId", &input.payment_id)?;
            let made = payments::retry(app, actor, id, &input.idempotency_key).await?;
            payments::find(app, actor, made).await
        };
        let (payment, user_errors) = answer(result.await)?;
        Ok(PaymentPayload { payment: payment.map(Payment), user_errors })
    }
}

/// Hearing of payments.
#[derive(Default)]
pub struct PaymentSubscription;

#[Subscription]
impl PaymentSubscription {
    /// A payment that you may see: as it is now, and again after each change.
    async fn payment_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment, `pay_...`.")] payment_id: ID,
    ) -> Result<impl Stream<Item = Result<Payment>> + use<>> {
        let (app, actor) = (app(ctx)?.clone(), actor(ctx)?.clone());
        let id: PaymentId = parse_id("paymentId", &payment_id).map_err(fault)?;
        // Listened to before it is read, so that no change falls between.
        let events = ctx.data::<EventFeed>()?.subscribe();
        let first = payments::find(&app, &actor, id).await.map_err(fault)?;
        let changes = events.filter_map(move |event| {
            let (app, actor) = (app.clone(), actor.clone());
            async move {
                match event {
                    Err(lagged) => Some(Err(lagged)),
                    Ok(event) if event.kind == EventKind::PaymentUpdated && event.subject_id == id.0 => {
                        Some(payments::find(&app, &actor, id).await.map(Payment).map_err(fault))
                    }
                    Ok(_) => None,
                }
            }
        });
        Ok(futures::stream::once(async { Ok(Payment(first)) }).chain(changes))
    }
}
