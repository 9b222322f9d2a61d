//! Accounts and sessions: joining, proving an address, signing in and out.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Actor, App, Code, Error,
    account::{self, Registration, SignIn, SignedIn},
    entities::SessionId,
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    enums::Role,
    support::{actor, app, parse_id},
    user::User,
};
use crate::error::{UserError, answer};

pub mod open;

/// What the caller's client calls itself: the request's `User-Agent`, put into the context by the router.
#[derive(Debug, Clone)]
pub struct UserAgent(pub String);

/// A signed-in session with its tokens. They are shown this once.
#[derive(Debug, SimpleObject)]
pub struct Session {
    /// Which session: sessionRevoke takes it.
    pub id: ID,
    /// Sent with each request as `Authorization: Bearer <accessToken>`.
    pub access_token: String,
    /// Good once, for sessionRefresh. Keep it secret.
    pub refresh_token: String,
    /// When the access token ends. Refresh before.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends; each refresh puts it off.
    pub refresh_expires_at: DateTime<Utc>,
}

impl Session {
    fn of(signed_in: SignedIn) -> (Self, User) {
        let session = Self {
            id: signed_in.session.id.to_string().into(),
            access_token: signed_in.access_token.expose_secret().to_owned(),
            refresh_token: signed_in.refresh_token.expose_secret().to_owned(),
            expires_at: signed_in.access_expires_at,
            refresh_expires_at: signed_in.session.expires_at,
        };
        (session, User(signed_in.user))
    }
}

/// Who wants to join.
#[derive(Debug, InputObject)]
pub struct AccountRegisterInput {
    /// An e-mail address; a mail with a link proves it.
    pub email: String,
    /// 8 to 128 characters, none of the common ones.
    #[graphql(secret)]
    pub password: String,
    /// Your public name, 1 to 100 characters.
    pub display_name: String,
    /// CLIENT or FREELANCER. It stays.
    pub role: Role,
}

/// A new account, signed in.
#[derive(Debug, SimpleObject)]
pub struct AccountRegisterPayload {
    /// The session that was opened.
    pub session: Option<Session>,
    /// The new account.
    pub user: Option<User>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The token of a mailed link.
#[derive(Debug, InputObject)]
pub struct AccountVerifyInput {
    /// The `token` of the link; good once, for 24 hours.
    #[graphql(secret)]
    pub token: String,
}

/// An account whose address is proven.
#[derive(Debug, SimpleObject)]
pub struct AccountVerifyPayload {
    /// Whose address it is.
    pub user: Option<User>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// An account that was sent another mail.
#[derive(Debug, SimpleObject)]
pub struct AccountVerifyResendPayload {
    /// Your account.
    pub user: Option<User>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What you sign in with.
#[derive(Debug, InputObject)]
pub struct SessionCreateInput {
    /// Your e-mail address, whatever its case.
    pub email: String,
    /// Your password.
    #[graphql(secret)]
    pub password: String,
    /// The second factor, where one is set up.
    #[graphql(secret)]
    pub code: Option<String>,
}

/// A new session.
#[derive(Debug, SimpleObject)]
pub struct SessionCreatePayload {
    /// The session that was opened.
    pub session: Option<Session>,
    /// Whose.
    pub user: Option<User>,
    /// What you can mend; empty when it worked. A wrong address and a wrong password look the same.
    pub user_errors: Vec<UserError>,
}

/// The refresh token in force.
#[derive(Debug, InputObject)]
pub struct SessionRefreshInput {
    /// The refresh token that came last.
    #[graphql(secret)]
    pub refresh_token: String,
}

/// A session with its next tokens.
#[derive(Debug, SimpleObject)]
pub struct SessionRefreshPayload {
    /// The session with its next tokens.
    pub session: Option<Session>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The session to end.
#[derive(Debug, InputObject)]
pub struct SessionRevokeInput {
    /// One of your sessions, as `User.sessions` lists them; the one you are using when left out.
    pub session_id: Option<ID>,
    /// All your sessions but the one you are using, instead of one. Leave out `sessionId` then.
    #[graphql(default)]
    pub others: bool,
}

/// What was ended.
#[derive(Debug, SimpleObject)]
pub struct SessionRevokePayload {
    /// Which one; null when all others were.
    pub session_id: Option<ID>,
    /// How many sessions were open until now: 0 when there was none, or it had ended before.
    pub ended_count: i32,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What can be done with accounts and sessions.
#[derive(Debug, Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Opens an account and signs in. A mail with a link proves the address; much needs it proven.
    async fn account_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to join.")] input: AccountRegisterInput,
    ) -> async_graphql::Result<AccountRegisterPayload> {
        let registration = Registration {
            email: input.email,
            password: SecretString::from(input.password),
            display_name: input.display_name,
            role: input.role.into(),
            user_agent: user_agent(ctx),
        };
        let (signed_in, user_errors) = answer(account::register(app(ctx)?, registration).await)?;
        let (session, user) = signed_in.map(Session::of).unzip();
        Ok(AccountRegisterPayload { session, user, user_errors })
    }

    /// Proves an e-mail address by the token of the mailed link. Nobody need be signed in.
    async fn account_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the mailed link.")] input: AccountVerifyInput,
    ) -> async_graphql::Result<AccountVerifyPayload> {
        let (user, user_errors) = answer(account::verify(app(ctx)?, &input.token).await)?;
        Ok(AccountVerifyPayload { user: user.map(User), user_errors })
    }

    /// Mails you another link that proves your address, at most one a minute.
    async fn account_verify_resend(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<AccountVerifyResendPayload> {
        let (user, user_errors) = answer(account::resend_verification(app(ctx)?, actor(ctx)?).await)?;
        Ok(AccountVerifyResendPayload { user: user.map(User), user_errors })
    }

    /// Signs in. Its owner is told of it.
    async fn session_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you sign in with.")] input: SessionCreateInput,
    ) -> async_graphql::Result<SessionCreatePayload> {
        let sign_in = SignIn {
            email: input.email,
            password: SecretString::from(input.password),
            code: input.code.map(SecretString::from),
            user_agent: user_agent(ctx),
        };
        let (signed_in, user_errors) = answer(account::session::create(app(ctx)?, sign_in).await)?;
        let (session, user) = signed_in.map(Session::of).unzip();
        Ok(SessionCreatePayload { session, user, user_errors })
    }

    /// Trades a refresh token for the next pair of tokens. A refresh token that was traded before ends the
    /// session: somebody else has it.
    async fn session_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token in force.")] input: SessionRefreshInput,
    ) -> async_graphql::Result<SessionRefreshPayload> {
        let token = SecretString::from(input.refresh_token);
        let (signed_in, user_errors) = answer(account::session::refresh(app(ctx)?, &token).await)?;
        let session = signed_in.map(|signed_in| Session::of(signed_in).0);
        Ok(SessionRefreshPayload { session, user_errors })
    }

    /// Ends one of your sessions at once, its access tokens too; or all but the one you are using.
    async fn session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: SessionRevokeInput,
    ) -> async_graphql::Result<SessionRevokePayload> {
        let (ended, user_errors) = answer(revoke(app(ctx)?, actor(ctx)?, &input).await)?;
        let (session, count) = ended.unwrap_or_default();
        Ok(SessionRevokePayload {
            session_id: session.map(|id| id.to_string().into()),
            ended_count: i32::try_from(count).unwrap_or(i32::MAX),
            user_errors,
        })
    }
}

/// The session that was named or used, and how many were open.
async fn revoke(
    app: &App,
    actor: &Actor,
    input: &SessionRevokeInput,
) -> domain::Result<(Option<SessionId>, u64)> {
    if !input.others {
        let named = input.session_id.as_ref().map(|id| parse_id("sessionId", id)).transpose()?;
        let (id, open) = account::session::revoke(app, actor, named).await?;
        return Ok((Some(id), u64::from(open)));
    }
    if input.session_id.is_some() {
        let message = "Name one session, or ask for all others: not both.";
        return Err(Error::rejected("others", Code::Invalid, message));
    }
    Ok((None, account::session::revoke_others(app, actor).await?))
}

fn user_agent(ctx: &Context<'_>) -> Option<String> {
    ctx.data_opt::<UserAgent>().map(|agent| agent.0.clone())
}
