//! Passwords: another one for who forgot theirs, and for who knows it.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::account;
use secrecy::SecretString;

use super::{
    support::{actor, app},
    user::User,
};
use crate::error::{UserError, answer};

/// Who forgot their password.
#[derive(Debug, InputObject)]
pub struct PasswordResetBeginInput {
    /// The e-mail address of the account, whatever its case.
    pub email: String,
}

/// What can be said to anybody: the same whether there is such an account or not.
#[derive(Debug, SimpleObject)]
pub struct PasswordResetBeginPayload {
    /// The address that is mailed, if somebody has an account with it.
    pub email: Option<String>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The token of a mailed link, and the password to set.
#[derive(Debug, InputObject)]
pub struct PasswordResetCompleteInput {
    /// The `token` of the link; good for an hour, until a password was set by it or by another one.
    #[graphql(secret)]
    pub token: String,
    /// 8 to 128 characters, none of the common ones.
    #[graphql(secret)]
    pub new_password: String,
}

/// An account with another password.
#[derive(Debug, SimpleObject)]
pub struct PasswordResetCompletePayload {
    /// Whose password it is. Sign in with it: this opens no session.
    pub user: Option<User>,
    /// What you can mend; empty when it worked. NOT_FOUND for a token that is unknown or no longer needed,
    /// EXPIRED for one that is too old: ask for another mail then.
    pub user_errors: Vec<UserError>,
}

/// Your password, and the one to set.
#[derive(Debug, InputObject)]
pub struct PasswordChangeInput {
    /// Your present password.
    #[graphql(secret)]
    pub password: String,
    /// 8 to 128 characters, none of the common ones.
    #[graphql(secret)]
    pub new_password: String,
}

/// Your account with another password.
#[derive(Debug, SimpleObject)]
pub struct PasswordChangePayload {
    /// Your account.
    pub user: Option<User>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What can be done with passwords.
#[derive(Debug, Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Mails a link that sets another password to whoever has an account with this address, at most one a minute, and
    /// while at most three are good. Nobody need be signed in, and nobody learns whether there is such an
    /// account.
    async fn password_reset_begin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who forgot their password.")] input: PasswordResetBeginInput,
    ) -> async_graphql::Result<PasswordResetBeginPayload> {
        let (email, user_errors) = answer(account::reset::begin(app(ctx)?, &input.email).await)?;
        Ok(PasswordResetBeginPayload { email, user_errors })
    }

    /// Sets another password by the token of the mailed link. It ends all sessions of the account and proves its
    /// address; its owner is told by mail. Nobody need be signed in.
    async fn password_reset_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the mailed link, and the password to set.")]
        input: PasswordResetCompleteInput,
    ) -> async_graphql::Result<PasswordResetCompletePayload> {
        let new = SecretString::from(input.new_password);
        let (user, user_errors) = answer(account::reset::complete(app(ctx)?, &input.token, new).await)?;
        Ok(PasswordResetCompletePayload { user: user.map(User), user_errors })
    }

    /// Changes your password. It ends your other sessions, and links that were mailed to set another one are good no
    /// more; you are told by mail.
    async fn password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password, and the one to set.")] input: PasswordChangeInput,
    ) -> async_graphql::Result<PasswordChangePayload> {
        let (present, new) = (SecretString::from(input.password), SecretString::from(input.new_password));
        let changed = account::change_password(app(ctx)?, actor(ctx)?, present, new).await;
        let (user, user_errors) = answer(changed)?;
        Ok(PasswordChangePayload { user: user.map(User), user_errors })
    }
}
