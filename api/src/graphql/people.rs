//! Finding people: oneself, a profile, the freelancers on the marketplace.

use async_graphql::{Context, Enum, ID, InputObject, Object};
use domain::{Code, Error, account};

use super::{
    connection::{Listing, connect, list_cost, page},
    enums::{Availability, OrderDirection},
    scalars::MoneyInput,
    support::{actor, app, parse_id, parse_ids},
    user::User,
};
use crate::error::{fault, found};

/// Which freelancers are wanted; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct FreelancerFilter {
    /// Words to find, at most 20, in 200 characters. Case and accents make no difference, and signs only divide
    /// words. A freelancer is found when their name, headline and bio hold every word; the last one, unless a sign
    /// follows it, may be the beginning of a word. An empty search finds all; one of signs alone, nothing.
    pub search: Option<String>,
    /// They have every one of these skills.
    pub skill_ids: Option<Vec<ID>>,
    /// Their rate an hour is at least this.
    pub min_hourly_rate: Option<MoneyInput>,
    /// Their rate an hour is at most this.
    pub max_hourly_rate: Option<MoneyInput>,
    /// They can start in one of these ways.
    pub availability: Option<Vec<Availability>>,
    /// The mean of their reviews is at least this, 1.0 to 5.0. Those without a review are left out.
    pub min_rating: Option<f64>,
}

impl FreelancerFilter {
    fn parse(self) -> domain::Result<account::FreelancerFilter> {
        let money =
            |field: &str, input: Option<MoneyInput>| input.map(|input| input.parse(field)).transpose();
        Ok(account::FreelancerFilter {
            search: self.search,
            skill_ids: parse_ids("filter.skillIds", &self.skill_ids.unwrap_or_default())?,
            min_hourly_rate: money("filter.minHourlyRate", self.min_hourly_rate)?,
            max_hourly_rate: money("filter.maxHourlyRate", self.max_hourly_rate)?,
            availability: self.availability.unwrap_or_default().into_iter().map(Into::into).collect(),
            min_rating: self.min_rating.map(rating).transpose()?,
        })
    }
}

/// A mean of stars in hundredths, as it is kept.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    reason = "stars are no money; 500 at the most"
)]
fn rating(stars: f64) -> domain::Result<i32> {
    if (1.0..=5.0).contains(&stars) {
        Ok((stars * 100.0).round() as i32)
    } else {
        let message = format!("Give 1.0 to 5.0; it is {stars}.");
        Err(Error::rejected("filter.minRating", Code::OutOfRange, message))
    }
}

/// By what freelancers are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "account::FreelancerOrder")]
pub enum FreelancerOrderField {
    /// By when they registered.
    CreatedAt,
    /// By their rate an hour; those who name none are left out.
    HourlyRate,
    /// By how many of the words of `filter.search` are in their name and headline. Only with a search.
    Relevance,
    /// By the mean of their reviews; those without one come last in DESC.
    Rating,
}

/// The order of a list of freelancers.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct FreelancerOrder {
    /// By what.
    pub field: FreelancerOrderField,
    /// Which way; when left out, DESC for RELEVANCE and ASC for everything else.
    pub direction: Option<OrderDirection>,
}

impl FreelancerOrder {
    /// By what, and whether it descends.
    fn parse(self) -> (account::FreelancerOrder, bool) {
        let descending = match self.direction {
            Some(direction) => direction == OrderDirection::Desc,
            None => self.field == FreelancerOrderField::Relevance,
        };
        (self.field.into(), descending)
    }
}

/// Reads of people.
#[derive(Debug, Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// You; null when you are not signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<User>> {
        let Some(id) = actor(ctx)?.user_id() else { return Ok(None) };
        Ok(found(account::user(app(ctx)?, id).await)?.map(User))
    }

    /// A person's profile; null when there is no such person.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose profile.")] id: ID,
    ) -> async_graphql::Result<Option<User>> {
        let id = parse_id("id", &id).map_err(fault)?;
        Ok(found(account::user(app(ctx)?, id).await)?.map(User))
    }

    /// The freelancers on the marketplace.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection's four, filter and order")]
    async fn freelancers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which freelancers; all of them when left out.")] filter: Option<FreelancerFilter>,
        #[graphql(
            desc = "In which order. When left out: the most relevant first with a search, else the newest."
        )]
        order_by: Option<FreelancerOrder>,
    ) -> async_graphql::Result<Listing<User>> {
        let filter = filter.unwrap_or_default().parse().map_err(fault)?;
        let app = app(ctx)?;
        let order = order_by.map(FreelancerOrder::parse);
        let list = account::freelancers(app, &filter, order).map_err(fault)?;
        connect(app, list, page(first, after, last, before), User).await
    }
}
