//! How an upload's row changes: a legal step, the next wake-up, and the objects that have to go.

use chrono::{DateTime, Duration, Utc};
use entities::{UploadId, UserId, upload};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, QuerySelect};

use super::{
    LINK_VALID, delete,
    file::sizes,
    jobs::UploadProcess,
    state::{self, Step},
};
use crate::{
    App, Error, Tx,
    error::Result,
    queue::{self, Due},
};

/// Locks an upload until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: UploadId) -> Result<Option<upload::Model>> {
    Ok(upload::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?)
}

/// Locks an upload that has to be its actor's: somebody else's looks as if it were not there.
pub(super) async fn lock_own(tx: &Tx, id: UploadId, owner: UserId) -> Result<upload::Model> {
    let row = lock(tx, id).await?.filter(|row| row.owner_id == owner);
    row.ok_or_else(|| Error::not_found("uploadId", "upload"))
}

/// Takes a step and writes it, with whatever else changes; then queues the look that it makes due.
pub(super) async fn step(
    app: &App,
    tx: &Tx,
    row: &upload::Model,
    step: Step,
    due: Option<DateTime<Utc>>,
    edit: impl FnOnce(&mut upload::ActiveModel) + Send,
) -> Result<upload::Model> {
    let to = state::next(row.status, step)?;
    let mut change = upload::ActiveModel {
        id: Set(row.id),
        status: Set(to),
        version: Set(row.version + 1),
        look: Set(0),
        due_at: Set(due),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    edit(&mut change);
    let row = change.update(&**tx).await?;
    queue_look(app, tx, &row).await?;
    Ok(row)
}

/// Ends an upload for a reason that its owner reads, and has every object of it deleted.
pub(super) async fn reject(
    app: &App,
    tx: &Tx,
    row: &upload::Model,
    how: Step,
    reason: String,
) -> Result<upload::Model> {
    tracing::info!(upload = %row.id, from = row.status.as_str(), %reason, "upload rejected");
    let row = step(app, tx, row, how, None, |change| {
        change.rejection_reason = Set(Some(reason));
        change.attached_to = Set(None);
    })
    .await?;
    for key in stored_keys(&row) {
        delete::queue_at(app, tx, key, app.clock.now()).await?;
    }
    delete_incoming(app, tx, &row).await?;
    Ok(row)
}

/// Has the bytes that the owner sent deleted, but not before their link expired: until then they could be
/// sent once more.
pub(super) async fn delete_incoming(app: &App, tx: &Tx, row: &upload::Model) -> Result<()> {
    let safe = row.created_at + Duration::from_std(LINK_VALID).unwrap_or_default() + Duration::minutes(1);
    delete::queue_at(app, tx, incoming_key(row), safe.max(app.clock.now())).await
}

/// Where the owner sends the bytes. Nobody is ever shown what lies there: checked files lie elsewhere, where
/// no link writes.
pub(super) fn incoming_key(row: &upload::Model) -> String {
    format!("incoming/{}", row.object_key)
}

/// Where a smaller size of a picture lies. Units: pixels of the longer side.
pub(super) fn size_key(row: &upload::Model, size: u32) -> String {
    format!("{}-{size}", row.object_key)
}

/// Every key that the checked file may lie under.
fn stored_keys(row: &upload::Model) -> impl Iterator<Item = String> {
    let smaller = sizes(row.purpose).iter().map(|size| size_key(row, *size));
    std::iter::once(row.object_key.clone()).chain(smaller)
}

/// Wakes an upload anew: what the sweep does when its job is missing.
pub async fn wake(app: &App, tx: &Tx, row: &upload::Model, due: DateTime<Utc>) -> Result<()> {
    let change = upload::ActiveModel {
        id: Set(row.id),
        look: Set(row.look + 1),
        due_at: Set(Some(due)),
        ..Default::default()
    };
    let row = change.update(&**tx).await?;
    queue_look(app, tx, &row).await
}

impl Due for upload::Entity {
    const DUE_AT: upload::Column = upload::Column::DueAt;

    fn key(row: &upload::Model) -> String {
        queue::key(row.id, row.version, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &upload::Model, due: DateTime<Utc>) -> Result<()> {
        wake(app, tx, row, due).await
    }
}

/// Queues the look that the row says is due.
pub(super) async fn queue_look(app: &App, tx: &Tx, row: &upload::Model) -> Result<()> {
    let Some(due) = row.due_at else { return Ok(()) };
    let key = <upload::Entity as Due>::key(row);
    queue::enqueue(app, &**tx, &UploadProcess { id: row.id }, &key, due).await
}
