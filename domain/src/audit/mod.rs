//! The audit log: what administrators and the command line did. Append only; each entry is bound to the one before
//! it by its hash, so that a changed, missing or slipped-in entry shows.

use entities::{AuditEntryId, audit_entry, audit_head};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::Value;

use crate::{
    Actor, App, Tx,
    error::{Error, Result},
};

mod chain;
mod find;
mod verify;

pub use find::{Filter, list, visible};
pub use verify::{Verdict, verify};

/// The only row of `audit_heads`.
const HEAD: i32 = 1;

/// Appends an entry within the caller's transaction: it is there exactly when what it tells of happened.
///
/// `action` is the mutation with a dot behind its noun (`user.suspend`), `subject` the public id of what it was done
/// to, `details` the facts, ids and amounts alone. What looks like an e-mail address is blotted out, and a
/// secret has no business here. Call it after everything else was locked: whoever appends waits for the others
/// here, and must not be waited for elsewhere.
pub async fn record(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    action: &str,
    subject: Option<String>,
    details: Value,
) -> Result<AuditEntryId> {
    let head = audit_head::Entity::find_by_id(HEAD)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("the audit log has no head"))?;
    let mut entry = audit_entry::Model {
        id: app.clock.new_id(),
        sequence: head.sequence + 1,
        actor_id: actor.user_id(),
        action: action.to_owned(),
        subject,
        details: chain::canonical(&chain::blotted(details)).to_string(),
        previous_hash: head.hash,
        hash: String::new(),
        created_at: app.clock.now(),
    };
    entry.hash = chain::hash(&entry);
    let moved = audit_head::ActiveModel {
        id: Set(HEAD),
        sequence: Set(entry.sequence),
        hash: Set(entry.hash.clone()),
    };
    let id = entry.id;
    audit_entry::Entity::insert(entry.into_active_model()).exec_without_returning(&**tx).await?;
    moved.update(&**tx).await?;
    Ok(id)
}
