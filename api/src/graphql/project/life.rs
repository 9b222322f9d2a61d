//! What a client does with a project once it is posted.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{entities::ProjectId, project as projects};

use super::ProjectPayload;
use crate::{
    error::{UserError, answer},
    graphql::{
        enums::{BudgetType, ExperienceLevel},
        scalars::MoneyInput,
        support::{actor, app, parse_id, parse_ids},
    },
};

/// What to change of a project. What is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct ProjectUpdateInput {
    /// One of your projects, DRAFT, OPEN or ON_HOLD, `prj_...`.
    pub project_id: ID,
    /// What it is, in a line: 5 to 200 characters.
    pub title: Option<String>,
    /// What is to be done: 30 to 10,000 characters.
    pub description: Option<String>,
    /// The field that it belongs to, one of `categories`.
    pub category_id: Option<ID>,
    /// The skills that it asks for, all of them anew, the most wanted first: at most 15, each once.
    pub skill_ids: Option<Vec<ID>>,
    /// Whether the budget is one price for the whole or a rate an hour. It stays once there was a proposal.
    pub budget_type: Option<BudgetType>,
    /// The least that you mean to pay, more than 0.
    pub budget_min: Option<MoneyInput>,
    /// The most that you mean to pay, at least `budgetMin`.
    pub budget_max: Option<MoneyInput>,
    /// The experience that it asks for.
    pub experience_level: Option<ExperienceLevel>,
    /// Files to add: your own uploads for PROJECT_FILE, READY; at most ten in all.
    pub upload_ids: Option<Vec<ID>>,
}

impl ProjectUpdateInput {
    fn parse(self) -> domain::Result<(ProjectId, projects::Changes)> {
        let changes = projects::Changes {
            title: self.title,
            description: self.description,
            category_id: self.category_id.map(|id| parse_id("categoryId", &id)).transpose()?,
            skill_ids: self.skill_ids.map(|ids| parse_ids("skillIds", &ids)).transpose()?,
            budget_type: self.budget_type.map(Into::into),
            budget_min: self.budget_min.map(|money| money.parse("budgetMin")).transpose()?,
            budget_max: self.budget_max.map(|money| money.parse("budgetMax")).transpose()?,
            experience_level: self.experience_level.map(Into::into),
            upload_ids: parse_ids("uploadIds", &self.upload_ids.unwrap_or_default())?,
        };
        Ok((parse_id("projectId", &self.project_id)?, changes))
    }
}

/// Which project to put on hold.
#[derive(Debug, InputObject)]
pub struct ProjectHoldInput {
    /// One of your OPEN projects, `prj_...`.
    pub project_id: ID,
}

/// Which project to open again.
#[derive(Debug, InputObject)]
pub struct ProjectReopenInput {
    /// One of your projects that is ON_HOLD, `prj_...`.
    pub project_id: ID,
}

/// Which project to renew.
#[derive(Debug, InputObject)]
pub struct ProjectRenewInput {
    /// One of your EXPIRED projects, `prj_...`.
    pub project_id: ID,
}

/// Which project to give up, and why.
#[derive(Debug, InputObject)]
pub struct ProjectCancelInput {
    /// One of your projects, DRAFT, OPEN, ON_HOLD or IN_PROGRESS, `prj_...`.
    pub project_id: ID,
    /// Why, at most 2,000 characters. Who sees the project may read it.
    pub reason: Option<String>,
}

/// Which project to delete.
#[derive(Debug, InputObject)]
pub struct ProjectDeleteInput {
    /// One of your projects that never had a proposal, `prj_...`.
    pub project_id: ID,
}

/// What was deleted, or why nothing was.
#[derive(Debug, SimpleObject)]
pub struct ProjectDeletePayload {
    /// The id that the project had; null when something has to be mended first.
    pub deleted_project_id: Option<ID>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What a client does with a project once it is posted.
#[derive(Debug, Default)]
pub struct ProjectLifeMutation;

#[Object]
impl ProjectLifeMutation {
    /// Changes a project while it is DRAFT, OPEN or ON_HOLD. For its client.
    async fn project_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: ProjectUpdateInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let (id, changes) = input.parse()?;
            projects::update(app, actor, id, changes).await
        };
        ProjectPayload::of(result.await)
    }

    /// Takes no proposals for a while: OPEN becomes ON_HOLD. What was proposed stays. Not while an offer waits for its
    /// answer. For its client.
    async fn project_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProjectHoldInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        ProjectPayload::of(async { projects::hold(app, actor, id?).await }.await)
    }

    /// Takes proposals again: ON_HOLD becomes OPEN. For its client.
    async fn project_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProjectReopenInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        ProjectPayload::of(async { projects::reopen(app, actor, id?).await }.await)
    }

    /// Offers an expired project again, for another sixty days: EXPIRED becomes OPEN, with the proposals that it had.
    /// For its client.
    async fn project_renew(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProjectRenewInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        ProjectPayload::of(async { projects::renew(app, actor, id?).await }.await)
    }

    /// Gives a project up, for good: DRAFT, OPEN, ON_HOLD or IN_PROGRESS becomes CANCELLED. An offer that waits for its
    /// answer is taken back, live proposals are REJECTED, and their freelancers are told. A project IN_PROGRESS can be
    /// cancelled only once no contract on it runs: end that first. For its client.
    async fn project_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: ProjectCancelInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        ProjectPayload::of(async { projects::cancel(app, actor, id?, input.reason).await }.await)
    }

    /// Deletes a project that never had a proposal, with its files. One that had stays on record: cancel it. For its
    /// client.
    async fn project_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProjectDeleteInput,
    ) -> Result<ProjectDeletePayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        let (deleted, user_errors) = answer(async { projects::delete(app, actor, id?).await }.await)?;
        let deleted_project_id = deleted.map(|id| id.to_string().into());
        Ok(ProjectDeletePayload { deleted_project_id, user_errors })
    }
}
