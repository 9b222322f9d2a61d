//! Sessions: signing in, access tokens, rotating refresh tokens.

use chrono::{DateTime, Duration, DurationRound, Utc};
use entities::{Role, SessionId, UserId, session, user};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    access_token::{self, Claims},
    input::email_key,
    password,
    verify::token_hash,
};
use crate::{
    Actor, App, Person, Tx,
    clock::random_token,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    page::{Below, List},
    schedule,
};

/// What somebody signs in with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Their e-mail address, whatever its case.
    pub email: String,
    /// Their password.
    pub password: SecretString,
    /// The second factor, where one is set up.
    pub code: Option<SecretString>,
    /// What their client calls itself.
    pub user_agent: Option<String>,
}

/// A session with its tokens, which are shown this once.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Whose.
    pub user: user::Model,
    /// The session.
    pub session: session::Model,
    /// For the header `Authorization: Bearer`.
    pub access_token: SecretString,
    /// When the access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// Good once, for the next pair of tokens.
    pub refresh_token: SecretString,
}

/// Signs in. A wrong address and a wrong password look the same and take the same time.
pub async fn create(app: &App, input: SignIn) -> Result<SignedIn> {
    let key = email_key(&input.email);
    let person = if key.contains('\0') {
        // Nobody's: PostgreSQL would not even compare it.
        None
    } else {
        user::Entity::find().filter(user::Column::EmailKey.eq(key)).one(app.db.reader()).await?
    };
    let right = password::verify(app, person.as_ref(), input.password).await?;
    let Some(person) = person.filter(|_| right) else {
        return Err(wrong());
    };
    // After the password: who set up a second factor is nobody else's business.
    if input.code.is_some() {
        return Err(Error::rejected(
            "code",
            Code::Invalid,
            "No second factor is set up: leave out the code.",
        ));
    }
    let tx = app.db.begin().await?;
    // Read again, and locked: a password that was changed while it was being checked must not open a session that
    // the change could not end.
    let checked = person.password_hash;
    let person = super::locked(&tx, person.id).await?;
    if person.password_hash != checked {
        return Err(wrong());
    }
    let signed_in = open(app, &tx, person, input.user_agent).await?;
    let client = signed_in.session.user_agent.clone().unwrap_or_else(|| "an unnamed client".to_owned());
    let event = format!("{}:SIGN_IN", signed_in.session.id);
    notify(app, &tx, signed_in.user.id, Notice::AccountNewSignIn { client }, &event).await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// Trades a refresh token for the next pair. The token before it in anybody's hand means that one of the
/// two holders stole it: the session ends. Of two who come at once with the same token the second is such.
pub async fn refresh(app: &App, refresh_token: &SecretString) -> Result<SignedIn> {
    let given = token_hash(refresh_token.expose_secret());
    let tx = app.db.begin().await?;
    let now = app.clock.now();
    let either = Condition::any()
        .add(session::Column::RefreshHash.eq(&given))
        .add(session::Column::PreviousRefreshHash.eq(&given));
    let found = session::Entity::find()
        .filter(either)
        .lock_exclusive()
        .one(&*tx)
        .await?
        .filter(|found| found.revoked_at.is_none())
        .ok_or_else(ended)?;
    if found.refresh_hash != given {
        end(&tx, found.id, now).await?;
        tx.commit().await?;
        tracing::warn!(session = %found.id, "a refresh token was used twice: the session is ended");
        return Err(ended());
    }
    if found.expires_at <= now {
        return Err(Error::rejected("refreshToken", Code::Expired, "The session is over. Sign in again."));
    }
    let next = random_token()?;
    let session = session::ActiveModel {
        id: Set(found.id),
        refresh_hash: Set(token_hash(&next)),
        previous_refresh_hash: Set(Some(given)),
        expires_at: Set(now + lifetime(app.settings.session_ttl)?),
        refreshed_at: Set(now),
        ..Default::default()
    }
    .update(&*tx)
    .await?;
    // Not locked: who ends all sessions of a person locks first the person and then the sessions, and nobody who
    // holds a session may wait for its person.
    let person = user::Entity::find_by_id(session.user_id).one(&*tx).await?;
    let person = person.ok_or_else(|| Error::bug("a session of nobody"))?;
    tx.commit().await?;
    tokens(app, person, session, next)
}

/// Ends one of the actor's sessions: the current one unless another is named. It ends at once, access
/// tokens too. Ending an ended session changes nothing. Which one, and whether it was open until now.
///
/// # Errors
///
/// When nobody is signed in, or they have no such session.
pub async fn revoke(app: &App, actor: &Actor, session: Option<SessionId>) -> Result<(SessionId, bool)> {
    // A suspended person may sign out, so this asks no policy.
    let person = actor.signed_in()?;
    let id = session.unwrap_or(person.session_id);
    let tx = app.db.begin().await?;
    let found = session::Entity::find_by_id(id)
        .filter(session::Column::UserId.eq(person.id))
        .lock_exclusive()
        .one(&*tx)
        .await?
        .ok_or_else(|| Error::not_found("sessionId", "session"))?;
    let open = found.revoked_at.is_none() && found.expires_at > app.clock.now();
    if found.revoked_at.is_none() {
        end(&tx, id, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok((id, open))
}

/// Ends every session of the actor but the one they are using; how many were open.
///
/// # Errors
///
/// When nobody is signed in.
pub async fn revoke_others(app: &App, actor: &Actor) -> Result<u64> {
    // As above: whoever may sign in may sign out.
    let person = actor.signed_in()?;
    let tx = app.db.begin().await?;
    super::locked(&tx, person.id).await?;
    let ended = end_all(app, &tx, person.id, Some(person.session_id)).await?;
    tx.commit().await?;
    Ok(ended)
}

/// People's open sessions, the newest first. Who may ask for whose is decided before.
///
/// # Errors
///
/// When the clock shows a year that no session will see.
pub fn of_users(app: &App) -> Result<Below<session::Entity>> {
    // Whole minutes, so that the lists of one answer are one statement: one that ended within this minute may still
    // be listed, with the end it had.
    let now = app.clock.now().duration_trunc(Duration::minutes(1));
    let now = now.map_err(|error| Error::bug(format!("the clock: {error}")))?;
    let select = session::Entity::find()
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    Ok(List::by_id(select, session::Column::Id, true).below([session::Column::UserId]))
}

/// Ends the open sessions of a person, all but one where one is named; how many there were. The person is locked:
/// nobody signs in meanwhile.
pub(super) async fn end_all(app: &App, tx: &Tx, of: UserId, but: Option<SessionId>) -> Result<u64> {
    let now = app.clock.now();
    let mut update = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .filter(session::Column::UserId.eq(of))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now));
    if let Some(but) = but {
        update = update.filter(session::Column::Id.ne(but));
    }
    Ok(update.exec(&**tx).await?.rows_affected)
}

/// Who sends this access token. One statement: an ended session is refused at once, and a role or a
/// suspension holds from the next request on.
pub async fn authenticate(app: &App, bearer: &str) -> Result<Actor> {
    let now = app.clock.now();
    let claims = access_token::verify(bearer, &app.settings.jwt_secret, now)?;
    let to_user =
        session::Entity::belongs_to(user::Entity).from(session::Column::UserId).to(user::Column::Id).into();
    let found = session::Entity::find_by_id(claims.session_id())
        .join(JoinType::InnerJoin, to_user)
        .select_also(user::Entity)
        .filter(session::Column::UserId.eq(claims.user_id()))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .one(app.db.reader())
        .await?;
    let Some((session, Some(user))) = found else {
        return Err(Error::Unauthenticated);
    };
    Ok(actor(&user, session.id))
}

/// Ends the sessions that people had open when they were suspended; how many there were. One that they open later, to
/// look at what is theirs, stays. The task `sessions-end` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn end_suspended(app: &App) -> Result<u64> {
    schedule::each(|skip| of_suspended(app, skip), |id| end_once(app, id)).await
}

async fn of_suspended(app: &App, skip: u64) -> Result<Vec<SessionId>> {
    let to_user =
        session::Entity::belongs_to(user::Entity).from(session::Column::UserId).to(user::Column::Id).into();
    let open = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .join(JoinType::InnerJoin, to_user)
        .filter(user::Column::SuspendedAt.is_not_null())
        .filter(
            Expr::col((session::Entity, session::Column::CreatedAt))
                .lte(Expr::col((user::Entity, user::Column::SuspendedAt))),
        )
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(app.clock.now()))
        .order_by_asc(session::Column::Id)
        .offset(skip)
        .limit(schedule::BATCH);
    Ok(open.into_tuple().all(app.db.reader()).await?)
}

async fn end_once(app: &App, id: SessionId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let open = session::Entity::find_by_id(id)
        .filter(session::Column::RevokedAt.is_null())
        .lock_exclusive()
        .one(&*tx)
        .await?;
    if open.is_none() {
        return Ok(false);
    }
    end(&tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(true)
}

fn actor(user: &user::Model, session_id: SessionId) -> Actor {
    let person = Person {
        id: user.id,
        role: user.role,
        session_id,
        verified: user.email_verified_at.is_some(),
        suspended: user.suspended_at.is_some(),
    };
    match user.role {
        Role::Admin => Actor::Admin(person),
        Role::Client | Role::Freelancer => Actor::User(person),
    }
}

/// Opens a session for a person who has proven who they are.
pub(super) async fn open(
    app: &App,
    tx: &Tx,
    person: user::Model,
    user_agent: Option<String>,
) -> Result<SignedIn> {
    let refresh_token = random_token()?;
    let now = app.clock.now();
    let row = session::Model {
        id: app.clock.new_id(),
        user_id: person.id,
        refresh_hash: token_hash(&refresh_token),
        previous_refresh_hash: None,
        user_agent: user_agent.map(|name| name.chars().filter(|c| !c.is_control()).take(255).collect()),
        expires_at: now + lifetime(app.settings.session_ttl)?,
        revoked_at: None,
        created_at: now,
        refreshed_at: now,
    };
    session::Entity::insert(session::ActiveModel::from(row.clone())).exec_without_returning(&**tx).await?;
    tokens(app, person, row, refresh_token)
}

fn tokens(app: &App, user: user::Model, session: session::Model, refresh_token: String) -> Result<SignedIn> {
    let now = app.clock.now();
    let access_expires_at = now + lifetime(app.settings.access_token_ttl)?;
    let claims = Claims::new(user.id, session.id, now, access_expires_at);
    let access_token = access_token::sign(&claims, &app.settings.jwt_secret)?;
    Ok(SignedIn {
        user,
        session,
        access_token: access_token.into(),
        access_expires_at,
        refresh_token: refresh_token.into(),
    })
}

async fn end(tx: &Tx, id: SessionId, now: DateTime<Utc>) -> Result<()> {
    session::ActiveModel { id: Set(id), revoked_at: Set(Some(now)), ..Default::default() }
        .update(&**tx)
        .await?;
    Ok(())
}

fn wrong() -> Error {
    Error::rejected("", Code::Invalid, "The e-mail address or the password is wrong.")
}

fn ended() -> Error {
    Error::rejected("refreshToken", Code::Invalid, "This refresh token is not valid. Sign in again.")
}

fn lifetime(setting: std::time::Duration) -> Result<Duration> {
    Duration::from_std(setting).map_err(|error| Error::bug(format!("a lifetime in the settings: {error}")))
}
