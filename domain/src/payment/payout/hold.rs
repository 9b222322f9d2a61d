//! A payout that cannot go yet: it waits by itself, or is held until somebody has done something, and says why.

use chrono::{DateTime, Duration, Utc};
use entities::{PaymentStatus, UserId, payment};
use sea_orm::ActiveValue::Set;

use super::is_waiting;
use crate::{
    App, Tx,
    error::Result,
    notification::{Notice, notify, notify_admins},
    payment::{
        record::{self, Locked},
        state::Step,
    },
    queue::Outcome,
    treasury,
};

/// How often a held or waiting payout looks whether it may go.
const HOLD_LOOK: Duration = Duration::minutes(10);

/// It stays QUEUED and says why; looked at again when that may have changed.
pub(in crate::payment) async fn wait(
    app: &App,
    seen: &payment::Model,
    reason: &str,
    until: DateTime<Utc>,
) -> Result<Outcome> {
    let (tx, id) = (app.db.begin().await?, seen.id);
    let Locked { payment, .. } = record::lock(&tx, id).await?;
    if !is_waiting(&payment) || record::was_woken(&payment, seen) {
        return Ok(Outcome::Done);
    }
    let payment = resumed(app, &tx, payment).await?;
    let payment = record::reason(app, &tx, payment, Some(reason)).await?;
    record::look_at(app, &tx, &payment, until).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// ON_HOLD, with the reason told once; looked at again by itself.
pub(in crate::payment) async fn hold(app: &App, seen: &payment::Model, reason: &str) -> Result<Outcome> {
    let (tx, id) = (app.db.begin().await?, seen.id);
    let Locked { payment, .. } = record::lock(&tx, id).await?;
    if !is_waiting(&payment) || record::was_woken(&payment, seen) {
        return Ok(Outcome::Done);
    }
    let payment = if payment.status == PaymentStatus::Queued {
        let why = Set(Some(reason.to_owned()));
        let held = record::step(app, &tx, &payment, Step::Hold, |row| row.hold_reason = why).await?;
        tell(app, &tx, &held, reason, held.payee_id).await?;
        held
    } else if payment.hold_reason.as_deref() != Some(reason) {
        let held = record::reason(app, &tx, payment, Some(reason)).await?;
        // The payee knows that it is held.
        tell(app, &tx, &held, reason, None).await?;
        held
    } else {
        payment
    };
    record::look_at(app, &tx, &payment, app.clock.now() + HOLD_LOOK).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Tells the payee, who waits for it, and whoever has to do something; of a pause of everything those hear once.
async fn tell(app: &App, tx: &Tx, held: &payment::Model, reason: &str, payee: Option<UserId>) -> Result<()> {
    let paused = treasury::switch::hold_reason(&**tx).await?.as_deref() == Some(reason);
    match paused {
        true => tracing::warn!(payment = %held.id, reason, "a payout is held"),
        false => tracing::error!(payment = %held.id, reason, "a payout is held"),
    }
    let (payment, amount, reason) = (held.id, held.net, reason.to_owned());
    let notice = Notice::PaymentOnHold { payment, what: "a payout".to_owned(), amount, reason };
    let event = format!("{payment}:ON_HOLD:{}:{}", held.version, held.look);
    if let Some(payee) = payee {
        notify(app, tx, payee, notice.clone(), &event).await?;
    }
    if !paused {
        notify_admins(app, tx, &notice, &event).await?;
    }
    Ok(())
}

pub(in crate::payment) async fn resumed(
    app: &App,
    tx: &Tx,
    payment: payment::Model,
) -> Result<payment::Model> {
    match payment.status {
        PaymentStatus::OnHold => {
            record::step(app, tx, &payment, Step::Resume, |row| row.hold_reason = Set(None)).await
        }
        _ => Ok(payment),
    }
}
