//! People: public profiles, and what only oneself and administrators see of them.

// What `flatten` expands to calls a method of `OutputType`.
use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    entities::{UserId, user},
    policy::{Action, can},
};

use super::{
    enums::{Availability, Role},
    scalars::Money,
    support::actor,
    upload::{self, Image},
};
use crate::loaders::{UnreadOf, UserSkillsOf, load_or_default};

pub mod lists;
pub mod skill;

use lists::UserLists;
use skill::UserSkill;

/// A person with an account.
#[derive(Debug, Clone)]
pub struct User(pub user::Model);

/// Whether the viewer may see what is private about a person.
fn is_open(ctx: &Context<'_>, person: UserId) -> async_graphql::Result<bool> {
    Ok(can(actor(ctx)?, Action::PrivateProfileSee(person)).is_ok())
}

/// A person with an account.
#[Object]
impl User {
    /// Who.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Their public name.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// What they may be. Nobody changes it by the API.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// One line about them, up to 120 characters.
    async fn headline(&self) -> Option<&str> {
        self.0.headline.as_deref()
    }

    /// More about them, up to 5,000 characters.
    async fn bio(&self) -> Option<&str> {
        self.0.bio.as_deref()
    }

    /// Their picture; null when they have none.
    #[graphql(complexity = "3 + child_complexity")]
    async fn avatar(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Image>> {
        upload::avatar(ctx, self.0.avatar_id).await
    }

    /// What a freelancer asks for an hour.
    async fn hourly_rate(&self) -> Option<Money> {
        self.0.hourly_rate.map(Money::from)
    }

    /// When a freelancer can start; null when they do not say.
    async fn availability(&self) -> Option<Availability> {
        self.0.availability.map(Into::into)
    }

    /// The mean of the reviews they got, 1.0 to 5.0; null without one.
    #[expect(clippy::float_arithmetic, reason = "a mean of stars is no money")]
    async fn rating(&self) -> Option<f64> {
        (self.0.review_count > 0).then(|| f64::from(self.0.rating) / 100.0)
    }

    /// How many reviews make up the rating.
    async fn review_count(&self) -> i32 {
        self.0.review_count
    }

    /// Where they are, in their own words.
    async fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// Their time zone, an IANA name such as "Europe/Vienna".
    async fn time_zone(&self) -> Option<&str> {
        self.0.time_zone.as_deref()
    }

    /// Their e-mail address. Null unless it is your own, or you are an administrator.
    async fn email(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<&str>> {
        Ok(is_open(ctx, self.0.id)?.then_some(self.0.email.as_str()))
    }

    /// When their e-mail address was proven. Null before, and unless it is your own or you are an
    /// administrator.
    async fn email_verified_at(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DateTime<Utc>>> {
        Ok(self.0.email_verified_at.filter(|_| is_open(ctx, self.0.id).is_ok_and(|open| open)))
    }

    /// A freelancer's skills, the strongest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn skills(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<UserSkill>> {
        let skills = load_or_default(ctx, UserSkillsOf(self.0.id)).await?;
        Ok(skills.into_iter().map(|(level, skill)| UserSkill { level, skill }).collect())
    }

    /// What hangs below them.
    #[graphql(flatten)]
    async fn lists(&self) -> UserLists {
        UserLists(self.0.id)
    }

    /// How much they were told and have not read. Null unless they are you, or you are an administrator.
    #[graphql(complexity = 5)]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i32>> {
        if !is_open(ctx, self.0.id)? {
            return Ok(None);
        }
        let count = load_or_default(ctx, UnreadOf(self.0.id)).await?;
        Ok(Some(i32::try_from(count).unwrap_or(i32::MAX)))
    }

    /// Since when they are suspended: they may look and not act. Null while they are not, and unless they are you, or
    /// you are an administrator.
    async fn suspended_at(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DateTime<Utc>>> {
        Ok(self.0.suspended_at.filter(|_| is_open(ctx, self.0.id).is_ok_and(|open| open)))
    }

    /// Why they are suspended, in the words of the administrator who did it. Null while they are not, and unless they
    /// are you, or you are an administrator.
    async fn suspension_reason(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<&str>> {
        Ok(if is_open(ctx, self.0.id)? { self.0.suspension_reason.as_deref() } else { None })
    }

    /// When they registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
