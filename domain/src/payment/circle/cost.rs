//! What Circle took for a payout, booked by an administrator after its end: where Circle named it late, has changed it since, or
//! named so much that nobody believed it at once. Circle's own word has to be the figure that the administrator gives.

use entities::{LedgerTransferKind, PaymentId, PaymentStatus, Usdc, circle_payout};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::{
    again::{WITHIN, refused},
    ask, track,
};
use crate::{
    Actor, App, Code, Error, audit,
    error::Result,
    idempotency::{self, Claim},
    ledger::{self, Account},
    payment::{manage, record},
    policy::{self, Action},
    ports::circle::PayoutStatus,
};

/// Books what Circle took for a payout that is complete, in the place of what is booked for it; for admins who take no side in it.
///
/// # Errors
///
/// When the actor may not, the payment is no completed payout of Circle's, Circle does not say or says another figure, the books
/// have that figure already, or they have less at Circle than it.
pub async fn book_cost(app: &App, actor: &Actor, id: PaymentId, cost: Usdc, key: &str) -> Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    // Circle is asked before the transaction; a repeat does not need its answer.
    let named = named(app, id).await;
    let tx = app.db.begin().await?;
    let input = json!({ "paymentId": id, "cost": cost });
    let ticket = match idempotency::claim(app, &tx, admin, "paymentBookCost", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let payment = record::lock(&tx, id).await?.payment;
    manage::require_neutral(&tx, actor, &payment).await?;
    if payment.status != PaymentStatus::Completed {
        return refused(
            "The payment is not COMPLETED: only then does Circle say for good what it took for one.",
        );
    }
    let (asked, named) = named?;
    if cost != named {
        let message = format!("Circle says that it took {named} for this payment: only that can be booked.");
        return Err(Error::rejected("cost", Code::OutOfRange, message));
    }
    // What is booked changes only with the payment locked, and what Circle said may be older.
    let order = ask::of(&tx, &asked).await?;
    if (&order.circle_id, order.fee) != (&asked.circle_id, asked.fee) {
        return refused("The payment went on meanwhile: look at it again.");
    }
    let more = cost.minus(order.fee)?;
    if more == Usdc::ZERO {
        let message = "The books have that already: nothing is to be booked.";
        return Err(Error::rejected("cost", Code::IllegalState, message));
    }
    // Opened in the order of `settle::complete`, so that of two first costs neither waits for the other.
    ledger::open(app, &tx, Account::Costs).await?;
    let treasury = Account::Treasury(payment.rail);
    let held = ledger::locked_balance(app, &tx, treasury).await?;
    if more > held {
        let message =
            format!("The books have {held} at Circle, which is less than {more}: have it looked at.");
        return Err(Error::rejected("cost", Code::OutOfRange, message));
    }
    let change = circle_payout::ActiveModel {
        payment_id: Set(id),
        fee: Set(cost),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    change.update(&*tx).await?;
    let lines = [(Account::Costs, more), (treasury, more.negated()?)];
    let transfer = format!("{id}:COST:{}", app.clock.new_id::<uuid::Uuid>().simple());
    ledger::post(app, &tx, LedgerTransferKind::PayoutCostBooked, &transfer, Some(id), &lines).await?;
    let facts =
        json!({ "cost": cost.to_decimal().to_string(), "before": order.fee.to_decimal().to_string() });
    audit::record(app, &tx, actor, "payment.book_cost", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// An order, and what Circle says now that it took for it.
async fn named(app: &App, id: PaymentId) -> Result<(circle_payout::Model, Usdc)> {
    let order = circle_payout::Entity::find_by_id(id).one(app.db.reader()).await?;
    let Some((order, circle_id)) = order.and_then(|order| order.circle_id.clone().map(|id| (order, id)))
    else {
        return refused("Circle did not make this payment: only what it made has such a cost.");
    };
    let Some(circle) = app.circle.as_deref() else {
        let message = "Circle is not set up (CIRCLE_API_KEY): nobody can be asked what it took.";
        return Err(Error::rejected("paymentId", Code::NotConfigured, message));
    };
    let Ok(answer) = tokio::time::timeout(WITHIN, circle.payout(&circle_id)).await else {
        return refused("Circle takes too long to answer. Nothing has changed: try again in ten minutes.");
    };
    let payout = match answer {
        Ok(payout) => payout,
        Err(error) => {
            return refused(format!(
                "Circle does not say what it took ({error}). Nothing has changed: try again, with CIRCLE_API_KEY of the account that paid it."
            ));
        }
    };
    if payout.id != circle_id || !track::fits(&order, &payout) {
        return refused("Circle answers with another payout: have a developer look at it.");
    }
    if payout.status != PayoutStatus::Complete {
        let status = payout.status.as_str();
        return refused(format!("Circle calls this payment {status:?} now: look at it there."));
    }
    match payout.fee.filter(|fee| *fee >= Usdc::ZERO) {
        Some(fee) => Ok((order, fee)),
        None => refused("Circle does not name what it took for this payment: nothing can be booked on that."),
    }
}
