//! The switch that pauses all outgoing money. What is signed goes on: only the chain could stop it. Whatever is not, is
//! held, by a look at the switch in the very transaction that would sign it.
//!
//! The switch is locked after payments and whatever stands above them, and before the audit log.

use entities::{PaymentKind, PaymentRail, PaymentStatus, payment, treasury_switch};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::json;

use super::reconcile::{acknowledge, less};
use crate::{
    Actor, App, Code, Error, Tx, account, audit,
    check::Check,
    error::Result,
    notification::{Notice, notify_admins},
    payment::record,
    policy::{self, Action},
};

/// The only row.
const ROW: i32 = 1;

/// The switch, if outgoing money is paused.
pub async fn paused(conn: &impl ConnectionTrait) -> Result<Option<treasury_switch::Model>> {
    let row = treasury_switch::Entity::find_by_id(ROW).one(conn).await?.ok_or_else(gone)?;
    Ok(row.paused_at.is_some().then_some(row))
}

/// What a payment that is held for it says, to everybody who sees it: an administrator's words are for their own kind.
pub(crate) async fn hold_reason(conn: &impl ConnectionTrait) -> Result<Option<String>> {
    let Some(row) = paused(conn).await? else { return Ok(None) };
    Ok(match row.paused_by {
        Some(_) => Some("an administrator has paused outgoing payments".to_owned()),
        None => row.reason,
    })
}

/// Whether outgoing money is paused, and stays as it is until the transaction ends: to be asked before signing. A pause
/// that was committed before wins; one that comes now waits until the signature is stored.
pub(crate) async fn stops(tx: &Tx) -> Result<bool> {
    let row = treasury_switch::Entity::find_by_id(ROW).lock_shared().one(&**tx).await?.ok_or_else(gone)?;
    Ok(row.paused_at.is_some())
}

/// Pauses outgoing money, and tells the administrators; `by` nobody is the system, whose reason payees read. `false` when
/// it is paused already: the first reason stands, and nobody is told twice. Call it after everything else was locked.
pub async fn engage(app: &App, tx: &Tx, by: Option<&Actor>, reason: &str) -> Result<bool> {
    let row = locked(tx).await?;
    if row.paused_at.is_some() {
        return Ok(false);
    }
    let (actor, version) = (by.unwrap_or(&Actor::System), row.version + 1);
    let mut change = row.into_active_model();
    change.paused_at = Set(Some(app.clock.now()));
    change.paused_by = Set(actor.user_id());
    change.reason = Set(Some(reason.to_owned()));
    change.version = Set(version);
    change.update(&**tx).await?;
    match actor.user_id() {
        Some(by) => tracing::warn!(reason, %by, "an administrator paused outgoing payments"),
        None => tracing::error!(reason, "outgoing payments are paused"),
    }
    audit::record(app, tx, actor, "outgoing.pause", None, json!({ "reason": reason })).await?;
    let by = match actor.user_id() {
        Some(id) => Some(account::display_name(tx, id).await?),
        None => None,
    };
    let notice = Notice::OutgoingPaused { by, reason: reason.to_owned() };
    notify_admins(app, tx, &notice, &event("PAUSED", version)).await?;
    Ok(true)
}

/// Lets outgoing money go on: everything that waits is looked at anew. `false` when it is not paused. Whoever ends a pause that was
/// made because money is missing knows of it; who ends another knows only when they say so (`knowing`).
pub async fn release(app: &App, tx: &Tx, by: &Actor, note: Option<&str>, knowing: bool) -> Result<bool> {
    let waiting = payment::Entity::find()
        .filter(payment::Column::Kind.ne(PaymentKind::Deposit))
        .filter(payment::Column::Status.is_in([PaymentStatus::Queued, PaymentStatus::OnHold]))
        // What looks by itself: anything else waits for a person.
        .filter(payment::Column::DueAt.is_not_null());
    let woken = record::wake(app, tx, waiting).await?;
    let row = locked(tx).await?;
    let Some(since) = row.paused_at else { return Ok(false) };
    let (reason, version) = (row.reason.clone(), row.version + 1);
    let told = |rail: &PaymentRail| row.paused_by.is_none() && reason.as_deref() == Some(less(*rail));
    let rails = [PaymentRail::Chain, PaymentRail::Circle].into_iter().filter(|rail| knowing || told(rail));
    let known = acknowledge(tx, rails.collect::<Vec<_>>()).await?;
    let mut change = row.into_active_model();
    change.paused_at = Set(None);
    change.paused_by = Set(None);
    change.reason = Set(None);
    change.version = Set(version);
    change.update(&**tx).await?;
    tracing::warn!(payments = woken, "outgoing payments go on");
    let facts = json!({
        "pausedAt": since.to_rfc3339(), "reason": reason, "payments": woken, "note": note,
        "missingOn": known,
    });
    audit::record(app, tx, by, "outgoing.resume", None, facts).await?;
    let by = account::display_name(tx, by.signed_in()?.id).await?;
    notify_admins(app, tx, &Notice::OutgoingResumed { by }, &event("RESUMED", version)).await?;
    Ok(true)
}

/// Pauses all outgoing money, for a reason of 3 to 500 characters; for admins.
///
/// # Errors
///
/// When the actor is no admin, the reason is too short or too long, or it is paused already.
pub async fn pause(app: &App, actor: &Actor, reason: &str) -> Result<()> {
    policy::authorise(actor, Action::Administer, "", "treasury")?;
    let mut check = Check::new();
    let reason = check.text("reason", reason, 3..=500);
    check.done()?;
    let tx = app.db.begin().await?;
    if !engage(app, &tx, Some(actor), &reason).await? {
        let message = "Outgoing payments are paused already: `treasury` says since when and why.";
        return Err(Error::rejected("", Code::IllegalState, message));
    }
    tx.commit().await
}

/// Lets all outgoing money go on; for admins. What `note` says, up to 500 characters, is kept in the audit log. `knowing`: also
/// where money is missing by the newest comparisons, which would pause it again otherwise, unless this pause was made for it.
///
/// # Errors
///
/// When the actor is no admin, the note is too long, or it is not paused.
pub async fn resume(app: &App, actor: &Actor, note: Option<&str>, knowing: bool) -> Result<()> {
    policy::authorise(actor, Action::Administer, "", "treasury")?;
    let mut check = Check::new();
    let note = note.map(|note| check.text("note", note, 0..=500));
    check.done()?;
    let tx = app.db.begin().await?;
    if !release(app, &tx, actor, note.as_deref(), knowing).await? {
        let message = "Outgoing payments are not paused: there is nothing to resume.";
        return Err(Error::rejected("", Code::IllegalState, message));
    }
    tx.commit().await
}

fn event(what: &str, version: i32) -> String {
    format!("outgoing:{what}:{version}")
}

/// The switch, locked until the transaction ends: who decides on it waits here for the others.
pub(super) async fn locked(tx: &Tx) -> Result<treasury_switch::Model> {
    treasury_switch::Entity::find_by_id(ROW).lock_exclusive().one(&**tx).await?.ok_or_else(gone)
}

fn gone() -> Error {
    Error::bug("the switch for outgoing payments is gone")
}
