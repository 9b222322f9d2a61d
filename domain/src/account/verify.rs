//! Proving an e-mail address by a mailed single-use token.

use chrono::Duration;
use entities::{AccountTokenId, TokenPurpose, UserId, account_token, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::{Digest, Sha256};

use super::locked;
use crate::{
    Actor, App, Tx,
    clock::random_token,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    policy::{Action, authorise},
};

/// How long a mailed token is good.
const GOOD_FOR: Duration = Duration::hours(24);
/// How long one waits before asking for another mail.
const PAUSE: Duration = Duration::minutes(1);

/// Takes the token of a mail's link, once, and marks its owner's address as proven. Nobody need be signed
/// in: whoever reads the mailbox has the token.
pub async fn verify(app: &App, token: &str) -> Result<user::Model> {
    let tx = app.db.begin().await?;
    let now = app.clock.now();
    let found = account_token::Entity::find()
        .filter(account_token::Column::TokenHash.eq(token_hash(token)))
        .filter(account_token::Column::Purpose.eq(TokenPurpose::VerifyEmail))
        .lock_exclusive()
        .one(&*tx)
        .await?
        .filter(|found| found.used_at.is_none())
        .ok_or_else(|| {
            Error::rejected("token", Code::Invalid, "This link is not valid, or it was used already.")
        })?;
    if found.expires_at <= now {
        return Err(Error::rejected("token", Code::Expired, "This link is too old. Ask for another mail."));
    }
    let user_id = found.user_id;
    account_token::ActiveModel { id: Set(found.id), used_at: Set(Some(now)), ..Default::default() }
        .update(&*tx)
        .await?;
    let mut person = locked(&tx, user_id).await?;
    if person.email_verified_at.is_none() {
        person = user::ActiveModel {
            id: Set(user_id),
            email_verified_at: Set(Some(now)),
            updated_at: Set(now),
            ..Default::default()
        }
        .update(&*tx)
        .await?;
    }
    tx.commit().await?;
    Ok(person)
}

/// Mails another link to the actor, at most one a minute. Earlier links stay good until they end.
pub async fn resend_verification(app: &App, actor: &Actor) -> Result<user::Model> {
    authorise(actor, Action::OwnAccount, "", "account")?;
    let tx = app.db.begin().await?;
    let person = locked(&tx, actor.signed_in()?.id).await?;
    if person.email_verified_at.is_some() {
        return Err(Error::illegal("", "e-mail address", "VERIFIED", "VERIFIED"));
    }
    let last = account_token::Entity::find()
        .filter(account_token::Column::UserId.eq(person.id))
        .filter(account_token::Column::Purpose.eq(TokenPurpose::VerifyEmail))
        .order_by_desc(account_token::Column::CreatedAt)
        .one(&*tx)
        .await?;
    if last.is_some_and(|last| app.clock.now() < last.created_at + PAUSE) {
        return Err(Error::rejected(
            "",
            Code::LimitReached,
            "A mail was just sent. Wait a minute and ask again.",
        ));
    }
    send(app, &tx, person.id).await?;
    tx.commit().await?;
    Ok(person)
}

/// Mails a person the link that proves their address.
pub(super) async fn send(app: &App, tx: &Tx, to: UserId) -> Result<()> {
    let (id, link) = issue(app, tx, to, TokenPurpose::VerifyEmail, GOOD_FOR, "verify").await?;
    notify(app, tx, to, Notice::AccountVerify { link }, &format!("{id}:VERIFY")).await
}

/// Makes a token and the link that carries it to a page at the public URL. Only the hash is kept: the link is for
/// the mail alone.
pub(super) async fn issue(
    app: &App,
    tx: &Tx,
    to: UserId,
    purpose: TokenPurpose,
    good_for: Duration,
    page: &str,
) -> Result<(AccountTokenId, String)> {
    let token = random_token()?;
    let now = app.clock.now();
    let row = account_token::Model {
        id: app.clock.new_id(),
        user_id: to,
        purpose,
        token_hash: token_hash(&token),
        expires_at: now + good_for,
        used_at: None,
        created_at: now,
    };
    let id = row.id;
    account_token::Entity::insert(account_token::ActiveModel::from(row))
        .exec_without_returning(&**tx)
        .await?;
    let mut link =
        app.settings.public_url.join(page).map_err(|error| Error::bug(format!("public URL: {error}")))?;
    link.query_pairs_mut().append_pair("token", &token);
    Ok((id, link.into()))
}

/// What is kept of a token: it is random, so a plain hash is enough.
pub(super) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
