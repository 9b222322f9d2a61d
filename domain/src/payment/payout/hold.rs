//! A payout that cannot go yet: it waits by itself, or is held until somebody has done something, and says why.

use chrono::{DateTime, Duration, Utc};
use entities::{PaymentStatus, UserId, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::is_waiting;
use crate::{
    App, Tx, account,
    error::Result,
    events,
    notification::{Notice, notify},
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
    let change = payment::ActiveModel {
        id: Set(id),
        hold_reason: Set(Some(reason.to_owned())),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let news = payment.hold_reason.as_deref() != Some(reason);
    let payment = change.update(&*tx).await?;
    if news {
        events::payment_updated(app, &*tx, id).await?;
    }
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
    // Somebody has to do something; of a pause of everything they hear once.
    let paused = treasury::switch::hold_reason(&*tx).await?.as_deref() == Some(reason);
    let admins = if paused { Vec::new() } else { account::admins(&tx).await? };
    let payment = if payment.status == PaymentStatus::Queued {
        let reason = reason.to_owned();
        let held =
            record::step(app, &tx, &payment, Step::Hold, |row| row.hold_reason = Set(Some(reason))).await?;
        match paused {
            true => tracing::warn!(payment = %id, reason = held.hold_reason, "a payout is held"),
            false => tracing::error!(payment = %id, reason = held.hold_reason, "a payout is held"),
        }
        // The payee waits for it.
        let event = format!("{id}:ON_HOLD:{}", held.version);
        tell(app, &tx, &held, held.payee_id.into_iter().chain(admins), &event).await?;
        held
    } else if payment.hold_reason.as_deref() != Some(reason) {
        events::payment_updated(app, &*tx, id).await?;
        let reason = Set(Some(reason.to_owned()));
        let change = payment::ActiveModel { id: Set(id), hold_reason: reason, ..Default::default() };
        let held = change.update(&*tx).await?;
        let event = format!("{id}:ON_HOLD:{}:{}", held.version, held.look);
        tell(app, &tx, &held, admins, &event).await?;
        held
    } else {
        payment
    };
    record::look_at(app, &tx, &payment, app.clock.now() + HOLD_LOOK).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

async fn tell(
    app: &App,
    tx: &Tx,
    held: &payment::Model,
    people: impl IntoIterator<Item = UserId> + Send,
    event: &str,
) -> Result<()> {
    let reason = held.hold_reason.clone().unwrap_or_default();
    for person in people.into_iter().collect::<Vec<_>>() {
        let (payment, amount, reason) = (held.id, held.net, reason.clone());
        let notice = Notice::PaymentOnHold { payment, what: "a payout".to_owned(), amount, reason };
        notify(app, tx, person, notice, event).await?;
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
