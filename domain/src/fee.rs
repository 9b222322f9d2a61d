//! The platform's fee: a schedule of versions. None is ever changed (the database refuses it too); a contract keeps the
//! one it was made with.

use chrono::{DateTime, Utc};
use entities::fee_schedule;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryOrder, QuerySelect, sea_query::LockType};
use serde_json::json;

use crate::{
    Actor, App, audit,
    check::Check,
    error::{Code, Error, Result},
    policy::{self, Action},
};

/// The highest fee that may be set: 30%.
pub const MOST_BASIS_POINTS: i32 = 3_000;

/// Every version, the newest first.
pub async fn schedules(app: &App, actor: &Actor) -> Result<Vec<fee_schedule::Model>> {
    policy::authorise(actor, Action::Administer, "", "fee schedule")?;
    Ok(fee_schedule::Entity::find().order_by_desc(fee_schedule::Column::Version).all(app.db.reader()).await?)
}

/// Adds a version that holds from a time in the future on. Of two that hold from the same moment on it is the
/// later one, so that a mistake is mended by another version before its time comes.
pub async fn create(
    app: &App,
    actor: &Actor,
    basis_points: i32,
    effective_at: DateTime<Utc>,
) -> Result<fee_schedule::Model> {
    policy::authorise(actor, Action::Administer, "", "fee schedule")?;
    let mut check = Check::new();
    check.range("basisPoints", basis_points, 0..=MOST_BASIS_POINTS);
    check.time("effectiveAt", Some(effective_at));
    let ahead = effective_at > app.clock.now();
    check.ensure(ahead, "effectiveAt", Code::OutOfRange, "Give a time in the future.");
    check.done()?;
    let tx = app.db.begin().await?;
    // Who adds one waits here for the others: the first version is always there. Contracts that are made meanwhile
    // share its key, which this lock leaves alone.
    fee_schedule::Entity::find()
        .order_by_asc(fee_schedule::Column::Version)
        .lock(LockType::NoKeyUpdate)
        .one(&*tx)
        .await?
        .ok_or_else(|| Error::bug("there is no fee schedule"))?;
    let newest = fee_schedule::Entity::find().order_by_desc(fee_schedule::Column::Version).one(&*tx).await?;
    let version = newest.map_or(1, |row| row.version + 1);
    let row = fee_schedule::Model { version, basis_points, effective_at };
    fee_schedule::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(&*tx)
        .await?;
    let facts =
        json!({ "version": version, "basisPoints": basis_points, "effectiveAt": effective_at.to_rfc3339() });
    audit::record(app, &tx, actor, "feeSchedule.create", None, facts).await?;
    tx.commit().await?;
    Ok(row)
}

#[cfg(test)]
mod tests;
