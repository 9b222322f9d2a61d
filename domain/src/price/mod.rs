//! What work may cost: a suggestion from our own market, or from a table where there is none yet. It works without any
//! service from outside.

use std::collections::HashSet;

use chrono::Duration;
use entities::{
    BudgetType, CategoryId, ProjectId, SkillId, Usdc, category, contract, project, proposal, skill,
};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use crate::{
    App, Error,
    check::Check,
    error::{Code, Result},
    project::MOST_SKILLS,
};

mod rule;

pub use rule::{Complexity, Confidence, Rates};

/// What counts as the market of today.
pub const MARKET: Duration = Duration::days(90);
/// So many rates, the newest, are looked at, at the most.
const MOST_RATES: u64 = 1_000;
/// The hours that a suggestion is made for, as proposals have them.
const HOURS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// What a suggestion is asked for.
#[derive(Debug, Clone)]
pub struct Work {
    /// Its field; an archived one will do.
    pub category_id: CategoryId,
    /// The skills that it takes, at most 15; one that is named twice counts once.
    pub skill_ids: Vec<SkillId>,
    /// How hard it is.
    pub complexity: Complexity,
    /// For how many hours, 1 to 10,000.
    pub hours: Option<i32>,
}

/// A suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion {
    /// What it was reckoned from: an hour of MODERATE work without a premium.
    pub base: Usdc,
    /// For an hour.
    pub hourly: Rates,
    /// For all the hours, where they are known.
    pub total: Option<Rates>,
    /// How many like projects there are.
    pub like_projects: usize,
    /// How far to trust it.
    pub confidence: Confidence,
}

/// Suggests what to pay, or to ask, for work.
///
/// # Errors
///
/// A category or a skill that is not there, too many skills, or hours out of their limits.
pub async fn suggest(app: &App, work: &Work) -> Result<Suggestion> {
    let mut check = Check::new();
    let few = work.skill_ids.len() <= MOST_SKILLS;
    check.ensure(few, "skillIds", Code::LimitReached, format!("Give at most {MOST_SKILLS} skills."));
    if let Some(hours) = work.hours {
        check.range("hours", hours, HOURS);
    }
    check.done()?;
    let category = category::Entity::find_by_id(work.category_id)
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("categoryId", "category"))?;
    let skills = known_skills(app, &work.skill_ids).await?;
    let rates = market(app, category.id).await?;
    let base = rule::base(&category.slug, &rates);
    let hourly = rule::rates(base, work.complexity, skills)?;
    let total = work.hours.map(|hours| hourly.times(hours)).transpose()?;
    let like_projects = rates.len();
    Ok(Suggestion { base, hourly, total, like_projects, confidence: Confidence::of(like_projects) })
}

/// How many different skills are named; each has to be there.
async fn known_skills(app: &App, ids: &[SkillId]) -> Result<usize> {
    let known: HashSet<SkillId> = skill::Entity::find()
        .select_only()
        .column(skill::Column::Id)
        .filter(skill::Column::Id.is_in(ids.iter().copied()))
        .filter(skill::Column::DeletedAt.is_null())
        .into_tuple::<SkillId>()
        .all(app.db.reader())
        .await?
        .into_iter()
        .collect();
    let mut check = Check::new();
    for (index, id) in ids.iter().enumerate() {
        let field = format!("skillIds.{index}");
        check.ensure(known.contains(id), &field, Code::NotFound, "There is no such skill.");
    }
    check.done()?;
    Ok(known.len())
}

/// What was agreed on for an hour on HOURLY projects of a category whose contract was accepted in the last 90 days: one
/// rate a project, the newest.
async fn market(app: &App, category: CategoryId) -> Result<Vec<Usdc>> {
    let to_project: RelationDef = contract::Entity::belongs_to(project::Entity)
        .from(contract::Column::ProjectId)
        .to(project::Column::Id)
        .into();
    let to_proposal: RelationDef = contract::Entity::belongs_to(proposal::Entity)
        .from(contract::Column::ProposalId)
        .to(proposal::Column::Id)
        .into();
    let found: Vec<(ProjectId, Usdc)> = contract::Entity::find()
        .select_only()
        .column(contract::Column::ProjectId)
        .column(proposal::Column::Bid)
        .join(JoinType::InnerJoin, to_project)
        .join(JoinType::InnerJoin, to_proposal)
        .filter(contract::Column::AcceptedAt.gte(app.clock.now() - MARKET))
        .filter(project::Column::CategoryId.eq(category))
        .filter(project::Column::BudgetType.eq(BudgetType::Hourly))
        .order_by_desc(contract::Column::AcceptedAt)
        .order_by_desc(contract::Column::Id)
        .limit(MOST_RATES)
        .into_tuple()
        .all(app.db.reader())
        .await?;
    let mut seen = HashSet::new();
    Ok(found.into_iter().filter(|(project, _)| seen.insert(*project)).map(|(_, rate)| rate).collect())
}
