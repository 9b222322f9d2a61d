//! Following an ordered payout until Circle says how it ended. Until Circle has answered once, following is asking
//! again, under the same key.

use chrono::Duration;
use entities::{PaymentStatus, circle_payout, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};

use super::{LATER, RARELY, not_set_up, pace, word};
use crate::{
    App, Error,
    error::Result,
    fault,
    payment::{
        payout::is_under_way,
        record::{self, Locked},
        settle,
        state::Step,
    },
    ports::circle::{CircleError, Payout, PayoutStatus},
    queue::Outcome,
};

/// Looks at an ordered payout once.
pub(in crate::payment) async fn track(app: &App, payment: &payment::Model) -> Result<Outcome> {
    let order = circle_payout::Entity::find_by_id(payment.id).one(app.db.reader()).await?;
    look(app, &order.ok_or_else(|| Error::bug("a submitted payout without its order"))?).await
}

/// Asks Circle for a payout, or about it, and writes down the answer.
pub(super) async fn look(app: &App, order: &circle_payout::Model) -> Result<Outcome> {
    let circle = app.circle.as_deref().ok_or_else(not_set_up)?;
    let answer = match &order.circle_id {
        Some(id) => circle.payout(id).await,
        None => {
            fault::point("circle.send").await?;
            let made = circle.payout_create(order.idempotency_key, &order.recipient_id, order.amount).await;
            fault::point("circle.answer").await?;
            made
        }
    };
    match answer {
        Ok(payout) if is_the_one(order, &payout) => answered(app, order, &payout).await,
        Ok(payout) => {
            let trouble = format!("it answers with another payout: {payout:?}");
            unanswered(app, order, trouble, RARELY).await
        }
        Err(error) => {
            // A refusal is no end: only Circle's `failed` says that no money moves.
            let pause = match &error {
                CircleError::Refused { .. } => RARELY,
                CircleError::Transient { retry_after, .. } => {
                    let wanted = retry_after.and_then(|pause| Duration::from_std(pause).ok());
                    wanted.unwrap_or_default().max(pace(app, order.created_at))
                }
            };
            unanswered(app, order, error.to_string(), pause).await
        }
    }
}

/// Whether this is what was ordered. What Circle does not say cannot contradict.
fn is_the_one(order: &circle_payout::Model, payout: &Payout) -> bool {
    order.circle_id.as_ref().is_none_or(|id| *id == payout.id)
        && payout.amount.is_none_or(|amount| amount == order.amount)
        && payout.recipient.as_ref().is_none_or(|recipient| *recipient == order.recipient_id)
}

async fn answered(app: &App, order: &circle_payout::Model, payout: &Payout) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Locked { payment, milestone } = record::lock(&tx, order.payment_id).await?;
    if !is_under_way(&payment) {
        return Ok(Outcome::Done);
    }
    let now = app.clock.now();
    let code = payout.error_code.as_deref().map(word);
    let change = circle_payout::ActiveModel {
        payment_id: Set(order.payment_id),
        circle_id: Set(Some(payout.id.clone())),
        status: Set(Some(word(payout.status.as_str()))),
        error_code: Set(code.clone()),
        trouble: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    // Circle has it.
    let payment = match payment.status {
        PaymentStatus::Submitted => record::step(app, &tx, &payment, Step::Mine, |_| ()).await?,
        _ => payment,
    };
    match &payout.status {
        PayoutStatus::Complete => settle::complete(app, &tx, &payment, milestone).await?,
        PayoutStatus::Failed => {
            let reason = format!("Circle did not pay it: {}", code.as_deref().unwrap_or("no reason given"));
            settle::fail(app, &tx, &payment, milestone, &reason).await?;
        }
        PayoutStatus::Pending => {
            record::look_at(app, &tx, &payment, now + pace(app, order.created_at)).await?;
        }
        PayoutStatus::Other(status) => {
            tracing::warn!(payment = %payment.id, status, "Circle has a new status for payouts");
            record::look_at(app, &tx, &payment, now + LATER).await?;
        }
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Nothing is known: the same is asked again.
async fn unanswered(
    app: &App,
    order: &circle_payout::Model,
    trouble: String,
    pause: Duration,
) -> Result<Outcome> {
    tracing::warn!(payment = %order.payment_id, trouble, "Circle did not say how a payout stands");
    let tx = app.db.begin().await?;
    let Locked { payment, .. } = record::lock(&tx, order.payment_id).await?;
    if !is_under_way(&payment) {
        return Ok(Outcome::Done);
    }
    let now = app.clock.now();
    let change = circle_payout::ActiveModel {
        payment_id: Set(order.payment_id),
        trouble: Set(Some(trouble)),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    record::look_at(app, &tx, &payment, now + pause).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}
