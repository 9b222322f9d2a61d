//! What admins do with a dispute before they decide it.

use entities::{DisputeId, contract, dispute};
use sea_orm::ActiveValue::Set;
use serde_json::json;

use super::{record, state::Step};
use crate::{
    Actor, App, Person, audit,
    check::Check,
    error::Result,
    policy::{Action, authorise},
};

/// The admin, when they may manage disputes: told before anything is looked up.
pub(super) fn admin(actor: &Actor) -> Result<&Person> {
    authorise(actor, Action::DisputesManage, "", "dispute")?;
    actor.signed_in()
}

/// Nobody judges in their own case.
pub(super) fn impartial(actor: &Actor, contract: &contract::Model) -> Result<()> {
    authorise(actor, Action::DisputeJudge(contract), "disputeId", "dispute")
}

/// An admin takes an open dispute on: IN_REVIEW.
pub async fn take(app: &App, actor: &Actor, id: DisputeId) -> Result<dispute::Model> {
    let admin = admin(actor)?;
    let tx = app.db.begin().await?;
    let dispute = record::lock(&tx, id).await?;
    impartial(actor, &record::contract_of(&tx, &dispute).await?)?;
    let now = app.clock.now();
    let dispute = record::step(app, &tx, &dispute, Step::Take, |row| {
        row.taken_by = Set(Some(admin.id));
        row.taken_at = Set(Some(now));
    })
    .await?;
    audit::record(app, &tx, actor, "dispute.take", Some(id.to_string()), json!({})).await?;
    tx.commit().await?;
    Ok(dispute)
}

/// An admin gives it to a senior one, with a note for them.
pub async fn escalate(app: &App, actor: &Actor, id: DisputeId, note: &str) -> Result<dispute::Model> {
    let mut check = Check::new();
    let note = check.text("note", note, 1..=5_000);
    check.done()?;
    admin(actor)?;
    let tx = app.db.begin().await?;
    let dispute = record::lock(&tx, id).await?;
    impartial(actor, &record::contract_of(&tx, &dispute).await?)?;
    let now = app.clock.now();
    let dispute = record::step(app, &tx, &dispute, Step::Escalate, |row| {
        row.escalation_note = Set(Some(note));
        row.escalated_at = Set(Some(now));
    })
    .await?;
    audit::record(app, &tx, actor, "dispute.escalate", Some(id.to_string()), json!({})).await?;
    tx.commit().await?;
    Ok(dispute)
}
