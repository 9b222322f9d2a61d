//! Giving files to the thing that they belong to.

use entities::{UploadId, UploadPurpose, UploadStatus, UserId, upload};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::{record::reject, state::Step};
use crate::{Actor, App, Code, Tx, check::Check, error::Result};

/// How many files one person gives to one thing.
pub const MOST_A_THING: usize = 10;

/// Attaches some of the actor's uploads to a thing (its public id), in the caller's transaction. They must be
/// READY, of this purpose and not attached yet, unless it is to this thing; each problem is told under
/// `field.index`.
pub async fn attach(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    purpose: UploadPurpose,
    ids: &[UploadId],
    subject: &str,
    field: &str,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let owner = actor.signed_in()?.id;
    let mut check = Check::new();
    let has = attached(tx, owner, subject, ids).await?;
    check.ensure(
        has + ids.len() <= MOST_A_THING,
        field,
        Code::LimitReached,
        format!("Give at most {MOST_A_THING} files; these would make it {}.", has + ids.len()),
    );
    check.done()?;

    let rows = upload::Entity::find()
        .filter(upload::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(upload::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let mut check = Check::new();
    for (index, id) in ids.iter().enumerate() {
        let field = format!("{field}.{index}");
        let row = rows.iter().find(|row| row.id == *id && row.owner_id == owner);
        if ids.iter().take(index).any(|earlier| earlier == id) {
            check.problem(&field, Code::Invalid, "This file is in the list twice.");
        } else if row.is_some_and(|row| row.attached_to.as_deref() == Some(subject)) {
            continue;
        } else if let Some(row) = row {
            usable(&mut check, &field, row, purpose);
        } else {
            check.problem(&field, Code::NotFound, "There is no such upload, or it is not yours.");
        }
    }
    check.done()?;
    for row in rows.iter().filter(|row| row.attached_to.is_none()) {
        give(app, tx, row, subject).await?;
    }
    Ok(())
}

/// Notes what keeps an upload from being attached.
pub(super) fn usable(check: &mut Check, field: &str, row: &upload::Model, purpose: UploadPurpose) {
    if row.purpose != purpose {
        let (is, wanted) = (row.purpose.as_str(), purpose.as_str());
        check.problem(field, Code::Invalid, format!("This file was uploaded as {is}; this takes {wanted}."));
    } else if row.status != UploadStatus::Ready {
        let status = row.status.as_str();
        let message = format!("The upload is {status}; it can be attached once it is READY.");
        check.problem(field, Code::IllegalState, message);
    } else if row.attached_to.is_some() {
        check.problem(field, Code::Taken, "This file is attached to something already: upload it once more.");
    }
}

/// Writes down what an upload belongs to: from then on nothing is due about it.
pub(super) async fn give(app: &App, tx: &Tx, row: &upload::Model, subject: &str) -> Result<()> {
    let change = upload::ActiveModel {
        id: Set(row.id),
        attached_to: Set(Some(subject.to_owned())),
        version: Set(row.version + 1),
        look: Set(0),
        due_at: Set(None),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}

/// Gives up the files of a thing but for those to keep: each is REJECTED for this reason, which its owner reads,
/// and its objects are deleted by a job of the caller's transaction.
pub(crate) async fn give_up(
    app: &App,
    tx: &Tx,
    subject: &str,
    keep: &[UploadId],
    reason: &str,
) -> Result<()> {
    let rows = upload::Entity::find()
        .filter(upload::Column::AttachedTo.eq(subject))
        .filter(upload::Column::Id.is_not_in(keep.iter().copied()))
        .order_by_asc(upload::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    for row in rows {
        reject(app, tx, &row, Step::Discard, reason.to_owned()).await?;
    }
    Ok(())
}

/// How many files the thing has from this person, but for those that are named anew.
async fn attached(tx: &Tx, owner: UserId, subject: &str, named: &[UploadId]) -> Result<usize> {
    let count = upload::Entity::find()
        .filter(upload::Column::AttachedTo.eq(subject))
        .filter(upload::Column::Id.is_not_in(named.iter().copied()))
        .filter(upload::Column::OwnerId.eq(owner))
        .count(&**tx)
        .await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
