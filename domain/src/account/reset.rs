//! Another password for who forgot theirs, by a mailed single-use token: whoever reads the mailbox may set it.

use chrono::{DateTime, Duration, Utc};
use entities::{MailStatus, NotificationKind, TokenPurpose, UserId, account_token, mail, user};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use secrecy::SecretString;

use super::{
    find::locked_by_email,
    input, locked, new_password, password,
    verify::{issue, token_hash},
};
use crate::{
    App, Tx,
    check::Check,
    clock::random_token,
    error::{Code, Error, Result},
    notification::{Notice, notify},
};

/// How long a mailed token is good.
const GOOD_FOR: Duration = Duration::hours(1);
/// How many are good at a time.
const MOST_LINKS: usize = 3;
/// Within this time after a mail no other is sent: a mailbox must not be flooded by somebody who knows its address.
const PAUSE: Duration = Duration::minutes(1);

/// Mails a link that sets another password to whoever has an account with this address, and gives back the address,
/// trimmed. Nobody learns whether there is such a person: every address that could be mailed is answered alike, after
/// a transaction that writes and commits. The link is good for an hour, and until a password was set by one.
///
/// # Errors
///
/// When it is no e-mail address.
pub async fn begin(app: &App, email: &str) -> Result<String> {
    let mut check = Check::new();
    let email = input::email(&mut check, email);
    check.done()?;
    let tx = app.db.begin().await?;
    // Of two who ask at once, one is mailed.
    match locked_by_email(&tx, &email.key).await? {
        Some(person) if !just_mailed(app, &tx, person.id).await? => send(app, &tx, person.id).await?,
        _ => pretend(app, &tx).await?,
    }
    tx.commit().await?;
    Ok(email.shown)
}

/// Takes the token of a mailed link, once, and sets the password of its owner: 8 to 128 characters, none of the common
/// ones. All their sessions end, their address is proven, since they read what was sent there, and they are mailed.
/// Suspended people may as well: it lets them in, where they may look.
///
/// # Errors
///
/// `NOT_FOUND` for a token that is unknown or used, `EXPIRED` for one that is too old, and what is wrong with
/// the password; the token stays good then.
pub async fn complete(app: &App, token: &str, new: SecretString) -> Result<user::Model> {
    // Looked up before as well: nobody gets at the cost of a hash without a link.
    let found = good(app.db.reader(), token, app.clock.now()).await?;
    new_password::check(&new, &super::user(app, found.user_id).await?)?;
    let hash = password::hash(app, new).await?;

    let tx = app.db.begin().await?;
    let person = locked(&tx, found.user_id).await?;
    // Again, now that nobody else gets at it: of two who come at once with one link, one comes too late.
    let now = app.clock.now();
    good(&*tx, token, now).await?;
    let unproven = person.email_verified_at.is_none();
    let mut change = person.into_active_model();
    change.password_hash = Set(hash);
    if unproven {
        change.email_verified_at = Set(Some(now));
    }
    // This deletes the token: that is how it is used up.
    let person = new_password::set(app, &tx, change, None).await?;
    tx.commit().await?;
    Ok(person)
}

/// The row of a token that may be used now.
async fn good(conn: &impl ConnectionTrait, token: &str, now: DateTime<Utc>) -> Result<account_token::Model> {
    let found = account_token::Entity::find()
        .filter(account_token::Column::TokenHash.eq(token_hash(token)))
        .filter(account_token::Column::Purpose.eq(TokenPurpose::ResetPassword))
        .one(conn)
        .await?
        .ok_or_else(|| {
            let message = "This link is not valid: it, or another one, was used. Ask for another mail.";
            Error::rejected("token", Code::NotFound, message)
        })?;
    if found.expires_at <= now {
        return Err(Error::rejected("token", Code::Expired, "This link is too old. Ask for another mail."));
    }
    Ok(found)
}

/// Whether the newest link of a person was mailed only now, or as many are good as may be.
async fn just_mailed(app: &App, tx: &Tx, of: UserId) -> Result<bool> {
    let now = app.clock.now();
    let links = account_token::Entity::find()
        .filter(account_token::Column::UserId.eq(of))
        .filter(account_token::Column::Purpose.eq(TokenPurpose::ResetPassword))
        .filter(account_token::Column::ExpiresAt.gt(now))
        .all(&**tx)
        .await?;
    Ok(links.len() >= MOST_LINKS || links.iter().any(|link| now < link.created_at + PAUSE))
}

/// Mails a link. Those before it stay good: anybody can ask for one more, and must not take away what its owner holds.
async fn send(app: &App, tx: &Tx, to: UserId) -> Result<()> {
    let (id, link) = issue(app, tx, to, TokenPurpose::ResetPassword, GOOD_FOR, "reset").await?;
    notify(app, tx, to, Notice::AccountReset { link }, &format!("{id}:RESET")).await
}

/// Where nobody is mailed: a row that is written and taken out again, so that here, too, something is committed, which
/// is what takes most of the time.
async fn pretend(app: &App, tx: &Tx) -> Result<()> {
    let row = mail::Model {
        id: app.clock.new_id(),
        user_id: None,
        to_address: String::new(),
        kind: NotificationKind::AccountReset,
        subject: String::new(),
        html: String::new(),
        text: String::new(),
        message_id: token_hash(&random_token()?),
        status: MailStatus::Failed,
        last_error: None,
        attempts: 0,
        look: 0,
        due_at: None,
        sent_at: None,
        created_at: app.clock.now(),
    };
    let id = row.id;
    mail::Entity::insert(mail::ActiveModel::from(row)).exec_without_returning(&**tx).await?;
    mail::Entity::delete_many().filter(mail::Column::Id.eq(id)).exec(&**tx).await?;
    Ok(())
}
