//! Asking Circle for a payout, and for how it stands. Each asking is noted before it is made, so that whoever would end a payment
//! knows whether one is under way, or was never answered.

use chrono::{DateTime, Duration, Utc};
use entities::{PaymentStatus, circle_payout, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

use crate::{
    App, Error, Tx,
    error::Result,
    fault,
    ports::circle::{Circle, CircleError, Payout, Verdict},
};

/// How long an asking whose answer nobody heard may still be on its way to Circle: a call ends after twenty seconds, and what
/// stands between keeps nothing for so long.
const DOUBT: Duration = Duration::minutes(10);
/// For how long Circle is trusted to know a key: to find a payout that it does not know by the id that it gave, and to answer an
/// order that was accepted unheard with that payout and no other.
const KEY_HOLDS: Duration = Duration::hours(24);

/// An order and what was asked for it.
pub(super) struct Asked {
    /// The order as it was when Circle was asked.
    pub(super) order: circle_payout::Model,
    /// Whether the order's key was asked with, and not the id that Circle gave.
    pub(super) by_key: bool,
    /// Whether Circle does not know it by the id that it gave.
    pub(super) missing: bool,
    /// Circle's answer; `None` when there was nothing to ask for any more.
    pub(super) answer: Option<Result<Payout, CircleError>>,
}

impl Asked {
    /// An order that nothing was asked for.
    pub(super) const fn nothing(order: circle_payout::Model) -> Self {
        Self { order, by_key: false, missing: false, answer: None }
    }
}

/// Asks for an order that Circle has not confirmed, under its key; or about one that it has. One that Circle does not know any
/// more by the id that it gave is asked for by its key: of one key there is one payout.
pub(super) async fn ask(app: &App, circle: &dyn Circle, order: &circle_payout::Model) -> Result<Asked> {
    let Some(id) = &order.circle_id else { return ask_for(app, circle, order).await };
    let answer = circle.payout(id).await;
    let missing = answer.as_ref().is_err_and(|error| {
        matches!(error, CircleError::Refused { status: 404, .. }) && error.verdict() == Verdict::Refused
    });
    if missing && is_young(app, order) {
        return Ok(Asked { missing, ..ask_for(app, circle, order).await? });
    }
    Ok(Asked { order: order.clone(), by_key: false, missing, answer: Some(answer) })
}

/// Whether its key still stands for this order at Circle.
fn is_young(app: &App, order: &circle_payout::Model) -> bool {
    order.created_at + KEY_HOLDS > app.clock.now()
}

/// Whether asking under the key could be a second payout: an earlier asking was never answered, and Circle may have forgotten
/// the key since.
pub(super) fn may_double(app: &App, order: &circle_payout::Model) -> bool {
    order.circle_id.is_none() && order.doubt_until.is_some() && !is_young(app, order)
}

/// Asks for an order under its key, whatever is known of it.
pub(super) async fn ask_for(app: &App, circle: &dyn Circle, order: &circle_payout::Model) -> Result<Asked> {
    match begin(app, order).await? {
        Some(order) => first(circle, order).await,
        None => Ok(Asked::nothing(order.clone())),
    }
}

/// The asking itself, which was noted with the order.
pub(super) async fn first(circle: &dyn Circle, order: circle_payout::Model) -> Result<Asked> {
    fault::point("circle.send").await?;
    let answer = circle.payout_create(order.idempotency_key, &order.recipient_id, order.amount).await;
    fault::point("circle.answer").await?;
    Ok(Asked { order, by_key: true, missing: false, answer: Some(answer) })
}

/// What a new order notes of its first asking.
pub(super) fn doubt(app: &App) -> DateTime<Utc> {
    app.clock.now() + DOUBT
}

/// Notes that it is asked for now; the order as noted, with the doubt that there was before. `None` when the payment has ended:
/// its key is never used again.
async fn begin(app: &App, seen: &circle_payout::Model) -> Result<Option<circle_payout::Model>> {
    let tx = app.db.begin().await?;
    let payment = payment::Entity::find_by_id(seen.payment_id).lock_exclusive().one(&*tx).await?;
    let payment = payment.ok_or_else(|| Error::bug("an order without its payment"))?;
    if !matches!(payment.status, PaymentStatus::Submitted | PaymentStatus::Confirming) {
        return Ok(None);
    }
    let order = of(&tx, seen).await?;
    let change = circle_payout::ActiveModel {
        payment_id: Set(order.payment_id),
        asks: Set(order.asks + 1),
        doubt_until: Set(Some(doubt(app))),
        ..Default::default()
    };
    change.update(&*tx).await?;
    tx.commit().await?;
    Ok(Some(circle_payout::Model { asks: order.asks + 1, ..order }))
}

/// What an answer lets believe of the askings before it.
pub(super) enum Standing {
    /// No other asking is under way, and each was answered, or so long ago that it does not come any more.
    Alone,
    /// Another asking may still come to Circle.
    Doubtful,
}

/// How it stands with the other askings for an order. Its payment is locked.
pub(super) async fn standing(app: &App, tx: &Tx, asked: &Asked) -> Result<Standing> {
    let now = of(tx, &asked.order).await?;
    let passed = asked.order.doubt_until.is_none_or(|until| until <= app.clock.now());
    let alone = now.asks == asked.order.asks && passed;
    Ok(if alone { Standing::Alone } else { Standing::Doubtful })
}

/// Notes that an asking was answered by a refusal: the doubt is what it was before, unless somebody asked since. And since when
/// Circle has not known what it had accepted. The payment is locked.
pub(super) async fn answered(app: &App, tx: &Tx, asked: &Asked) -> Result<()> {
    use circle_payout::Column;
    if asked.missing {
        circle_payout::Entity::update_many()
            .col_expr(Column::MissingSince, Expr::value(app.clock.now()))
            .filter(Column::PaymentId.eq(asked.order.payment_id))
            .filter(Column::MissingSince.is_null())
            .exec(&**tx)
            .await?;
    }
    let refused = matches!(&asked.answer, Some(Err(error)) if error.verdict() != Verdict::Open);
    if !refused {
        return Ok(());
    }
    circle_payout::Entity::update_many()
        .col_expr(Column::DoubtUntil, Expr::value(asked.order.doubt_until))
        .filter(Column::PaymentId.eq(asked.order.payment_id))
        .filter(Column::Asks.eq(asked.order.asks))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// An order as it is now.
pub(super) async fn of(tx: &Tx, seen: &circle_payout::Model) -> Result<circle_payout::Model> {
    let order = circle_payout::Entity::find_by_id(seen.payment_id).one(&**tx).await?;
    order.ok_or_else(|| Error::bug("an order vanished"))
}
