//! Projects: posted by a client, open for proposals, then under contract.

use std::collections::HashSet;

use entities::{
    BudgetType, CategoryId, ExperienceLevel, ProjectId, ProjectStatus, Role, SkillId, UploadId,
    UploadPurpose, Usdc, category, project, project_skill, skill,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use crate::{
    Actor, App, Code, Error, Tx,
    check::Check,
    error::Result,
    invitation,
    policy::{self, Action, authorise},
    search, upload,
};

mod edit;
mod expiry;
mod find;
mod life;
pub mod state;

pub use edit::{Changes, delete, update};
pub(crate) use expiry::touch;
pub use expiry::{EXPIRES_AFTER, WARNED_BEFORE, expire_idle, expires_at, warn_idle};
pub(crate) use find::visible_by_id;
pub use find::{Filter, Order, OrderField, find, list, of_clients, visible};
pub use life::{cancel, hold, renew, reopen};
use state::Step;

/// How many skills a project asks for at the most.
pub const MOST_SKILLS: usize = 15;

/// A project as its client describes it.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// 5 to 200 characters.
    pub title: String,
    /// 30 to 10,000 characters.
    pub description: String,
    /// One of the table's.
    pub category_id: CategoryId,
    /// At most [`MOST_SKILLS`], each once.
    pub skill_ids: Vec<SkillId>,
    /// Whether the budget is for the whole or an hour.
    pub budget_type: BudgetType,
    /// More than nothing.
    pub budget_min: Usdc,
    /// Not less than the least.
    pub budget_max: Usdc,
    /// The experience asked for.
    pub experience_level: ExperienceLevel,
    /// Whether it opens at once, or stays a draft.
    pub publish: bool,
    /// Files of the client's that go with it.
    pub upload_ids: Vec<UploadId>,
}

/// Posts a project, or keeps it as a draft.
pub async fn create(app: &App, actor: &Actor, mut input: NewProject) -> Result<project::Model> {
    authorise(actor, Action::ProjectCreate, "", "project")?;
    let client_id = actor.signed_in()?.id;
    check(&mut input)?;
    let now = app.clock.now();
    let status =
        if input.publish { state::next(ProjectStatus::Draft, Step::Publish)? } else { ProjectStatus::Draft };
    let project = project::Model {
        id: app.clock.new_id(),
        client_id,
        title: input.title,
        description: input.description,
        category_id: input.category_id,
        budget_type: input.budget_type,
        budget_min: input.budget_min,
        budget_max: input.budget_max,
        experience_level: input.experience_level,
        status,
        version: 1,
        published_at: input.publish.then_some(now),
        active_at: now,
        expiry_warned_at: None,
        cancel_reason: None,
        created_at: now,
        updated_at: now,
    };

    let tx = app.db.begin().await?;
    check_references(&tx, Some(input.category_id), &input.skill_ids).await?;
    project::Entity::insert(project.clone().into_active_model()).exec_without_returning(&*tx).await?;
    search::index_project(&*tx, &project).await?;
    add_skills(&tx, project.id, &input.skill_ids).await?;
    let (purpose, subject) = (UploadPurpose::ProjectFile, project.id.to_string());
    upload::attach(app, &tx, actor, purpose, &input.upload_ids, &subject, "uploadIds").await?;
    tx.commit().await?;
    Ok(project)
}

/// Opens a draft for proposals.
pub async fn publish(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    authorise(actor, Action::ProjectPublish(&project), "projectId", "project")?;
    let status = state::next(project.status, Step::Publish)?;
    let mut change = moved(app, project, status);
    change.published_at = Set(Some(app.clock.now()));
    expiry::awake(app, &mut change);
    let project = change.update(&*tx).await?;
    tx.commit().await?;
    Ok(project)
}

/// Starts a project whose contract was accepted, within that transaction.
pub(crate) async fn start(app: &App, tx: &Tx, project: project::Model) -> Result<project::Model> {
    let status = state::next(project.status, Step::Start)?;
    invitation::close(app, tx, project.id).await?;
    Ok(moved(app, project, status).update(&**tx).await?)
}

/// Ends a project whose contract is complete, within that transaction.
pub(crate) async fn complete(app: &App, tx: &Tx, project: project::Model) -> Result<project::Model> {
    let status = state::next(project.status, Step::Complete)?;
    Ok(moved(app, project, status).update(&**tx).await?)
}

/// A project, locked until the transaction ends. Whoever locks a project and something below it locks the
/// project first: that order keeps two transactions from waiting for each other. `field` and `thing` name
/// what the caller asked for, when it is not there.
pub(crate) async fn locked(tx: &Tx, id: ProjectId, field: &str, thing: &str) -> Result<project::Model> {
    project::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::not_found(field, thing))
}

/// Refuses a project that takes no proposals and gives no contracts now. `field` names what brought it.
pub(crate) fn require_open(project: &project::Model, field: &str) -> Result<()> {
    if project.status == ProjectStatus::Open {
        return Ok(());
    }
    let message =
        format!("The project is {}; this is possible only while it is OPEN.", project.status.as_str());
    Err(Error::rejected(field, Code::IllegalState, message))
}

fn moved(app: &App, project: project::Model, status: ProjectStatus) -> project::ActiveModel {
    let version = project.version + 1;
    let mut change = project.into_active_model();
    change.status = Set(status);
    change.version = Set(version);
    change.updated_at = Set(app.clock.now());
    change
}

fn check(input: &mut NewProject) -> Result<()> {
    let mut check = Check::new();
    input.title = check.line("title", &input.title, 5..=200);
    input.description = check.text("description", &input.description, 30..=10_000);
    let positive = input.budget_min.is_positive();
    check.ensure(positive, "budgetMin", Code::OutOfRange, "Give more than 0.");
    let ordered = input.budget_min <= input.budget_max;
    check.ensure(ordered, "budgetMax", Code::OutOfRange, "Give at least as much as budgetMin.");
    let few = input.skill_ids.len() <= MOST_SKILLS;
    check.ensure(few, "skillIds", Code::LimitReached, format!("Give at most {MOST_SKILLS} skills."));
    let mut seen = HashSet::new();
    for (index, id) in input.skill_ids.iter().enumerate() {
        check.ensure(seen.insert(id), &format!("skillIds.{index}"), Code::Invalid, "Name each skill once.");
    }
    check.done()
}

/// Whether the category and the skills that were chosen are there; what is missing is named one by one.
async fn check_references(tx: &Tx, category: Option<CategoryId>, skills: &[SkillId]) -> Result<()> {
    let mut check = Check::new();
    let chosen = match category {
        Some(id) => category::Entity::find_by_id(id).one(&**tx).await?.map(Some),
        None => Some(None),
    };
    match chosen {
        None => check.problem("categoryId", Code::NotFound, "There is no such category."),
        Some(Some(category)) if category.archived_at.is_some() => {
            let message = format!("The category {} is archived: choose another one.", category.name);
            check.problem("categoryId", Code::IllegalState, message);
        }
        Some(_) => {}
    }
    let known: HashSet<SkillId> = skill::Entity::find()
        .filter(skill::Column::Id.is_in(skills.iter().copied()))
        .filter(skill::Column::DeletedAt.is_null())
        .all(&**tx)
        .await?
        .into_iter()
        .map(|skill| skill.id)
        .collect();
    for (index, id) in skills.iter().enumerate() {
        let field = format!("skillIds.{index}");
        check.ensure(known.contains(id), &field, Code::NotFound, "There is no such skill.");
    }
    check.done()
}

async fn add_skills(tx: &Tx, project_id: ProjectId, skills: &[SkillId]) -> Result<()> {
    if skills.is_empty() {
        return Ok(());
    }
    let rows = (1_i32..).zip(skills).map(|(position, skill)| project_skill::ActiveModel {
        project_id: Set(project_id),
        skill_id: Set(*skill),
        position: Set(position),
    });
    project_skill::Entity::insert_many(rows).exec_without_returning(&**tx).await?;
    Ok(())
}
