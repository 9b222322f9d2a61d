//! Matches: freelancers for a project, and projects for a freelancer. What they are worth is arithmetic on our own rows,
//! without any service from outside; where there is an assistant, the best are put in order by what their texts mean.
//!
//! Both finders take many at once, with as many statements as for one: they stand below lists. `asker` is whose share of the
//! assistant is used, if it is a person. They decide nothing of who may ask: that is [`crate::policy::Action::ProjectMatchesSee`] and
//! [`crate::policy::Action::PrivateProfileSee`].

use std::collections::{HashMap, HashSet};

use entities::{BudgetType, ProjectId, SkillId, Usdc, UserId};
use sea_orm::{QueryResult, Value};

use crate::{App, error::Result};

mod rows;
pub mod score;
mod semantic;
pub(crate) mod texts;

use score::{Factors, Freelancer, Wanted};

/// So many are looked at for each match, at the most.
const CANDIDATES: usize = 500;

/// What put matches in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// Their scores.
    Score,
    /// What their texts mean; their scores where that is alike.
    Semantic,
}

/// A freelancer or a project that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<I> {
    /// Who, or which.
    pub id: I,
    /// What speaks for it.
    pub factors: Factors,
    /// How much its text means the same, in thousandths. None when it was not compared.
    pub similarity: Option<i32>,
    /// What put it where it stands.
    pub ranked_by: Ranking,
}

/// The best freelancers for some projects, the best first, each with what speaks for them.
///
/// Looked at are up to 500 who are not suspended and have not bid: first those who know most of what the project asks
/// for, then, where they are fewer, the best rated of the others. Four statements, and five more with an assistant,
/// whatever the number of projects.
pub async fn freelancers_for(
    app: &App,
    asker: Option<UserId>,
    projects: &[ProjectId],
) -> Result<HashMap<ProjectId, Vec<Match<UserId>>>> {
    let ids = values(projects.iter().map(|id| id.0));
    let mut asked: HashMap<ProjectId, Wanted> = HashMap::new();
    for row in rows::ask(app, rows::wanted(ids.len()), ids.clone()).await? {
        asked.insert(row.try_get("", "id")?, wanted(&row, row.try_get("", "skills")?)?);
    }
    let mut sharing: HashMap<ProjectId, Vec<(UserId, Freelancer, i64)>> = HashMap::new();
    for row in rows::ask(app, rows::sharing(ids.len(), CANDIDATES), ids.clone()).await? {
        let found = (row.try_get("", "user_id")?, freelancer(&row)?, row.try_get("", "points")?);
        sharing.entry(row.try_get("", "project_id")?).or_default().push(found);
    }
    let mut rated: Vec<(UserId, Freelancer)> = Vec::new();
    for row in rows::ask(app, rows::best_rated(CANDIDATES), Vec::new()).await? {
        rated.push((row.try_get("", "user_id")?, freelancer(&row)?));
    }
    let mut bid: HashSet<(ProjectId, UserId)> = HashSet::new();
    for row in rows::ask(app, rows::bids_of_best_rated(ids.len(), CANDIDATES), ids).await? {
        bid.insert((row.try_get("", "project_id")?, row.try_get("", "user_id")?));
    }

    let mut matches = HashMap::new();
    for (project, wanted) in asked {
        let mut candidates = sharing.remove(&project).unwrap_or_default();
        let known: HashSet<UserId> = candidates.iter().map(|(id, ..)| *id).collect();
        // Everybody who shares a skill stands there already, unless there is no room: the others know none of them.
        let others = rated.iter().filter(|(id, _)| !known.contains(id) && !bid.contains(&(project, *id)));
        let room = CANDIDATES.saturating_sub(candidates.len());
        candidates.extend(others.take(room).map(|(id, freelancer)| (*id, *freelancer, 0)));
        let factors = candidates
            .iter()
            .map(|(id, freelancer, points)| (*id, Factors::of(freelancer, &wanted, *points)));
        matches.insert(project, score::best(factors, semantic::CANDIDATES));
    }
    semantic::rank(app, asker, matches).await
}

/// The best projects for some people, the best first, each with what speaks for it; none for who is no freelancer.
///
/// Looked at are the newest 500 that are OPEN, of clients who are not suspended, and that they have not bid on. Five
/// statements, and five more with an assistant, whatever the number of people.
pub async fn projects_for(
    app: &App,
    asker: Option<UserId>,
    people: &[UserId],
) -> Result<HashMap<UserId, Vec<Match<ProjectId>>>> {
    let ids = values(people.iter().map(|id| id.0));
    let mut freelancers: HashMap<UserId, Freelancer> = HashMap::new();
    for row in rows::ask(app, rows::freelancers(ids.len()), ids.clone()).await? {
        freelancers.insert(row.try_get("", "user_id")?, freelancer(&row)?);
    }
    let mut known: HashMap<UserId, HashMap<SkillId, i64>> = HashMap::new();
    for row in rows::ask(app, rows::known_skills(ids.len()), ids.clone()).await? {
        let proficiency: i32 = row.try_get("", "proficiency")?;
        let of = known.entry(row.try_get("", "user_id")?).or_default();
        of.insert(row.try_get("", "skill_id")?, proficiency.into());
    }
    let mut bids: HashMap<UserId, HashSet<ProjectId>> = HashMap::new();
    for row in rows::ask(app, rows::open_bids(ids.len()), ids).await? {
        bids.entry(row.try_get("", "user_id")?).or_default().insert(row.try_get("", "project_id")?);
    }
    // So many that 500 are left to who bid on the most of them.
    let most = CANDIDATES + bids.values().map(HashSet::len).max().unwrap_or_default();
    let mut skills: HashMap<ProjectId, Vec<SkillId>> = HashMap::new();
    for row in rows::ask(app, rows::skills_of_newest(most), Vec::new()).await? {
        skills.entry(row.try_get("", "project_id")?).or_default().push(row.try_get("", "skill_id")?);
    }
    let mut open: Vec<(ProjectId, Wanted)> = Vec::new();
    for row in rows::ask(app, rows::newest(most), Vec::new()).await? {
        let id: ProjectId = row.try_get("", "id")?;
        let asked_for = i64::try_from(skills.get(&id).map_or(0, Vec::len)).unwrap_or_default();
        open.push((id, wanted(&row, asked_for)?));
    }

    let mut matches = HashMap::new();
    for (person, freelancer) in freelancers {
        let (bids, known) =
            (bids.remove(&person).unwrap_or_default(), known.remove(&person).unwrap_or_default());
        let candidates = open.iter().filter(|(id, _)| !bids.contains(id)).take(CANDIDATES);
        let factors = candidates.map(|(id, wanted)| {
            let asked = skills.get(id).into_iter().flatten();
            let points: i64 = asked.filter_map(|skill| known.get(skill)).sum();
            (*id, Factors::of(&freelancer, wanted, points))
        });
        matches.insert(person, score::best(factors, semantic::CANDIDATES));
    }
    semantic::rank(app, asker, matches).await
}

fn values(ids: impl Iterator<Item = uuid::Uuid>) -> Vec<Value> {
    ids.map(Value::from).collect()
}

fn wanted(row: &QueryResult, skills: i64) -> Result<Wanted> {
    let kind: BudgetType = row.try_get("", "budget_type")?;
    let (least, most): (Usdc, Usdc) = (row.try_get("", "budget_min")?, row.try_get("", "budget_max")?);
    Ok(Wanted { hourly: (kind == BudgetType::Hourly).then_some((least, most)), skills })
}

fn freelancer(row: &QueryResult) -> Result<Freelancer> {
    Ok(Freelancer {
        hourly_rate: row.try_get("", "hourly_rate")?,
        rating: row.try_get("", "rating")?,
        review_count: row.try_get("", "review_count")?,
        running: row.try_get("", "running")?,
        completed: row.try_get("", "completed")?,
        ended: row.try_get("", "ended")?,
    })
}
