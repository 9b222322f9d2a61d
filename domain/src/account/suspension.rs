//! Suspending people and restoring them. A suspended person may sign in and look, and not act; money that is under
//! way goes on.

use entities::{Role, UserId, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait, sea_query::SelectStatement,
};
use serde_json::json;

use super::{find::locking, session};
use crate::{
    Actor, App, Tx, audit,
    check::Check,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    policy::{self, Action},
};

/// Suspends somebody: all their sessions end at once, and they are told why (1 to 1,000 characters). Never
/// oneself, and never another administrator: who is to be rid of one takes the role away first.
pub async fn suspend(app: &App, actor: &Actor, id: UserId, reason: &str) -> Result<user::Model> {
    policy::authorise(actor, Action::Administer, "userId", "user")?;
    let mut check = Check::new();
    let reason = check.text("reason", reason, 1..=1_000);
    check.done()?;
    let tx = app.db.begin().await?;
    let person = locked(&tx, id).await?;
    if actor.is(id) {
        return Err(Error::rejected("userId", Code::Forbidden, "You cannot suspend yourself."));
    }
    if person.role == Role::Admin {
        let message = "An administrator cannot be suspended by another one.";
        return Err(Error::rejected("userId", Code::Forbidden, message));
    }
    if person.suspended_at.is_some() {
        return Err(Error::illegal("userId", "user", "SUSPENDED", "SUSPENDED"));
    }
    let now = app.clock.now();
    let ended = session::end_all(app, &tx, id, None).await?;
    let mut change = person.into_active_model();
    change.suspended_at = Set(Some(now));
    change.suspension_reason = Set(Some(reason.clone()));
    change.updated_at = Set(now);
    let person = change.update(&*tx).await?;
    let facts = json!({ "reason": reason, "sessionsEnded": ended });
    let entry = audit::record(app, &tx, actor, "user.suspend", Some(id.to_string()), facts).await?;
    notify(app, &tx, id, Notice::AccountSuspended { reason }, &entry.to_string()).await?;
    tx.commit().await?;
    Ok(person)
}

/// Lifts a suspension. They sign in anew.
pub async fn restore(app: &App, actor: &Actor, id: UserId) -> Result<user::Model> {
    policy::authorise(actor, Action::Administer, "userId", "user")?;
    let tx = app.db.begin().await?;
    let person = locked(&tx, id).await?;
    let Some(since) = person.suspended_at else {
        return Err(Error::illegal("userId", "user", "ACTIVE", "ACTIVE"));
    };
    let mut change = person.into_active_model();
    change.suspended_at = Set(None);
    change.suspension_reason = Set(None);
    change.updated_at = Set(app.clock.now());
    let person = change.update(&*tx).await?;
    let facts = json!({ "suspendedAt": since.to_rfc3339() });
    let entry = audit::record(app, &tx, actor, "user.restore", Some(id.to_string()), facts).await?;
    notify(app, &tx, id, Notice::AccountRestored, &entry.to_string()).await?;
    tx.commit().await?;
    Ok(person)
}

/// Refuses to enter into something new with a suspended person. `field` names what brought them, `message` says who
/// is suspended and what cannot be.
pub(crate) async fn require_not_suspended(tx: &Tx, id: UserId, field: &str, message: &str) -> Result<()> {
    let person = user::Entity::find_by_id(id).one(&**tx).await?;
    let person = person.ok_or_else(|| Error::bug("a party without a row"))?;
    if person.suspended_at.is_some() {
        Err(Error::rejected(field, Code::IllegalState, message))
    } else {
        Ok(())
    }
}

/// The ids of everybody who is suspended: for lists that leave out what is theirs.
pub(crate) fn suspended() -> SelectStatement {
    user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::SuspendedAt.is_not_null())
        .into_query()
}

async fn locked(tx: &Tx, id: UserId) -> Result<user::Model> {
    locking(id).one(&**tx).await?.ok_or_else(|| Error::not_found("userId", "user"))
}
