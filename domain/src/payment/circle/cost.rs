//! What Circle took for a payout, booked by an administrator after its end: where Circle named it late, has changed it since, or
//! named so much that nobody believed it at once. Circle's own word has to be the figure that the administrator gives.

use entities::{LedgerTransferKind, PaymentId, PaymentStatus, Usdc, circle_payout};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::{again::WITHIN, track};
use crate::{
    Actor, App, Code, Error, audit,
    error::Result,
    idempotency::{self, Claim},
    ledger::{self, Account},
    payment::{manage, record},
    policy::{self, Action},
    ports::circle::PayoutStatus,
};

/// An order and what Circle says that it took for it, or why that is not known.
type Named = Result<(circle_payout::Model, Usdc), (Code, String)>;

/// Books what Circle took for a payout that is complete, in the place of what is booked for it; for admins who take no side in it.
///
/// # Errors
///
/// When the actor may not, the payment is no completed payout of Circle's, Circle does not say or says another figure, the books
/// have that figure already, or they have less at Circle than it.
pub async fn book_cost(app: &App, actor: &Actor, id: PaymentId, cost: Usdc, key: &str) -> Result<PaymentId> {
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    // Circle is asked before the transaction.
    let named = named(app, id).await?;
    let tx = app.db.begin().await?;
    let input = json!({ "paymentId": id, "cost": cost });
    let ticket = match idempotency::claim(app, &tx, admin, "paymentBookCost", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let payment = record::lock(&tx, id).await?.payment;
    manage::require_neutral(&tx, actor, &payment).await?;
    if payment.status != PaymentStatus::Completed {
        let message =
            "The payment is not COMPLETED: only then does Circle say for good what it took for one.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let (asked, named) = named.map_err(|(code, message)| Error::rejected("paymentId", code, message))?;
    if cost != named {
        let message = format!("Circle says that it took {named} for this payment: only that can be booked.");
        return Err(Error::rejected("cost", Code::OutOfRange, message));
    }
    // What is booked changes only with the payment locked, and what Circle said may be older.
    let order = circle_payout::Entity::find_by_id(asked.payment_id).one(&*tx).await?;
    let order = order.ok_or_else(|| Error::bug("an order vanished"))?;
    if (&order.circle_id, order.fee) != (&asked.circle_id, asked.fee) {
        let message = "The payment went on meanwhile: look at it again.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
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

/// What Circle says now that it took.
async fn named(app: &App, id: PaymentId) -> Result<Named> {
    let no = |code, message: String| Ok(Err((code, message)));
    let order = circle_payout::Entity::find_by_id(id).one(app.db.reader()).await?;
    let Some((order, circle_id)) = order.and_then(|order| order.circle_id.clone().map(|id| (order, id)))
    else {
        let message = "Circle did not make this payment: only what it made has such a cost.";
        return no(Code::IllegalState, message.to_owned());
    };
    let Some(circle) = app.circle.as_deref() else {
        let message = "Circle is not set up (CIRCLE_API_KEY): nobody can be asked what it took.";
        return no(Code::NotConfigured, message.to_owned());
    };
    match tokio::time::timeout(WITHIN, circle.payout(&circle_id)).await {
        Ok(Ok(payout)) if payout.id != circle_id || !track::fits(&order, &payout) => {
            let message = "Circle answers with another payout: have a developer look at it.";
            no(Code::IllegalState, message.to_owned())
        }
        Ok(Ok(payout)) if payout.status != PayoutStatus::Complete => {
            let message =
                format!("Circle calls this payment {:?} now: look at it there.", payout.status.as_str());
            no(Code::IllegalState, message)
        }
        Ok(Ok(payout)) => match payout.fee.filter(|fee| *fee >= Usdc::ZERO) {
            Some(fee) => Ok(Ok((order, fee))),
            None => {
                let message =
                    "Circle does not name what it took for this payment: nothing can be booked on that.";
                no(Code::IllegalState, message.to_owned())
            }
        },
        Ok(Err(error)) => no(
            Code::IllegalState,
            format!(
                "Circle does not say what it took ({error}). Nothing has changed: try again, with CIRCLE_API_KEY of the account that paid it."
            ),
        ),
        Err(_) => no(
            Code::IllegalState,
            "Circle takes too long to answer. Nothing has changed: try again in ten minutes.".to_owned(),
        ),
    }
}
