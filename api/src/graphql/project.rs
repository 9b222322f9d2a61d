//! Projects.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::project,
    policy::{Action, can},
    project as projects, proposal as proposals,
};

use super::{
    category::Category,
    connection::{Listing, connect, connect_below, list_cost, page},
    contract::Contract,
    enums::{BudgetType, ExperienceLevel, InvitationStatus, ProjectStatus},
    invitation::{Invitation, statuses},
    matching::FreelancerMatch,
    proposal::{
        Proposal,
        list::{ProposalFilter, ProposalOrder},
    },
    scalars::{Money, MoneyInput},
    skill::Skill,
    support::{actor, app, parse_id, parse_ids},
    upload::{Upload, of_subject},
    user::User,
};
use crate::{
    error::{UserError, answer, fault, found},
    loaders::{
        ContractOf, FreelancersFor, ProjectSavedBy, ProposalCountOf, SkillsOf, load, load_if_any,
        load_or_default,
    },
};

pub mod life;
pub mod list;

use list::{ProjectFilter, ProjectOrder};

/// Work that a client posted for freelancers to bid on.
#[derive(Debug, Clone)]
pub struct Project(pub project::Model);

/// Work that a client posted for freelancers to bid on.
#[Object]
impl Project {
    /// The project's id, `prj_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is, in a line.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What is to be done.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Where it is in its life.
    async fn status(&self) -> ProjectStatus {
        self.0.status.into()
    }

    /// The field that it belongs to.
    async fn category(&self, ctx: &Context<'_>) -> Result<Category> {
        load(ctx, self.0.category_id).await.map(Category)
    }

    /// The skills that it asks for, the client's most wanted first.
    async fn skills(&self, ctx: &Context<'_>) -> Result<Vec<Skill>> {
        Ok(load_or_default(ctx, SkillsOf(self.0.id)).await?.into_iter().map(Skill).collect())
    }

    /// Whether the budget is one price for the whole or a rate an hour.
    async fn budget_type(&self) -> BudgetType {
        self.0.budget_type.into()
    }

    /// The least that the client means to pay: for the whole, or an hour.
    async fn budget_min(&self) -> Money {
        self.0.budget_min.into()
    }

    /// The most that the client means to pay: for the whole, or an hour.
    async fn budget_max(&self) -> Money {
        self.0.budget_max.into()
    }

    /// The experience that it asks for.
    async fn experience_level(&self) -> ExperienceLevel {
        self.0.experience_level.into()
    }

    /// Who posted it.
    async fn client(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.client_id).await.map(User)
    }

    /// How many proposals it has had. Everybody may know.
    async fn proposal_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = load_or_default(ctx, ProposalCountOf(self.0.id)).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// The proposals that you may see: all of them for its client and for admins, your own
    /// for a freelancer, none for anybody else.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public field")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<ProposalFilter>,
        #[graphql(desc = "In which order; newest first when left out.")] order_by: Option<ProposalOrder>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Proposal>> {
        let filter = filter.map(Into::into).unwrap_or_default();
        let order = order_by.map(Into::into).unwrap_or_default();
        let list = proposals::of_projects(actor(ctx)?, &filter, order);
        connect_below(ctx, list, self.0.id.0, page(first, after, last, before), Proposal).await
    }

    /// The contract on it, offered, running or over. Null when there is none, or when you are no party.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        let contract = load_if_any(ctx, ContractOf(self.0.id)).await?;
        let actor = actor(ctx)?;
        Ok(contract.filter(|contract| can(actor, Action::ContractSee(contract)).is_ok()).map(Contract))
    }

    /// Whom its client invited to bid, the newest first: for its client and for admins, empty for everybody else.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those in one of these states.")] status: Option<Vec<InvitationStatus>>,
    ) -> Result<Listing<Invitation>> {
        let list = domain::invitation::of_projects(actor(ctx)?, &statuses(status));
        connect_below(ctx, list, self.0.id.0, page(first, after, last, before), Invitation).await
    }

    /// The freelancers who fit it, the best first: up to ten whose score is above 0.3. Looked at are up to 500 who are
    /// not suspended and have not bid on it: first those who know most of what it asks for, then the best rated. Null
    /// unless you are its client, or an administrator. It works by itself, without OPENAI_API_KEY; with it the thirty
    /// best by score are put in order by what their texts mean, as `rankedBy` says.
    #[graphql(complexity = "100 + 10 * child_complexity")]
    async fn matches(&self, ctx: &Context<'_>) -> Result<Option<Vec<FreelancerMatch>>> {
        let actor = actor(ctx)?;
        if can(actor, Action::ProjectMatchesSee(&self.0)).is_err() {
            return Ok(None);
        }
        let found = load_or_default(ctx, FreelancersFor(self.0.id, actor.user_id())).await?;
        Ok(Some(found.into_iter().map(FreelancerMatch).collect()))
    }

    /// Whether you saved it; false when you are not signed in.
    async fn is_saved(&self, ctx: &Context<'_>) -> Result<bool> {
        let Some(viewer) = actor(ctx)?.user_id() else { return Ok(false) };
        load_or_default(ctx, ProjectSavedBy(viewer, self.0.id)).await
    }

    /// When it was first opened for proposals; null for a draft.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }

    /// When it expires unless something happens on it, which every change, proposal and shortlisting is; null when it is not
    /// OPEN.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        projects::expires_at(&self.0)
    }

    /// Why its client gave it up; null when it is not CANCELLED or nothing was said. Who sees the project may read it.
    async fn cancel_reason(&self) -> Option<&str> {
        self.0.cancel_reason.as_deref()
    }

    /// The files that go with it: for its client, and for a freelancer with a contract on it; empty for everybody
    /// else.
    #[graphql(complexity = "2 + 10 * child_complexity")]
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<Upload>> {
        of_subject(ctx, self.0.id).await
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Reading projects.
#[derive(Debug, Default)]
pub struct ProjectQuery;

#[Object]
impl ProjectQuery {
    /// A project; null when it is not there, or a draft of somebody else's.
    async fn project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `prj_...`.")] id: ID,
    ) -> Result<Option<Project>> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let found = found(async { projects::find(app, actor, parse_id("id", &id)?).await }.await)?;
        Ok(found.map(Project))
    }

    /// The projects that you may see: everybody's but their drafts, and all of your own.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public field")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<ProjectFilter>,
        #[graphql(
            desc = "In which order. When left out: the most relevant first with a search, else the newest."
        )]
        order_by: Option<ProjectOrder>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Project>> {
        let (app, filter) = (app(ctx)?, filter.unwrap_or_default().parse().map_err(fault)?);
        let list = projects::list(app, actor(ctx)?, &filter, order_by.map(Into::into)).map_err(fault)?;
        connect(app, list, page(first, after, last, before), Project).await
    }
}

/// A project as its client describes it.
#[derive(Debug, InputObject)]
pub struct ProjectCreateInput {
    /// What it is, in a line: 5 to 200 characters.
    pub title: String,
    /// What is to be done: 30 to 10,000 characters.
    pub description: String,
    /// The field that it belongs to, one of `categories`.
    pub category_id: ID,
    /// The skills that it asks for, the most wanted first: at most 15, each once.
    pub skill_ids: Option<Vec<ID>>,
    /// Whether the budget is one price for the whole or a rate an hour.
    pub budget_type: BudgetType,
    /// The least that you mean to pay, more than 0.
    pub budget_min: MoneyInput,
    /// The most that you mean to pay, at least `budgetMin`.
    pub budget_max: MoneyInput,
    /// The experience that it asks for.
    pub experience_level: ExperienceLevel,
    /// True opens it for proposals at once; otherwise it stays a draft until `projectPublish`.
    pub publish: Option<bool>,
    /// Files that go with it: your own uploads for PROJECT_FILE, READY.
    pub upload_ids: Option<Vec<ID>>,
}

impl ProjectCreateInput {
    fn parse(self) -> domain::Result<projects::NewProject> {
        Ok(projects::NewProject {
            category_id: parse_id("categoryId", &self.category_id)?,
            skill_ids: parse_ids("skillIds", &self.skill_ids.unwrap_or_default())?,
            upload_ids: parse_ids("uploadIds", &self.upload_ids.unwrap_or_default())?,
            budget_min: self.budget_min.parse("budgetMin")?,
            budget_max: self.budget_max.parse("budgetMax")?,
            title: self.title,
            description: self.description,
            budget_type: self.budget_type.into(),
            experience_level: self.experience_level.into(),
            publish: self.publish.unwrap_or(false),
        })
    }
}

/// Which draft to open.
#[derive(Debug, InputObject)]
pub struct ProjectPublishInput {
    /// One of your drafts, `prj_...`.
    pub project_id: ID,
}

/// The project after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct ProjectPayload {
    /// The project; null when something has to be mended first.
    pub project: Option<Project>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ProjectPayload {
    fn of(result: domain::Result<project::Model>) -> Result<Self> {
        let (project, user_errors) = answer(result)?;
        Ok(Self { project: project.map(Project), user_errors })
    }
}

/// Changing projects.
#[derive(Debug, Default)]
pub struct ProjectMutation;

#[Object]
impl ProjectMutation {
    /// Posts a project, or keeps it as a draft. For clients with a proven e-mail address.
    async fn project_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project.")] input: ProjectCreateInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        ProjectPayload::of(async { projects::create(app, actor, input.parse()?).await }.await)
    }

    /// Opens a draft for proposals: DRAFT becomes OPEN. For its client.
    async fn project_publish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which draft.")] input: ProjectPublishInput,
    ) -> Result<ProjectPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("projectId", &input.project_id);
        ProjectPayload::of(async { projects::publish(app, actor, id?).await }.await)
    }
}
