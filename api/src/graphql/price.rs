//! What work may cost.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use domain::price;

use super::{
    scalars::Money,
    support::{app, parse_id, parse_ids},
};
use crate::error::fault;

/// How hard work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::price::Complexity")]
pub enum WorkComplexity {
    /// Routine work: 0.8 times the base.
    Simple,
    /// Usual work: the base.
    Moderate,
    /// Work with parts that depend on each other: 1.3 times the base.
    Complex,
    /// Work that few can do: 1.6 times the base.
    Expert,
}

/// How far to trust a suggested price: by the number of like projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::price::Confidence")]
pub enum PriceConfidence {
    /// 20 like projects or more.
    High,
    /// 10 to 19 like projects.
    Medium,
    /// 5 to 9 like projects.
    Low,
    /// Fewer than 5 like projects: the base is not the market's but a table's.
    None,
}

/// A suggested price and the range around it.
#[derive(Debug, SimpleObject)]
pub struct PriceRange {
    /// 0.8 times what is suggested.
    pub low: Money,
    /// What is suggested.
    pub suggested: Money,
    /// 1.2 times what is suggested.
    pub high: Money,
}

impl From<price::Rates> for PriceRange {
    fn from(rates: price::Rates) -> Self {
        Self { low: rates.low.into(), suggested: rates.suggested.into(), high: rates.high.into() }
    }
}

/// What work may cost. It is reckoned from this marketplace's own contracts, or from a table, and by no outside
/// service.
#[derive(Debug, SimpleObject)]
pub struct PriceSuggestion {
    /// For an hour: base x complexity x (1 + premium). Each skill adds 0.05 to the premium, which is 0.5 at most.
    /// Rounded half up to a micro-USDC.
    pub hourly: PriceRange,
    /// For all the hours: each end of `hourly` times the hours. Null when no hours were given.
    pub total: Option<PriceRange>,
    /// An hour of MODERATE work without a premium. With at least 5 like projects the median of their rates; with
    /// fewer a table's, in USDC: web 50, mobile 60, data 70, design 45, writing 30, marketing 40, video 35, every
    /// other category 40.
    pub base: Money,
    /// How many like projects there are: HOURLY ones of the category with a contract accepted in the last 90 days,
    /// up to 1,000.
    pub like_project_count: i32,
    /// How far to trust it.
    pub confidence: PriceConfidence,
}

/// Which work to suggest a price for.
#[derive(Debug, InputObject)]
pub struct PriceSuggestionInput {
    /// Its field, one of `categories`.
    pub category_id: ID,
    /// The skills that it takes, at most 15: whole skills by their ids. One that is named twice counts once.
    pub skill_ids: Option<Vec<ID>>,
    /// How hard it is.
    pub complexity: WorkComplexity,
    /// For how many hours, 1 to 10,000.
    pub hours: Option<i32>,
}

impl PriceSuggestionInput {
    fn parse(self) -> domain::Result<price::Work> {
        Ok(price::Work {
            category_id: parse_id("categoryId", &self.category_id)?,
            skill_ids: parse_ids("skillIds", &self.skill_ids.unwrap_or_default())?,
            complexity: self.complexity.into(),
            hours: self.hours,
        })
    }
}

/// Asking what work may cost.
#[derive(Debug, Default)]
pub struct PriceQuery;

#[Object]
impl PriceQuery {
    /// What to pay, or to ask, for work: a suggestion, for everybody. It works by itself, without OPENAI_API_KEY.
    #[graphql(complexity = "20 + child_complexity")]
    async fn price_suggestion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which work.")] input: PriceSuggestionInput,
    ) -> Result<PriceSuggestion> {
        let work = input.parse().map_err(fault)?;
        let found = price::suggest(app(ctx)?, &work).await.map_err(fault)?;
        Ok(PriceSuggestion {
            hourly: found.hourly.into(),
            total: found.total.map(Into::into),
            base: found.base.into(),
            like_project_count: i32::try_from(found.like_projects).unwrap_or(i32::MAX),
            confidence: found.confidence.into(),
        })
    }
}
