//! Everybody with an account, and suspending them.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use domain::account::{self, UserOrder as By};

use crate::{
    error::{UserError, answer, fault},
    graphql::{
        connection::{Listing, connect, list_cost, page},
        enums::{OrderDirection, Role},
        support::{actor, app, parse_id},
        user::User,
    },
};

/// Which people to list; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct UserFilter {
    /// A piece of the name or of the e-mail address, whatever its case; up to 200 characters.
    pub search: Option<String>,
    /// With this role.
    pub role: Option<Role>,
    /// Suspended (true), or not (false).
    pub suspended: Option<bool>,
    /// With a proven e-mail address (true), or without (false).
    pub verified: Option<bool>,
}

/// By what people are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum UserOrderField {
    /// By when they registered.
    CreatedAt,
    /// By their public name.
    DisplayName,
}

/// The order of a list of people.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct UserOrder {
    /// By what.
    pub field: UserOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// Reading everybody.
#[derive(Default)]
pub(super) struct UsersQuery;

#[Object]
impl UsersQuery {
    /// Everybody with an account, newest first unless ordered otherwise. For admins.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection's four, filter and order")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which people; everybody when left out.")] filter: Option<UserFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<UserOrder>,
    ) -> Result<Listing<User>> {
        let filter = filter.unwrap_or_default();
        let filter = account::UserFilter {
            search: filter.search,
            role: filter.role.map(Into::into),
            suspended: filter.suspended,
            verified: filter.verified,
        };
        let (by, descending) = order_by.map_or((By::CreatedAt, true), |order| {
            (order.field.into(), order.direction == OrderDirection::Desc)
        });
        let list = account::users(actor(ctx)?, &filter, by, descending).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), User).await
    }
}

/// Whom to suspend, and why.
#[derive(Debug, InputObject)]
pub struct UserSuspendInput {
    /// The person, `usr_...`: neither you nor another administrator.
    pub user_id: ID,
    /// Why, 1 to 1,000 characters: they are told.
    pub reason: String,
}

/// Whom to restore.
#[derive(Debug, InputObject)]
pub struct UserRestoreInput {
    /// A suspended person, `usr_...`.
    pub user_id: ID,
}

/// The person after the change, or why there was none.
#[derive(SimpleObject)]
pub struct UserPayload {
    /// The person; null when something has to be mended first.
    pub user: Option<User>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Suspending and restoring people.
#[derive(Default)]
pub(super) struct UsersMutation;

#[Object]
impl UsersMutation {
    /// Suspends somebody: their sessions end at once, and until they are restored they may look and not act. A
    /// freelancer is not found by others any more and cannot be hired; a client's OPEN projects are not listed and
    /// take no proposals. Money that is under way goes on. They are told why. For admins.
    async fn user_suspend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: UserSuspendInput,
    ) -> Result<UserPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("userId", &input.user_id);
        let result = async { account::suspend(app, actor, id?, &input.reason).await };
        let (user, user_errors) = answer(result.await)?;
        Ok(UserPayload { user: user.map(User), user_errors })
    }

    /// Lifts a suspension. They are told, and sign in anew. For admins.
    async fn user_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: UserRestoreInput,
    ) -> Result<UserPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("userId", &input.user_id);
        let result = async { account::restore(app, actor, id?).await };
        let (user, user_errors) = answer(result.await)?;
        Ok(UserPayload { user: user.map(User), user_errors })
    }
}
