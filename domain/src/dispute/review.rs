//! What admins do with a dispute before they decide it.

use entities::{DisputeId, contract, dispute};
use sea_orm::ActiveValue::Set;
use serde_json::json;

use super::{record, state::Step};
use crate::{
    Actor, App, Error, Person, audit,
    check::Check,
    error::{Code, Result},
    policy::{Action, authorise},
};

/// The admin, when they may manage disputes: told before anything is looked up.
pub(super) fn admin(actor: &Actor) -> Result<&Person> {
    authorise(actor, Action::DisputesManage, "", "dispute")?;
    actor.signed_in()
}

/// Nobody judges in their own case: an admin may have been a client or a freelancer before.
pub(super) fn impartial(admin: &Person, contract: &contract::Model) -> Result<()> {
    if admin.id == contract.client_id || admin.id == contract.freelancer_id {
        let message = "You are a party of this contract: another admin has to see to its dispute.";
        return Err(Error::rejected("disputeId", Code::Forbidden, message));
    }
    Ok(())
}

/// An admin takes an open dispute on: IN_REVIEW.
pub async fn take(app: &App, actor: &Actor, id: DisputeId) -> Result<dispute::Model> {
    let admin = admin(actor)?;
    let tx = app.db.begin().await?;
    let dispute = record::lock(&tx, id).await?;
    impartial(admin, &record::contract_of(&tx, &dispute).await?)?;
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
    let admin = admin(actor)?;
    let tx = app.db.begin().await?;
    let dispute = record::lock(&tx, id).await?;
    impartial(admin, &record::contract_of(&tx, &dispute).await?)?;
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
