//! Saving projects and freelancers, to find them again.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::{
    entities::{project, user},
    saved,
};

use super::{
    project::Project,
    support::{actor, app, parse_id},
    user::User,
};
use crate::error::{UserError, answer};

/// Which project to save.
#[derive(Debug, InputObject)]
pub struct SavedProjectAddInput {
    /// A project that you may see, `prj_...`.
    pub project_id: ID,
}

/// Which project to forget.
#[derive(Debug, InputObject)]
pub struct SavedProjectRemoveInput {
    /// A project, `prj_...`.
    pub project_id: ID,
}

/// Which freelancer to save.
#[derive(Debug, InputObject)]
pub struct SavedFreelancerAddInput {
    /// A freelancer other than you, `usr_...`.
    pub freelancer_id: ID,
}

/// Which freelancer to forget.
#[derive(Debug, InputObject)]
pub struct SavedFreelancerRemoveInput {
    /// A freelancer, `usr_...`.
    pub freelancer_id: ID,
}

/// The project that was saved or forgotten, or why not.
#[derive(Debug, SimpleObject)]
pub struct SavedProjectPayload {
    /// The project; null when something has to be mended first.
    pub project: Option<Project>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl SavedProjectPayload {
    fn of(result: domain::Result<project::Model>) -> Result<Self> {
        let (project, user_errors) = answer(result)?;
        Ok(Self { project: project.map(Project), user_errors })
    }
}

/// The freelancer who was saved or forgotten, or why not.
#[derive(Debug, SimpleObject)]
pub struct SavedFreelancerPayload {
    /// The freelancer; null when something has to be mended first.
    pub freelancer: Option<User>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl SavedFreelancerPayload {
    fn of(result: domain::Result<user::Model>) -> Result<Self> {
        let (freelancer, user_errors) = answer(result)?;
        Ok(Self { freelancer: freelancer.map(User), user_errors })
    }
}

/// Saving and forgetting.
#[derive(Debug, Default)]
pub struct SavedMutation;

#[Object]
impl SavedMutation {
    /// Saves a project, so that `savedProjects` of yours lists it. Nobody else is told. Doing it again changes
    /// nothing. For everybody with a proven e-mail address.
    async fn saved_project_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: SavedProjectAddInput,
    ) -> Result<SavedProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        SavedProjectPayload::of(async { saved::project_add(app, actor, id?).await }.await)
    }

    /// Forgets a saved project. Doing it again changes nothing.
    async fn saved_project_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: SavedProjectRemoveInput,
    ) -> Result<SavedProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        SavedProjectPayload::of(async { saved::project_remove(app, actor, id?).await }.await)
    }

    /// Saves a freelancer, so that `savedFreelancers` of yours lists them. Nobody is told. Doing it again changes
    /// nothing. For everybody with a proven e-mail address.
    async fn saved_freelancer_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which freelancer.")] input: SavedFreelancerAddInput,
    ) -> Result<SavedFreelancerPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("freelancerId", &input.freelancer_id);
        SavedFreelancerPayload::of(async { saved::freelancer_add(app, actor, id?).await }.await)
    }

    /// Forgets a saved freelancer. Doing it again changes nothing.
    async fn saved_freelancer_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which freelancer.")] input: SavedFreelancerRemoveInput,
    ) -> Result<SavedFreelancerPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("freelancerId", &input.freelancer_id);
        SavedFreelancerPayload::of(async { saved::freelancer_remove(app, actor, id?).await }.await)
    }
}
