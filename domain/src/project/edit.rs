//! Changing how a project is described, and deleting one that nobody bid on.

use entities::{
    BudgetType, CategoryId, ExperienceLevel, ProjectId, ProjectStatus, Role, SkillId, UploadId,
    UploadPurpose, Usdc, invitation, project, project_skill, proposal, saved_project,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder,
};

use super::{NewProject, add_skills, check, check_references, expiry, locked};
use crate::{
    Actor, App, Code, Error, Tx,
    error::Result,
    policy::{self, Action, authorise},
    search, upload,
};

/// What changes; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// 5 to 200 characters.
    pub title: Option<String>,
    /// 30 to 10,000 characters.
    pub description: Option<String>,
    /// One of the table's.
    pub category_id: Option<CategoryId>,
    /// All of them, anew.
    pub skill_ids: Option<Vec<SkillId>>,
    /// Not once there was a proposal.
    pub budget_type: Option<BudgetType>,
    /// More than nothing.
    pub budget_min: Option<Usdc>,
    /// Not less than the least.
    pub budget_max: Option<Usdc>,
    /// The experience asked for.
    pub experience_level: Option<ExperienceLevel>,
    /// Files to add.
    pub upload_ids: Vec<UploadId>,
}

/// Changes a DRAFT, OPEN or ON_HOLD project. How it pays stays once there was a proposal: bids are made for that.
pub async fn update(app: &App, actor: &Actor, id: ProjectId, changes: Changes) -> Result<project::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    authorise(actor, Action::ProjectUpdate(&project), "projectId", "project")?;
    require_editable(&project)?;
    let skills = match changes.skill_ids.clone() {
        Some(skills) => skills,
        None => skills_of(&tx, id).await?,
    };
    let mut whole = NewProject {
        title: changes.title.unwrap_or_else(|| project.title.clone()),
        description: changes.description.unwrap_or_else(|| project.description.clone()),
        category_id: changes.category_id.unwrap_or(project.category_id),
        skill_ids: skills,
        budget_type: changes.budget_type.unwrap_or(project.budget_type),
        budget_min: changes.budget_min.unwrap_or(project.budget_min),
        budget_max: changes.budget_max.unwrap_or(project.budget_max),
        experience_level: changes.experience_level.unwrap_or(project.experience_level),
        publish: false,
        upload_ids: changes.upload_ids,
    };
    check(&mut whole)?;
    if whole.budget_type != project.budget_type && proposals_on(&tx, id).await? > 0 {
        let message = "The project has had proposals, which were made for the way it pays: that stays.";
        return Err(Error::rejected("budgetType", Code::IllegalState, message));
    }
    // What stays may have been archived meanwhile; what is chosen now may not.
    let chosen = changes.skill_ids.as_deref().unwrap_or_default();
    let moved_to = changes.category_id.filter(|category| *category != project.category_id);
    check_references(&tx, moved_to, chosen).await?;
    if changes.skill_ids.is_some() {
        project_skill::Entity::delete_many()
            .filter(project_skill::Column::ProjectId.eq(id))
            .exec(&*tx)
            .await?;
        add_skills(&tx, id, &whole.skill_ids).await?;
    }
    let subject = id.to_string();
    let (purpose, files) = (UploadPurpose::ProjectFile, &whole.upload_ids);
    upload::attach(app, &tx, actor, purpose, files, &subject, "uploadIds").await?;

    let mut change = project.into_active_model();
    change.title = Set(whole.title);
    change.description = Set(whole.description);
    change.category_id = Set(whole.category_id);
    change.budget_type = Set(whole.budget_type);
    change.budget_min = Set(whole.budget_min);
    change.budget_max = Set(whole.budget_max);
    change.experience_level = Set(whole.experience_level);
    change.updated_at = Set(app.clock.now());
    expiry::awake(app, &mut change);
    let project = change.update(&*tx).await?;
    search::index_project(&*tx, &project).await?;
    tx.commit().await?;
    Ok(project)
}

/// Deletes a project that never had a proposal, with everything that hangs on it: its files, the invitations to it, and
/// the marks of who saved it.
pub async fn delete(app: &App, actor: &Actor, id: ProjectId) -> Result<ProjectId> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    authorise(actor, Action::ProjectDelete(&project), "projectId", "project")?;
    if proposals_on(&tx, id).await? > 0 {
        let message = "The project has had a proposal, so it stays on record: cancel it with projectCancel.";
        return Err(Error::rejected("projectId", Code::IllegalState, message));
    }
    upload::give_up(app, &tx, &id.to_string(), &[], "The project was deleted.").await?;
    project_skill::Entity::delete_many().filter(project_skill::Column::ProjectId.eq(id)).exec(&*tx).await?;
    saved_project::Entity::delete_many().filter(saved_project::Column::ProjectId.eq(id)).exec(&*tx).await?;
    invitation::Entity::delete_many().filter(invitation::Column::ProjectId.eq(id)).exec(&*tx).await?;
    project::Entity::delete_by_id(id).exec(&*tx).await?;
    tx.commit().await?;
    Ok(id)
}

fn require_editable(project: &project::Model) -> Result<()> {
    use ProjectStatus::{Draft, OnHold, Open};
    if matches!(project.status, Draft | Open | OnHold) {
        return Ok(());
    }
    let message = format!(
        "The project is {}; it can be changed only while it is DRAFT, OPEN or ON_HOLD.",
        project.status.as_str()
    );
    Err(Error::rejected("projectId", Code::IllegalState, message))
}

/// How many proposals a project has ever had: none is ever deleted.
async fn proposals_on(tx: &Tx, id: ProjectId) -> Result<u64> {
    Ok(proposal::Entity::find().filter(proposal::Column::ProjectId.eq(id)).count(&**tx).await?)
}

async fn skills_of(tx: &Tx, id: ProjectId) -> Result<Vec<SkillId>> {
    let rows = project_skill::Entity::find()
        .filter(project_skill::Column::ProjectId.eq(id))
        .order_by_asc(project_skill::Column::Position)
        .all(&**tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.skill_id).collect())
}
