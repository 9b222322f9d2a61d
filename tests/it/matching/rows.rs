//! People, projects and contracts as rows: what a match is made of, without the way there.

use chrono::{DateTime, Utc};
use domain::entities::{
    Availability, BudgetType, CategoryId, ContractStatus, ExperienceLevel, ProjectId, ProjectStatus,
    ProposalStatus, Usdc, UserId, contract, project, project_skill, proposal, user, user_skill,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::json;

use crate::support::{Someone, TestApp};

/// Writes a row as it is.
async fn insert<E>(app: &TestApp, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    E::insert(row.into_active_model()).exec_without_returning(app.app.db.writer()).await.unwrap();
}

/// What somebody asks for an hour in micro-USDC, and the mean (in hundredths) and number of their reviews.
pub(super) async fn shape(app: &TestApp, who: &Someone, rate: Option<i64>, rating: i32, reviews: i32) {
    let change = user::ActiveModel {
        id: Set(id(who)),
        hourly_rate: Set(rate.map(Usdc)),
        rating: Set(rating),
        review_count: Set(reviews),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
}

/// Suspends somebody.
pub(super) async fn suspend(app: &TestApp, who: &Someone) {
    let suspended_at = Set(Some(app.app.clock.now()));
    let change = user::ActiveModel { id: Set(id(who)), suspended_at, ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
}

/// Somebody's skill.
pub(super) async fn knows(app: &TestApp, who: &Someone, skill: &str, proficiency: i32) {
    let row = user_skill::Model { user_id: id(who), skill_id: skill.parse().unwrap(), proficiency, years: 3 };
    insert::<user_skill::Entity>(app, row).await;
}

/// What a project row says that tests care about.
pub(super) struct Posted<'a> {
    pub(super) status: ProjectStatus,
    pub(super) kind: BudgetType,
    /// In whole USDC.
    pub(super) budget: (i64, i64),
    pub(super) skills: &'a [String],
    pub(super) category: Option<CategoryId>,
}

impl Posted<'_> {
    /// OPEN and FIXED, asking for nothing.
    pub(super) const OPEN: Self = Posted {
        status: ProjectStatus::Open,
        kind: BudgetType::Fixed,
        budget: (100, 500),
        skills: &[],
        category: None,
    };
}

/// A project.
pub(super) async fn post(app: &TestApp, client: &Someone, posted: Posted<'_>) -> ProjectId {
    let (project_id, now): (ProjectId, _) = (app.app.clock.new_id(), app.app.clock.now());
    let category_id = match posted.category {
        Some(category) => category,
        None => {
            let answer = app.gql("", "{ categories { id } }", json!({})).await;
            answer["data"]["categories"][0]["id"].as_str().unwrap().parse().unwrap()
        }
    };
    let row = project::Model {
        id: project_id,
        client_id: id(client),
        title: "Something to do".to_owned(),
        description: "Something that is described at some length.".to_owned(),
        category_id,
        budget_type: posted.kind,
        budget_min: Usdc::whole(posted.budget.0).unwrap(),
        budget_max: Usdc::whole(posted.budget.1).unwrap(),
        experience_level: ExperienceLevel::Intermediate,
        status: posted.status,
        version: 1,
        published_at: Some(now),
        active_at: now,
        expiry_warned_at: None,
        cancel_reason: None,
        created_at: now,
        updated_at: now,
    };
    insert::<project::Entity>(app, row).await;
    for (position, skill) in (1..).zip(posted.skills) {
        let row = project_skill::Model { project_id, skill_id: skill.parse().unwrap(), position };
        insert::<project_skill::Entity>(app, row).await;
    }
    project_id
}

/// A bid in micro-USDC.
pub(super) async fn bid(
    app: &TestApp,
    freelancer: &Someone,
    project_id: ProjectId,
    bid: i64,
) -> proposal::Model {
    let now = app.app.clock.now();
    let row = proposal::Model {
        id: app.app.clock.new_id(),
        project_id,
        freelancer_id: id(freelancer),
        status: ProposalStatus::Submitted,
        cover_letter: "Let me.".to_owned(),
        bid: Usdc(bid),
        estimated_hours: None,
        availability: Availability::Immediate,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    insert::<proposal::Entity>(app, row.clone()).await;
    row
}

/// A contract in a state, on a project of its own.
pub(super) async fn hired(app: &TestApp, client: &Someone, freelancer: &Someone, status: ContractStatus) {
    let posted = Posted { status: ProjectStatus::InProgress, ..Posted::OPEN };
    let project = post(app, client, posted).await;
    let proposal = bid(app, freelancer, project, 1_000_000).await;
    agree(app, client, &proposal, status, app.app.clock.now()).await;
}

/// A contract on a proposal, accepted at some time.
pub(super) async fn agree(
    app: &TestApp,
    client: &Someone,
    proposal: &proposal::Model,
    status: ContractStatus,
    at: DateTime<Utc>,
) {
    let ended = matches!(status, ContractStatus::Completed | ContractStatus::Terminated);
    let row = contract::Model {
        id: app.app.clock.new_id(),
        project_id: proposal.project_id,
        proposal_id: proposal.id,
        client_id: id(client),
        freelancer_id: proposal.freelancer_id,
        status,
        description: "As described.".to_owned(),
        amount: proposal.bid,
        fee_schedule: 1,
        start_at: None,
        end_at: None,
        lapses_at: app.app.clock.now() + chrono::Duration::days(7),
        version: 1,
        accepted_at: (status != ContractStatus::Pending).then_some(at),
        ended_at: ended.then_some(at),
        end_reason: None,
        ended_by: None,
        paused_at: None,
        created_at: at,
        updated_at: at,
    };
    insert::<contract::Entity>(app, row).await;
}

fn id(who: &Someone) -> UserId {
    who.id.parse().unwrap()
}
