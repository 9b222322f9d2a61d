//! Contracts: offered by a client on a proposal, accepted or not by its freelancer.

use chrono::{DateTime, Duration, Utc};
use entities::{
    ContractId, ContractStatus, MilestoneStatus, Role, Usdc, contract, fee_schedule, milestone, project,
    proposal,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};

use crate::{
    Actor, App, Code, Error, Tx, account,
    check::{Check, in_range},
    error::Result,
    notification::{Notice, notify},
    policy::{self, Action, authorise},
    project as projects, proposal as proposals,
};

mod bonus;
mod cancel;
mod end;
mod find;
mod lapse;
mod list;
mod rest;
pub mod state;

pub use bonus::{Bonus, ContractPayment, bonus};
pub(crate) use cancel::{require_none_live, retract_pending};
pub use end::terminate;
pub(crate) use end::{conclude, end_early, payments_under_way};
pub use find::{Filter, find, of_users, visible};
pub use lapse::{lapse, lapse_overdue};
pub use list::{OrderField, all};
pub use rest::{pause, resume};
use state::Step;

/// How long a freelancer has to answer an offer.
pub const ANSWER_WITHIN: Duration = Duration::days(7);

/// What the client adds to a proposal to make it a contract.
#[derive(Debug, Clone)]
pub struct Terms {
    /// 10 to 10,000 characters.
    pub description: String,
    /// When the work is to begin.
    pub start_at: Option<DateTime<Utc>>,
    /// When it is to be done: after its beginning.
    pub end_at: Option<DateTime<Utc>>,
}

/// Offers a contract on a proposal that was just accepted, over the milestones of its plan, with the fee
/// that is in force now, and tells the freelancer.
pub(crate) async fn offer(
    app: &App,
    tx: &Tx,
    project: &project::Model,
    proposal: &proposal::Model,
    terms: Terms,
) -> Result<contract::Model> {
    let now = app.clock.now();
    let description = check(app, &terms)?;
    let plan = proposals::plan_of(tx, project, proposal).await?;
    let contract = contract::Model {
        id: app.clock.new_id(),
        project_id: project.id,
        proposal_id: proposal.id,
        client_id: project.client_id,
        freelancer_id: proposal.freelancer_id,
        status: ContractStatus::Pending,
        description,
        amount: Usdc::sum(plan.iter().map(|milestone| milestone.amount))?,
        fee_schedule: fee_in_force(&**tx, now).await?.version,
        start_at: terms.start_at,
        end_at: terms.end_at,
        lapses_at: now + ANSWER_WITHIN,
        version: 1,
        accepted_at: None,
        ended_at: None,
        end_reason: None,
        ended_by: None,
        paused_at: None,
        created_at: now,
        updated_at: now,
    };
    contract::Entity::insert(contract.clone().into_active_model()).exec_without_returning(&**tx).await?;
    let milestones = (1_i32..).zip(plan).map(|(position, planned)| {
        milestone::ActiveModel::from(milestone::Model {
            id: app.clock.new_id(),
            contract_id: contract.id,
            position,
            title: planned.title,
            amount: planned.amount,
            status: MilestoneStatus::Pending,
            returns_to: None,
            due_at: planned.due_at,
            auto_release_at: None,
            release_reminded_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    });
    milestone::Entity::insert_many(milestones).exec_without_returning(&**tx).await?;

    let notice = Notice::ContractOffered {
        contract: contract.id,
        project: project.title.clone(),
        client: account::display_name(tx, project.client_id).await?,
        amount: contract.amount,
    };
    notify(app, tx, contract.freelancer_id, notice, &event(&contract)).await?;
    Ok(contract)
}

/// The freelancer accepts: the contract runs, its project starts, the other proposals are rejected.
pub async fn accept(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractAccept(&contract), "contractId", "contract")?;
    answerable(app, &contract, Step::Accept)?;
    let mut change = moved(app, &contract, Step::Accept)?;
    projects::require_open(&project, "contractId")?;
    let message =
        "The client is suspended and could not fund the work; this is possible once they are restored.";
    account::require_not_suspended(&tx, contract.client_id, "contractId", message).await?;
    let project = projects::start(app, &tx, project).await?;
    proposals::reject_live(app, &tx, &project, Some(contract.proposal_id)).await?;
    change.accepted_at = Set(Some(app.clock.now()));
    let contract = change.update(&*tx).await?;
    let freelancer = account::display_name(&tx, contract.freelancer_id).await?;
    let notice = Notice::ContractAccepted { contract: contract.id, project: project.title, freelancer };
    notify(app, &tx, contract.client_id, notice, &event(&contract)).await?;
    tx.commit().await?;
    Ok(contract)
}

/// The freelancer says no. The other proposals stay live.
pub async fn decline(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractDecline(&contract), "contractId", "contract")?;
    answerable(app, &contract, Step::Decline)?;
    let contract = fallen(app, &tx, contract, Step::Decline).await?;
    let freelancer = account::display_name(&tx, contract.freelancer_id).await?;
    let notice = Notice::ContractDeclined { contract: contract.id, project: project.title, freelancer };
    notify(app, &tx, contract.client_id, notice, &event(&contract)).await?;
    tx.commit().await?;
    Ok(contract)
}

/// The client takes an unanswered offer back. The other proposals stay live.
pub async fn retract(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractRetract(&contract), "contractId", "contract")?;
    answerable(app, &contract, Step::Retract)?;
    let contract = fallen(app, &tx, contract, Step::Retract).await?;
    let notice = Notice::ContractRetracted { contract: contract.id, project: project.title };
    notify(app, &tx, contract.freelancer_id, notice, &event(&contract)).await?;
    tx.commit().await?;
    Ok(contract)
}

/// Refuses what an offer's state does not allow, and anything once its seven days are over: it lapses at the next tick.
fn answerable(app: &App, contract: &contract::Model, step: Step) -> Result<()> {
    state::next(contract.status, step)?;
    if contract.lapses_at <= app.clock.now() {
        return Err(Error::rejected("contractId", Code::Expired, "The time to answer this offer is over."));
    }
    Ok(())
}

/// Refuses to accept a proposal while the project has an offer out or a contract running.
pub(crate) async fn require_no_other(
    tx: &Tx,
    project: &project::Model,
    proposal: &proposal::Model,
) -> Result<()> {
    let other = contract::Entity::find()
        .filter(contract::Column::ProjectId.eq(project.id))
        .filter(contract::Column::Status.is_in(state::LIVE))
        .one(&**tx)
        .await?;
    let Some(other) = other else { return Ok(()) };
    let (theirs, from) = (other.status.as_str(), proposal.status.as_str());
    let message = format!(
        "The project has a contract that is {theirs}; until that ends the proposal, which is {from}, cannot become ACCEPTED."
    );
    Err(Error::rejected("proposalId", Code::IllegalState, message))
}

/// A contract and its project, both locked, the project first. Everybody locks in this order: project,
/// contract, then what hangs below it (an amendment, a milestone, its payments), so that nobody waits in a
/// circle.
pub(crate) async fn locked_below_project(
    tx: &Tx,
    id: ContractId,
) -> Result<(project::Model, contract::Model)> {
    let missing = || Error::not_found("contractId", "contract");
    let row = contract::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let project = projects::locked(tx, row.project_id, "contractId", "contract").await?;
    // Read again: it may have changed while we waited for the project.
    let contract = locked(tx, id).await?;
    Ok((project, contract))
}

/// A contract, locked until the transaction ends. Its key stays free, so that whoever only refers to it (a
/// payment that the scanner opens while it holds another) does not wait for us.
pub(crate) async fn locked(tx: &Tx, id: ContractId) -> Result<contract::Model> {
    contract::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::not_found("contractId", "contract"))
}

/// An offer that comes to nothing takes its proposal and its milestones with it.
async fn fallen(app: &App, tx: &Tx, contract: contract::Model, step: Step) -> Result<contract::Model> {
    let mut change = moved(app, &contract, step)?;
    change.ended_at = Set(Some(app.clock.now()));
    let contract = change.update(&**tx).await?;
    cancel_pending(app, tx, contract.id).await?;
    proposals::close(app, tx, contract.proposal_id).await?;
    Ok(contract)
}

/// The milestones that nobody funded end with their contract.
async fn cancel_pending(app: &App, tx: &Tx, id: ContractId) -> Result<()> {
    milestone::Entity::update_many()
        .col_expr(milestone::Column::Status, Expr::value(MilestoneStatus::Cancelled.as_str()))
        .col_expr(milestone::Column::Version, Expr::col(milestone::Column::Version).add(1))
        .col_expr(milestone::Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(milestone::Column::ContractId.eq(id))
        .filter(milestone::Column::Status.eq(MilestoneStatus::Pending))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Refuses what is possible only while the contract runs. `field` names what brought it.
pub(crate) fn require_active(contract: &contract::Model, field: &str) -> Result<()> {
    if contract.status == ContractStatus::Active {
        return Ok(());
    }
    let message =
        format!("The contract is {}; this is possible only while it is ACTIVE.", contract.status.as_str());
    Err(Error::rejected(field, Code::IllegalState, message))
}

/// The contract after a step, to be written with whatever else changes.
pub(crate) fn moved(app: &App, contract: &contract::Model, step: Step) -> Result<contract::ActiveModel> {
    let status = state::next(contract.status, step)?;
    let mut change = contract.clone().into_active_model();
    change.status = Set(status);
    change.version = Set(contract.version + 1);
    change.updated_at = Set(app.clock.now());
    Ok(change)
}

/// The terms' description, trimmed, when all of them hold.
fn check(app: &App, terms: &Terms) -> Result<String> {
    let mut check = Check::new();
    let description = check.text("description", &terms.description, 10..=10_000);
    check.time("startAt", terms.start_at);
    check.time("endAt", terms.end_at);
    // Without a beginning it begins at once.
    let start = terms.start_at.unwrap_or_else(|| app.clock.now());
    let in_order = terms.end_at.is_none_or(|end| end > Ord::max(start, app.clock.now()) || !in_range(end));
    check.ensure(in_order, "endAt", Code::OutOfRange, "Give a time after startAt, and after now.");
    check.done()?;
    Ok(description)
}

/// The fee schedule that new contracts take: the newest in force.
pub async fn fee_in_force(conn: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<fee_schedule::Model> {
    fee_schedule::Entity::find()
        .filter(fee_schedule::Column::EffectiveAt.lte(now))
        .order_by_desc(fee_schedule::Column::EffectiveAt)
        .order_by_desc(fee_schedule::Column::Version)
        .one(conn)
        .await?
        .ok_or_else(|| Error::bug("no fee schedule is in force"))
}

/// The event that people are told of: a contract got into this state.
fn event(contract: &contract::Model) -> String {
    format!("{}:{}", contract.id, contract.status.as_str())
}
