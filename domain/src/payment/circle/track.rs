//! Following an ordered payout until Circle says how it ended. Until Circle has answered once, following is asking
//! again, under the same key.

use chrono::Duration;
use entities::{PaymentStatus, circle_payout, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{
    LATER, RARELY,
    ask::{self, Asked},
    fees, pace, word,
};
use crate::{
    App, Error, Tx,
    error::Result,
    notification::{Notice, notify_admins},
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
    let order = order.ok_or_else(|| Error::bug("a submitted payout without its order"))?;
    let Some(circle) = app.circle.as_deref() else {
        // The rail was switched off while payments are on it.
        let trouble =
            Trouble::Lasting(Cause::Unset, "payouts by Circle are not set up at the moment".to_owned());
        return troubled(app, &Asked::nothing(order), &trouble, RARELY).await;
    };
    if ask::may_double(app, &order) {
        let trouble = "Circle never answered this order, and may not know its key any more: an administrator has to look whether it was paid";
        let trouble = Trouble::Lasting(Cause::Silent, trouble.to_owned());
        return troubled(app, &Asked::nothing(order), &trouble, RARELY).await;
    }
    note(app, &ask::ask(app, circle, &order).await?).await
}

/// What is wrong with an order.
pub(super) enum Trouble {
    /// It may pass by itself.
    Passing(String),
    /// Somebody has to see to it: everybody who sees the payment reads it, and administrators are told.
    Lasting(Cause, String),
}

/// Why a payout is stuck: administrators hear of each once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cause {
    Unset,
    Silent,
    Refused,
    Missing,
    Another,
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Silent => "SILENT",
            Self::Refused => "REFUSED",
            Self::Missing => "MISSING",
            Self::Another => "ANOTHER",
        }
    }
}

/// Writes down what Circle answered.
pub(super) async fn note(app: &App, asked: &Asked) -> Result<Outcome> {
    let (trouble, pause) = match &asked.answer {
        None => return Ok(Outcome::Done),
        Some(Ok(payout)) if is_the_one(asked, payout) => {
            let tx = app.db.begin().await?;
            let locked = record::lock(&tx, asked.order.payment_id).await?;
            if !is_under_way(&locked.payment) {
                return Ok(Outcome::Done);
            }
            if !is_anothers(&tx, &asked.order, payout).await? {
                accepted(app, &tx, locked, &asked.order, payout).await?;
                tx.commit().await?;
                return Ok(Outcome::Done);
            }
            (another(payout), RARELY)
        }
        Some(Ok(payout)) => (another(payout), RARELY),
        // A refusal is no end: only Circle's `failed` says that no money moves, or an administrator who has it asked again.
        Some(Err(error @ CircleError::Refused { .. })) => {
            let cause = if asked.missing { Cause::Missing } else { Cause::Refused };
            (Trouble::Lasting(cause, refusal(error)), RARELY)
        }
        Some(Err(error)) => {
            let wanted = error.retry_after().and_then(|pause| Duration::from_std(pause).ok());
            let pause = wanted.unwrap_or_default().max(pace(app, asked.order.created_at));
            (Trouble::Passing(error.to_string()), pause)
        }
    };
    troubled(app, asked, &trouble, pause).await
}

fn another(payout: &Payout) -> Trouble {
    tracing::error!(?payout, "Circle answers with another payout");
    let text = "Circle answers with another payout than the one that was ordered";
    Trouble::Lasting(Cause::Another, text.to_owned())
}

/// A refusal in words.
pub(super) fn refusal(error: &CircleError) -> String {
    match error {
        CircleError::Refused { status, code, message } => {
            format!("Circle refuses the payout: {message:?} (code {code}, HTTP {status})")
        }
        CircleError::Transient { .. } => error.to_string(),
    }
}

/// Whether this is what was ordered.
pub(super) fn is_the_one(asked: &Asked, payout: &Payout) -> bool {
    let order = &asked.order;
    (asked.by_key || order.circle_id.as_ref().is_none_or(|id| *id == payout.id)) && fits(order, payout)
}

/// Whether payee and amount are those of an order. What Circle does not say cannot contradict.
pub(super) fn fits(order: &circle_payout::Model, payout: &Payout) -> bool {
    payout.amount.is_none_or(|amount| amount == order.amount)
        && payout.recipient.as_ref().is_none_or(|recipient| *recipient == order.recipient_id)
}

/// Whether Circle gave this id for another order: two of one payee and amount look alike otherwise.
pub(super) async fn is_anothers(tx: &Tx, order: &circle_payout::Model, payout: &Payout) -> Result<bool> {
    let known = circle_payout::Entity::find()
        .filter(circle_payout::Column::CircleId.eq(payout.id.as_str()))
        .filter(circle_payout::Column::PaymentId.ne(order.payment_id))
        .one(&**tx)
        .await?;
    Ok(known.is_some())
}

/// Circle has it: how it stands there is how it stands here. The payment is locked and under way.
pub(super) async fn accepted(
    app: &App,
    tx: &Tx,
    Locked { payment, milestone }: Locked,
    order: &circle_payout::Model,
    payout: &Payout,
) -> Result<()> {
    let now = app.clock.now();
    let code = payout.error_code.as_deref().map(word);
    let fee = fees::fee(payout, order.amount);
    let change = circle_payout::ActiveModel {
        payment_id: Set(order.payment_id),
        circle_id: Set(Some(payout.id.clone())),
        fee: Set(if payout.status == PayoutStatus::Complete { fee.unwrap_or_default() } else { order.fee }),
        missing_since: Set(None),
        status: Set(Some(word(payout.status.as_str()))),
        error_code: Set(code.clone()),
        trouble: Set(None),
        doubt_until: Set(None),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&**tx).await?;
    let payment = match payment.status {
        PaymentStatus::Submitted => {
            record::step(app, tx, &payment, Step::Mine, |row| row.hold_reason = Set(None)).await?
        }
        _ => record::reason(app, tx, payment, None).await?,
    };
    match &payout.status {
        PayoutStatus::Complete => {
            settle::complete(app, tx, &payment, milestone, fee.unwrap_or_default()).await?;
            match fee {
                Ok(_) => Ok(()),
                Err(absurd) => fees::alarm(app, tx, &payment, absurd).await,
            }
        }
        PayoutStatus::Failed => {
            let reason = format!("Circle did not pay it: {}", code.as_deref().unwrap_or("no reason given"));
            settle::fail(app, tx, &payment, milestone, &reason).await
        }
        PayoutStatus::Pending => record::look_at(app, tx, &payment, now + pace(app, order.created_at)).await,
        PayoutStatus::Other(status) => {
            tracing::warn!(payment = %payment.id, status, "Circle has a new status for payouts");
            record::look_at(app, tx, &payment, now + LATER).await
        }
    }
}

/// Nothing is known: the same is asked again.
async fn troubled(app: &App, asked: &Asked, trouble: &Trouble, pause: Duration) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Locked { payment, .. } = record::lock(&tx, asked.order.payment_id).await?;
    if !is_under_way(&payment) {
        return Ok(Outcome::Done);
    }
    let (text, payment) = match trouble {
        Trouble::Passing(text) => {
            tracing::warn!(payment = %payment.id, trouble = text, "Circle did not say how a payout stands");
            (text, payment)
        }
        Trouble::Lasting(cause, text) => (text, lasting(app, &tx, payment, *cause, text).await?),
    };
    let now = app.clock.now();
    let change = circle_payout::ActiveModel {
        payment_id: Set(payment.id),
        trouble: Set(Some(text.clone())),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    ask::answered(app, &tx, asked).await?;
    record::look_at(app, &tx, &payment, now + pause).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Everybody reads it on the payment, and administrators are told, once for each payment and cause however often it is asked for.
async fn lasting(
    app: &App,
    tx: &Tx,
    payment: payment::Model,
    cause: Cause,
    reason: &str,
) -> Result<payment::Model> {
    if payment.hold_reason.as_deref() == Some(reason) {
        return Ok(payment);
    }
    tracing::error!(payment = %payment.id, reason, "a payout is stuck at Circle");
    let notice = Notice::PaymentStuck { payment: payment.id, amount: payment.net, reason: reason.to_owned() };
    notify_admins(app, tx, &notice, &format!("{}:STUCK:{}", payment.id, cause.as_str())).await?;
    record::reason(app, tx, payment, Some(reason)).await
}
