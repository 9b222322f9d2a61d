//! People: public profiles, and what only oneself and administrators see of them.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    contract as domain_contract,
    entities::{skill, user, user_skill},
    ledger as domain_ledger, notification as domain_notification, payment as domain_payment,
    policy::{Action, can},
    project as domain_project, proposal as domain_proposal, review as domain_review, wallet as domain_wallet,
};

use super::{
    connection::{Listing, connect, list_cost, page},
    contract::Contract,
    enums::Role,
    ledger::LedgerEntry,
    notification::Notification,
    payment::Payment,
    project::Project,
    proposal::Proposal,
    review::Review,
    scalars::Money,
    skill::Skill,
    support::{actor, app},
    upload::{self, Image},
    wallet::Wallet,
};
use crate::{
    error::fault,
    loaders::{UserSkillsOf, load_or_default},
};

/// A person with an account.
#[derive(Debug, Clone)]
pub struct User(pub user::Model);

impl User {
    /// Whether the viewer may see what is private about this person.
    fn is_open(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        Ok(can(actor(ctx)?, Action::PrivateProfileSee(self.0.id)).is_ok())
    }
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
        Ok(self.is_open(ctx)?.then_some(self.0.email.as_str()))
    }

    /// When their e-mail address was proven. Null before, and unless it is your own or you are an
    /// administrator.
    async fn email_verified_at(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DateTime<Utc>>> {
        Ok(self.0.email_verified_at.filter(|_| self.is_open(ctx).is_ok_and(|open| open)))
    }

    /// A freelancer's skills, the strongest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn skills(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<UserSkill>> {
        let skills = load_or_default(ctx, UserSkillsOf(self.0.id)).await?;
        Ok(skills.into_iter().map(|(level, skill)| UserSkill { level, skill }).collect())
    }

    /// The projects they posted that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Project>> {
        let theirs = domain_project::Filter { client_id: Some(self.0.id), ..Default::default() };
        let list = domain_project::list(actor(ctx)?, &theirs, Default::default()).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), Project).await
    }

    /// The proposals they sent that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Proposal>> {
        let theirs = domain_proposal::Filter { freelancer_id: Some(self.0.id), ..Default::default() };
        let list = domain_proposal::list(actor(ctx)?, &theirs);
        connect(app(ctx)?, list, page(first, after, last, before), Proposal).await
    }

    /// The contracts they are a party of that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn contracts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Contract>> {
        let theirs = domain_contract::Filter { party: Some(self.0.id), ..Default::default() };
        let list = domain_contract::list(actor(ctx)?, &theirs);
        connect(app(ctx)?, list, page(first, after, last, before), Contract).await
    }

    /// What was said about them and everybody may read, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Review>> {
        let list = domain_review::of_user(self.0.id);
        connect(app(ctx)?, list, page(first, after, last, before), Review).await
    }

    /// Their wallets, the first one first. Null unless they are your own, or you are an administrator.
    #[graphql(complexity = "1 + 2 * child_complexity")]
    async fn wallets(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Vec<Wallet>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let rows = domain_wallet::of_user(app(ctx)?.db.reader(), self.0.id).await.map_err(fault)?;
        Ok(Some(rows.into_iter().map(Wallet).collect()))
    }

    /// The payments they make and get, newest first. Null unless they are your own, or you are an
    /// administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<Payment>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_payment::of_user(actor(ctx)?, self.0.id);
        connect(app(ctx)?, list, page(first, after, last, before), Payment).await.map(Some)
    }

    /// Their account with the platform, entry by entry, newest first. Null unless it is your own, or you
    /// are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<LedgerEntry>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_ledger::statement(self.0.id);
        connect(app(ctx)?, list, page(first, after, last, before), LedgerEntry).await.map(Some)
    }

    /// What they were told, newest first. Null unless they are you, or you are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only what is not read yet.", default)] unread_only: bool,
    ) -> async_graphql::Result<Option<Listing<Notification>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_notification::list(self.0.id, unread_only);
        connect(app(ctx)?, list, page(first, after, last, before), Notification).await.map(Some)
    }

    /// How much they were told and have not read. Null unless they are you, or you are an administrator.
    #[graphql(complexity = 5)]
    async fn unread_notification_count(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<i32>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let count = domain_notification::unread(app(ctx)?.db.reader(), self.0.id).await.map_err(fault)?;
        Ok(Some(i32::try_from(count).unwrap_or(i32::MAX)))
    }

    /// When they registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// How well a freelancer knows a skill.
#[derive(Debug, Clone)]
pub struct UserSkill {
    level: user_skill::Model,
    skill: skill::Model,
}

/// How well a freelancer knows a skill.
#[Object]
impl UserSkill {
    /// Which skill.
    async fn skill(&self) -> Skill {
        Skill(self.skill.clone())
    }

    /// How well, from 1 (knows about it) to 5 (masters it).
    async fn proficiency(&self) -> i32 {
        self.level.proficiency
    }

    /// For how many years, 0 to 60.
    async fn years(&self) -> i32 {
        self.level.years
    }
}
