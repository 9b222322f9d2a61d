//! How a payment's row changes: a legal step, an event for subscribers, and the next wake-up.

use chrono::{DateTime, Utc};
use entities::{MilestoneId, PaymentId, PaymentKind, PaymentRail, PaymentStatus, milestone, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::{
    jobs::{DepositConfirm, PayoutTrack, RefundSend, ReleaseSend},
    state::{self, Step},
};
use crate::{App, Error, Tx, contract, error::Result, events, fault, queue};

/// A payment with the milestone that it moves.
pub(crate) struct Locked {
    pub(crate) payment: payment::Model,
    pub(crate) milestone: Option<milestone::Model>,
}

/// Locks a payment and all that its end may move: project, contract, milestone, payment, in this order, as
/// everybody does, so that nobody waits in a circle. A payment's end may be the end of its contract, and so of
/// the project: see `contract::conclude`.
pub(crate) async fn lock(tx: &Tx, id: PaymentId) -> Result<Locked> {
    let missing = || Error::not_found("paymentId", "payment");
    let glance = payment::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    if let Some(contract) = glance.contract_id {
        contract::locked_below_project(tx, contract).await?;
    }
    let milestone = match glance.milestone_id {
        Some(milestone) => Some(lock_milestone(tx, milestone).await?),
        None => None,
    };
    let payment = payment::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?.ok_or_else(missing)?;
    fault::point("payment.lock").await?;
    Ok(Locked { payment, milestone })
}

pub(crate) async fn lock_milestone(tx: &Tx, id: MilestoneId) -> Result<milestone::Model> {
    milestone::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::not_found("milestoneId", "milestone"))
}

/// Stores a new payment, tells subscribers and queues its first look.
pub(crate) async fn open(app: &App, tx: &Tx, row: payment::Model) -> Result<payment::Model> {
    let row = payment::Entity::insert(row.into_active_model().reset_all()).exec_with_returning(&**tx).await?;
    events::payment_updated(app, &**tx, row.id).await?;
    queue_look(app, tx, &row).await?;
    fault::point("payment.intent").await?;
    Ok(row)
}

/// Takes a step and writes it, with whatever else changes; nothing is due until [`look_at`] says so.
pub(crate) async fn step(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    step: Step,
    edit: impl FnOnce(&mut payment::ActiveModel) + Send,
) -> Result<payment::Model> {
    let to = state::next(payment.kind, payment.status, step)?;
    let mut change = payment::ActiveModel {
        id: Set(payment.id),
        status: Set(to),
        version: Set(payment.version + 1),
        look: Set(0),
        due_at: Set(None),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    edit(&mut change);
    let row = change.update(&**tx).await?;
    events::payment_updated(app, &**tx, row.id).await?;
    tracing::info!(payment = %row.id, from = payment.status.as_str(), to = to.as_str(), "payment moved");
    fault::point("payment.record").await?;
    Ok(row)
}

/// Says why a payment waits, or that it waits for nothing any more; subscribers hear of news.
pub(crate) async fn reason(
    app: &App,
    tx: &Tx,
    payment: payment::Model,
    reason: Option<&str>,
) -> Result<payment::Model> {
    if payment.hold_reason.as_deref() == reason {
        return Ok(payment);
    }
    let change = payment::ActiveModel {
        id: Set(payment.id),
        hold_reason: Set(reason.map(str::to_owned)),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let row = change.update(&**tx).await?;
    events::payment_updated(app, &**tx, row.id).await?;
    Ok(row)
}

/// Whether a look is due. One that comes early was doubled by another, which has queued the next already.
pub(crate) fn is_due(app: &App, payment: &payment::Model) -> bool {
    payment.due_at.is_some_and(|due| due <= app.clock.now())
}

/// Whether somebody woke the payment while its look was under way: the look that they queued decides then on
/// what they know, and this one must not postpone it.
pub(crate) const fn was_woken(now: &payment::Model, seen: &payment::Model) -> bool {
    now.look != seen.look || now.version != seen.version
}

/// Makes the payment due at a moment and queues that look, in the caller's transaction.
pub async fn look_at(app: &App, tx: &Tx, payment: &payment::Model, due: DateTime<Utc>) -> Result<()> {
    let change = payment::ActiveModel {
        id: Set(payment.id),
        look: Set(payment.look + 1),
        due_at: Set(Some(due)),
        ..Default::default()
    };
    let row = change.update(&**tx).await?;
    queue_look(app, tx, &row).await
}

/// Payments that nobody else changes until the transaction ends. Locked in the order of their ids, so that nobody waits in a
/// circle.
pub(crate) async fn lock_all(tx: &Tx, which: Select<payment::Entity>) -> Result<Vec<payment::Model>> {
    Ok(which.order_by_asc(payment::Column::Id).lock_exclusive().all(&**tx).await?)
}

/// Makes payments due now, which are locked until the transaction ends; how many there were.
pub(crate) async fn wake(app: &App, tx: &Tx, which: Select<payment::Entity>) -> Result<usize> {
    let woken = lock_all(tx, which).await?;
    for payment in &woken {
        look_at(app, tx, payment, app.clock.now()).await?;
    }
    Ok(woken.len())
}

/// What is paid out on a rail of which nobody knows yet whether it is off the balance there; and these, whatever has become of them.
pub(crate) async fn submitted(
    conn: &impl ConnectionTrait,
    rail: PaymentRail,
    and: &[PaymentId],
) -> Result<Vec<payment::Model>> {
    use payment::Column;
    let submitted = Column::Status.eq(PaymentStatus::Submitted);
    Ok(payment::Entity::find()
        .filter(Column::Kind.ne(PaymentKind::Deposit))
        .filter(Column::Rail.eq(rail))
        .filter(submitted.or(Column::Id.is_in(and.iter().copied())))
        .all(conn)
        .await?)
}

/// Queues the look that the row says is due, by the job that its state calls for.
async fn queue_look(app: &App, tx: &Tx, row: &payment::Model) -> Result<()> {
    let Some(due) = row.due_at else { return Ok(()) };
    let (id, key) = (row.id, queue::key(row.id, row.version, row.look));
    match (row.kind, row.status) {
        // Completed: until it is final.
        (
            PaymentKind::Deposit,
            PaymentStatus::AwaitingFunds | PaymentStatus::Confirming | PaymentStatus::Completed,
        ) => queue::enqueue(app, &**tx, &DepositConfirm { id }, &key, due).await,
        (PaymentKind::Release | PaymentKind::Bonus, PaymentStatus::Queued | PaymentStatus::OnHold) => {
            queue::enqueue(app, &**tx, &ReleaseSend { id }, &key, due).await
        }
        (PaymentKind::Refund | PaymentKind::Return, PaymentStatus::Queued | PaymentStatus::OnHold) => {
            queue::enqueue(app, &**tx, &RefundSend { id }, &key, due).await
        }
        (_, PaymentStatus::Submitted | PaymentStatus::Confirming) => {
            queue::enqueue(app, &**tx, &PayoutTrack { id }, &key, due).await
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
