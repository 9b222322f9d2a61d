//! Deleting objects: asked for in a transaction, done by a job, as often as it takes.

use chrono::{DateTime, Utc};
use entities::{ObjectDeletionId, object_deletion};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::jobs::ObjectDelete;
use crate::{
    App, Tx,
    error::Result,
    queue::{self, Due, Outcome},
};

/// Has an object deleted from a moment on, in the caller's transaction. Nothing needs to be there.
pub(crate) async fn queue_at(app: &App, tx: &Tx, object_key: String, due: DateTime<Utc>) -> Result<()> {
    let row = object_deletion::Model {
        id: app.clock.new_id(),
        object_key,
        done_at: None,
        look: 0,
        due_at: Some(due),
        created_at: app.clock.now(),
    };
    let row = object_deletion::Entity::insert(row.into_active_model()).exec_with_returning(&**tx).await?;
    queue_look(app, tx, &row).await
}

/// Deletes the object, unless it is gone already. A crash between the deletion and our note of it deletes
/// once more, which changes nothing: no key is ever used for a second file.
pub async fn run(app: &App, id: ObjectDeletionId) -> Result<Outcome> {
    let Some(row) = object_deletion::Entity::find_by_id(id).one(app.db.reader()).await? else {
        return Ok(Outcome::Done);
    };
    let Some(due) = row.due_at.filter(|_| row.done_at.is_none()) else {
        return Ok(Outcome::Done);
    };
    let now = app.clock.now();
    if due > now {
        return Ok(Outcome::RetryIn((due - now).to_std().unwrap_or_default()));
    }
    app.storage.delete(&row.object_key).await?;
    let done = object_deletion::ActiveModel {
        id: Set(id),
        done_at: Set(Some(now)),
        due_at: Set(None),
        ..Default::default()
    };
    let tx = app.db.begin().await?;
    done.update(&*tx).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// Wakes a deletion anew: what the sweep does when its job is missing.
pub async fn wake(app: &App, tx: &Tx, row: &object_deletion::Model, due: DateTime<Utc>) -> Result<()> {
    let change = object_deletion::ActiveModel {
        id: Set(row.id),
        look: Set(row.look + 1),
        due_at: Set(Some(due)),
        ..Default::default()
    };
    let row = change.update(&**tx).await?;
    queue_look(app, tx, &row).await
}

impl Due for object_deletion::Entity {
    const DUE_AT: object_deletion::Column = object_deletion::Column::DueAt;

    fn key(row: &object_deletion::Model) -> String {
        queue::key(row.id, 0, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &object_deletion::Model, due: DateTime<Utc>) -> Result<()> {
        wake(app, tx, row, due).await
    }
}

async fn queue_look(app: &App, tx: &Tx, row: &object_deletion::Model) -> Result<()> {
    let Some(due) = row.due_at else { return Ok(()) };
    let key = <object_deletion::Entity as Due>::key(row);
    queue::enqueue(app, &**tx, &ObjectDelete { id: row.id }, &key, due).await
}
