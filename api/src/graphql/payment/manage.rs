//! What administrators do with payouts that wait, and with what one cost.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    Actor, App,
    entities::PaymentId,
    payment as payments,
    policy::{self, Action},
};

use super::{Payment, PaymentPayload};
use crate::{
    error::answer,
    graphql::{
        scalars::MoneyInput,
        support::{actor, app, parse_id},
    },
};

/// Which payout to hold, and why.
#[derive(Debug, InputObject)]
pub struct PaymentHoldInput {
    /// A payout that waits, `pay_...`: QUEUED, or ON_HOLD for another reason.
    pub payment_id: ID,
    /// Why, 3 to 500 characters. Its payee reads it.
    pub reason: String,
}

/// Which payout to let go.
#[derive(Debug, InputObject)]
pub struct PaymentResumeInput {
    /// A payout that is ON_HOLD, `pay_...`.
    pub payment_id: ID,
}

/// Which payout to approve.
#[derive(Debug, InputObject)]
pub struct PaymentApproveInput {
    /// A payout with `needsApproval`, `pay_...`.
    pub payment_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// Which payment to send to its payee's payout wallet, and why.
#[derive(Debug, InputObject)]
pub struct PaymentRedirectInput {
    /// A refund or return that waits, `pay_...`: QUEUED or ON_HOLD.
    pub payment_id: ID,
    /// Why, 3 to 500 characters, for the audit log.
    pub reason: String,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// For which payout to book what Circle took.
#[derive(Debug, InputObject)]
pub struct PaymentBookCostInput {
    /// A payout that Circle made, `pay_...`: COMPLETED.
    pub payment_id: ID,
    /// What Circle took for it in all, beside its amount, in USDC: the figure that Circle itself says.
    pub cost: MoneyInput,
    /// A UUID of your making, new for each intent: sent again, it answers with the same payment.
    pub idempotency_key: ID,
}

/// What administrators do with payouts.
#[derive(Default)]
pub struct PaymentManageMutation;

#[Object]
impl PaymentManageMutation {
    /// Holds a payout until an administrator lets it go with paymentResume. One that is signed goes its way: nothing takes bytes
    /// back. For admins who are no party of its contract.
    async fn payment_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment, and why.")] input: PaymentHoldInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let done = Box::pin(async {
            let id = admin_id(actor, &input.payment_id)?;
            payments::hold(app, actor, id, &input.reason).await.map(|row| row.id)
        });
        shown(app, actor, done).await
    }

    /// Lets a payout go that is ON_HOLD, whoever or whatever holds it: it is looked at now, and held anew if the cause is still
    /// there. For admins who are no party of its contract.
    async fn payment_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: PaymentResumeInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let done = Box::pin(async {
            let id = admin_id(actor, &input.payment_id)?;
            payments::resume(app, actor, id).await.map(|row| row.id)
        });
        shown(app, actor, done).await
    }

    /// Approves a payout whose amount, or what was decided with it in all, is above the limit. For admins who neither started it nor sent
    /// it elsewhere, and are no party of its contract.
    async fn payment_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: PaymentApproveInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let done = Box::pin(async {
            let id = admin_id(actor, &input.payment_id)?;
            payments::approve(app, actor, id, &input.idempotency_key).await
        });
        shown(app, actor, done).await
    }

    /// Sends a refund or return that cannot reach the wallet it came from to its payee's payout wallet instead. What was approved
    /// has to be approved again. For admins who are no party of its contract.
    async fn payment_redirect(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment, and why.")] input: PaymentRedirectInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let done = Box::pin(async {
            let id = admin_id(actor, &input.payment_id)?;
            payments::redirect(app, actor, id, &input.reason, &input.idempotency_key).await
        });
        shown(app, actor, done).await
    }

    /// Books what Circle took for a payout after its end, in the place of what is booked for it: Circle named it late, or so much that
    /// it was not believed at once. Circle is asked, and has to say the same. It is part of `treasury.costsInLedger`, and nobody is
    /// paid less. For admins who are no party of its contract.
    async fn payment_book_cost(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For which payment, and how much.")] input: PaymentBookCostInput,
    ) -> Result<PaymentPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let done = Box::pin(async {
            let id = admin_id(actor, &input.payment_id)?;
            let cost = input.cost.parse("cost")?;
            payments::circle::book_cost(app, actor, id, cost, &input.idempotency_key).await
        });
        shown(app, actor, done).await
    }
}

/// Who may not hears that first, whatever id they try.
fn admin_id(actor: &Actor, id: &ID) -> domain::Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    parse_id("paymentId", id)
}

async fn shown(
    app: &App,
    actor: &Actor,
    done: impl Future<Output = domain::Result<PaymentId>>,
) -> Result<PaymentPayload> {
    let result = async { payments::find(app, actor, done.await?).await };
    let (payment, user_errors) = answer(result.await)?;
    Ok(PaymentPayload { payment: payment.map(Payment), user_errors })
}
