//! Changing a password: the way of who knows the present one, and the last step that every way ends with.

use entities::{SessionId, TokenPurpose, account_token, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use secrecy::SecretString;
use uuid::Uuid;

use super::{locked, password, session};
use crate::{
    Actor, App, Tx,
    check::Check,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    policy::{Action, authorise},
};

/// Changes the actor's password for one of 8 to 128 characters that is none of the common ones. It ends their other
/// sessions, and mails them.
///
/// # Errors
///
/// When nobody is signed in or they are suspended, when the present password is wrong, or the new one is not
/// acceptable.
pub async fn change(
    app: &App,
    actor: &Actor,
    present: SecretString,
    new: SecretString,
) -> Result<user::Model> {
    authorise(actor, Action::OwnAccount, "", "account")?;
    let signed_in = actor.signed_in()?;
    let person = super::user(app, signed_in.id).await?;
    // What costs nothing comes first: each of the two below costs an Argon2 hash.
    check(&new, &person)?;
    if !password::verify(app, Some(&person), present).await? {
        return Err(wrong());
    }
    let hash = password::hash(app, new).await?;

    let tx = app.db.begin().await?;
    let current = locked(&tx, person.id).await?;
    // Another one set it meanwhile: what was checked is the present password no more.
    if current.password_hash != person.password_hash {
        return Err(wrong());
    }
    let mut change = current.into_active_model();
    change.password_hash = Set(hash);
    let person = set(app, &tx, change, Some(signed_in.session_id)).await?;
    tx.commit().await?;
    Ok(person)
}

/// Refuses a new password that is not acceptable for this person, under the field `newPassword`.
pub(super) fn check(new: &SecretString, person: &user::Model) -> Result<()> {
    let mut check = Check::new();
    password::check_new(&mut check, "newPassword", new, &person.email_key, &person.display_name);
    check.done()
}

/// Writes the change of a locked person's password with all that goes with it: mailed links to a new one are good no
/// more, sessions end, all but `keep`, and the person hears of it.
pub(super) async fn set(
    app: &App,
    tx: &Tx,
    mut change: user::ActiveModel,
    keep: Option<SessionId>,
) -> Result<user::Model> {
    change.updated_at = Set(app.clock.now());
    let person = change.update(&**tx).await?;
    account_token::Entity::delete_many()
        .filter(account_token::Column::UserId.eq(person.id))
        .filter(account_token::Column::Purpose.eq(TokenPurpose::ResetPassword))
        .exec(&**tx)
        .await?;
    session::end_all(app, tx, person.id, keep).await?;
    // Each change is an event of its own, also two within one moment.
    let event = format!("{}:PASSWORD:{}", person.id, app.clock.new_id::<Uuid>().simple());
    notify(app, tx, person.id, Notice::AccountPasswordChanged, &event).await?;
    Ok(person)
}

fn wrong() -> Error {
    Error::rejected("password", Code::Invalid, "The password is wrong.")
}
