//! Proposals: a freelancer bids on a project; the client shortlists, rejects or accepts.

use entities::{
    Availability, BudgetType, ProjectId, ProposalId, ProposalStatus, Role, UploadId, UploadPurpose, Usdc,
    contract, project, proposal, proposed_milestone,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use crate::{
    Actor, App, Error, Tx, account,
    contract::{self as contracts, Terms},
    error::Result,
    invitation,
    notification::{Notice, notify},
    policy::{self, Action, authorise},
    project as projects, upload,
};

mod edit;
mod find;
mod plan;
pub mod state;

pub use edit::{Changes, update};
pub use find::{Filter, Order, OrderField, find, of_freelancers, of_projects, visible};
pub use plan::{MOST_MILESTONES, PlannedMilestone, price};
use state::Step;

/// A bid as its freelancer describes it.
#[derive(Debug, Clone)]
pub struct NewProposal {
    /// On what.
    pub project_id: ProjectId,
    /// 50 to 5,000 characters.
    pub cover_letter: String,
    /// The whole price (fixed, 1 to 1,000,000 USDC) or the rate an hour (hourly, 1 to 1,000 USDC).
    pub bid: Usdc,
    /// Hours, 1 to 10,000: needed for hourly projects and refused for others.
    pub estimated_hours: Option<i32>,
    /// When the freelancer can start.
    pub availability: Availability,
    /// A suggested plan whose amounts make the whole price; may be empty.
    pub milestones: Vec<PlannedMilestone>,
    /// Files of the freelancer's that go with it.
    pub upload_ids: Vec<UploadId>,
}

/// Bids on an open project: once, and never on one's own.
pub async fn submit(app: &App, actor: &Actor, mut input: NewProposal) -> Result<proposal::Model> {
    let freelancer_id = policy::enter(actor, &[Role::Freelancer])?.id;
    let tx = app.db.begin().await?;
    let project = projects::locked(&tx, input.project_id, "projectId", "project").await?;
    authorise(actor, Action::ProjectSee(&project), "projectId", "project")?;
    authorise(actor, Action::ProposalSubmit(&project), "projectId", "project")?;
    projects::require_open(&project, "projectId")?;
    let message = "The project's client is suspended; it takes proposals again once they are restored.";
    account::require_not_suspended(&tx, project.client_id, "projectId", message).await?;
    plan::check(&mut input, project.budget_type)?;

    let now = app.clock.now();
    let proposal = proposal::Model {
        id: app.clock.new_id(),
        project_id: project.id,
        freelancer_id,
        status: ProposalStatus::Submitted,
        cover_letter: input.cover_letter,
        bid: input.bid,
        estimated_hours: input.estimated_hours,
        availability: input.availability,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    proposal::Entity::insert(proposal.clone().into_active_model())
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| Error::taken(error, "projectId", "You have a proposal on this project already."))?;
    plan::store(app, &tx, proposal.id, input.milestones).await?;
    let (purpose, subject) = (UploadPurpose::ProposalAttachment, proposal.id.to_string());
    upload::attach(app, &tx, actor, purpose, &input.upload_ids, &subject, "uploadIds").await?;
    invitation::accept(app, &tx, &proposal).await?;

    projects::touch(app, &tx, project.id).await?;
    let freelancer = account::display_name(&tx, freelancer_id).await?;
    let notice = Notice::ProposalReceived { proposal: proposal.id, project: project.title, freelancer };
    notify(app, &tx, project.client_id, notice, &event(&proposal)).await?;
    tx.commit().await?;
    Ok(proposal)
}

/// Puts a proposal on the shortlist, or takes it off again.
pub async fn shortlist(app: &App, actor: &Actor, id: ProposalId, on: bool) -> Result<proposal::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, proposal) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ProposalShortlist(&project), "proposalId", "proposal")?;
    let step = if on { Step::Shortlist } else { Step::Unshortlist };
    let proposal = moved(app, &tx, proposal, step).await?;
    projects::touch(app, &tx, project.id).await?;
    if on {
        let notice = Notice::ProposalShortlisted { proposal: proposal.id, project: project.title };
        notify(app, &tx, proposal.freelancer_id, notice, &event(&proposal)).await?;
    }
    tx.commit().await?;
    Ok(proposal)
}

/// The client decides against a proposal.
pub async fn reject(app: &App, actor: &Actor, id: ProposalId) -> Result<proposal::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, proposal) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ProposalReject(&project), "proposalId", "proposal")?;
    let proposal = rejected(app, &tx, &project, proposal).await?;
    projects::touch(app, &tx, project.id).await?;
    tx.commit().await?;
    Ok(proposal)
}

/// The freelancer takes their proposal back. It stays on record, so they cannot bid on that project again.
pub async fn withdraw(app: &App, actor: &Actor, id: ProposalId) -> Result<proposal::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (_, proposal) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ProposalWithdraw(&proposal), "proposalId", "proposal")?;
    let proposal = moved(app, &tx, proposal, Step::Withdraw).await?;
    tx.commit().await?;
    Ok(proposal)
}

/// Accepts a proposal: its freelancer is offered a contract over its plan. Two accepts at once wait for
/// each other at the project's row: the second finds the offer of the first.
pub async fn accept(
    app: &App,
    actor: &Actor,
    id: ProposalId,
    terms: Terms,
) -> Result<(proposal::Model, contract::Model)> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, proposal) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ProposalAccept(&project), "proposalId", "proposal")?;
    projects::require_open(&project, "proposalId")?;
    contracts::require_no_other(&tx, &project, &proposal).await?;
    let message =
        "The freelancer is suspended and could not accept; this is possible once they are restored.";
    account::require_not_suspended(&tx, proposal.freelancer_id, "proposalId", message).await?;
    let proposal = moved(app, &tx, proposal, Step::Accept).await?;
    let contract = contracts::offer(app, &tx, &project, &proposal, terms).await?;
    // An offer lapses long before the project: none is overtaken by its project's end.
    projects::touch(app, &tx, project.id).await?;
    tx.commit().await?;
    Ok((proposal, contract))
}

/// Rejects what is still live on a locked project, but for the proposal whose contract was accepted, and tells the
/// freelancers.
pub(crate) async fn reject_live(
    app: &App,
    tx: &Tx,
    project: &project::Model,
    winner: Option<ProposalId>,
) -> Result<()> {
    let losers = proposal::Entity::find()
        .filter(proposal::Column::ProjectId.eq(project.id))
        .filter(Condition::all().add_option(winner.map(|winner| proposal::Column::Id.ne(winner))))
        .filter(proposal::Column::Status.is_in(state::LIVE))
        .order_by_asc(proposal::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    for loser in losers {
        rejected(app, tx, project, loser).await?;
    }
    Ok(())
}

/// Closes the proposal of an offer that was declined, retracted or lapsed.
pub(crate) async fn close(app: &App, tx: &Tx, id: ProposalId) -> Result<()> {
    let proposal = proposal::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::bug("a contract without its proposal"))?;
    moved(app, tx, proposal, Step::Close).await.map(drop)
}

/// What a proposal plans, in order; without a plan, one milestone of the whole price.
pub(crate) async fn plan_of(
    tx: &Tx,
    project: &project::Model,
    proposal: &proposal::Model,
) -> Result<Vec<PlannedMilestone>> {
    let plan = suggested(tx, proposal.id).await?;
    if plan.is_empty() {
        let amount = price(project.budget_type, proposal.bid, proposal.estimated_hours)?;
        let title = match project.budget_type {
            BudgetType::Fixed => "The whole project",
            BudgetType::Hourly => "All hours",
        };
        return Ok(vec![PlannedMilestone { title: title.to_owned(), amount, due_at: None }]);
    }
    Ok(plan)
}

/// The milestones that a proposal suggests, in order; there may be none.
async fn suggested(tx: &Tx, id: ProposalId) -> Result<Vec<PlannedMilestone>> {
    let rows = proposed_milestone::Entity::find()
        .filter(proposed_milestone::Column::ProposalId.eq(id))
        .order_by_asc(proposed_milestone::Column::Position)
        .all(&**tx)
        .await?;
    let planned = |row: proposed_milestone::Model| PlannedMilestone {
        title: row.title,
        amount: row.amount,
        due_at: row.due_at,
    };
    Ok(rows.into_iter().map(planned).collect())
}

/// A proposal and its project, both locked, the project first.
async fn locked_below_project(tx: &Tx, id: ProposalId) -> Result<(project::Model, proposal::Model)> {
    let missing = || Error::not_found("proposalId", "proposal");
    let row = proposal::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let project = projects::locked(tx, row.project_id, "proposalId", "proposal").await?;
    // Read again: it may have changed while we waited for the project.
    let proposal = proposal::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?.ok_or_else(missing)?;
    Ok((project, proposal))
}

async fn rejected(
    app: &App,
    tx: &Tx,
    project: &project::Model,
    proposal: proposal::Model,
) -> Result<proposal::Model> {
    let proposal = moved(app, tx, proposal, Step::Reject).await?;
    let notice = Notice::ProposalRejected { proposal: proposal.id, project: project.title.clone() };
    notify(app, tx, proposal.freelancer_id, notice, &event(&proposal)).await?;
    Ok(proposal)
}

async fn moved(app: &App, tx: &Tx, proposal: proposal::Model, step: Step) -> Result<proposal::Model> {
    let status = state::next(proposal.status, step)?;
    let version = proposal.version + 1;
    let mut change = proposal.into_active_model();
    change.status = Set(status);
    change.version = Set(version);
    change.updated_at = Set(app.clock.now());
    Ok(change.update(&**tx).await?)
}

/// The event that people are told of: a proposal got into this state. Shortlisting it twice tells once.
fn event(proposal: &proposal::Model) -> String {
    format!("{}:{}", proposal.id, proposal.status.as_str())
}
