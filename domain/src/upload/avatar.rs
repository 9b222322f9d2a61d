//! A person's picture.

use entities::{UploadId, UploadPurpose, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    attach::{give, usable},
    locked_for,
    record::{lock, reject},
    state::Step,
};
use crate::{
    Actor, App, account,
    check::Check,
    error::Result,
    policy::{Action, authorise},
};

/// Makes one of the actor's AVATAR uploads their picture. The picture before it is given up: its objects are
/// deleted by a job of the same transaction. Setting the same one again changes nothing.
pub async fn avatar_set(app: &App, actor: &Actor, id: UploadId) -> Result<user::Model> {
    let person = actor.signed_in()?.id;
    authorise(actor, Action::OwnAccount, "", "account")?;
    let tx = app.db.begin().await?;
    let person = account::locked(&tx, person).await?;
    let row = locked_for(&tx, actor, id).await?;
    if person.avatar_id == Some(id) {
        return Ok(person);
    }
    let mut check = Check::new();
    usable(&mut check, "uploadId", &row, UploadPurpose::Avatar);
    check.done()?;
    give(app, &tx, &row, &person.id.to_string()).await?;
    if let Some(old) = person.avatar_id
        && let Some(old) = lock(&tx, old).await?
    {
        reject(app, &tx, &old, Step::Discard, "A newer picture took its place.".to_owned()).await?;
    }
    let change = user::ActiveModel {
        id: Set(person.id),
        avatar_id: Set(Some(id)),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let person = change.update(&*tx).await?;
    tx.commit().await?;
    Ok(person)
}
