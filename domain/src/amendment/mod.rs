//! Amendments: a contract changes only when both sides agree. One proposes, the other accepts or rejects.

use entities::{
    AmendmentId, AmendmentStatus, ContractId, Role, UserId, amendment_change, contract, contract_amendment,
    milestone, project,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, SqlErr,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Actor, App, Code, Error, Tx, account, contract as contracts,
    error::Result,
    notification::{Notice, notify},
    policy::{self, Action, authorise},
};

mod apply;
mod draft;
mod find;
pub mod state;

pub use draft::{MOST_MILESTONES, MilestoneChange, NewAmendment};
pub use find::{changes_of, of_contracts, visible};
use state::Step;

/// Either side proposes a change of a contract that runs. One is open at a time.
pub async fn propose(app: &App, actor: &Actor, mut input: NewAmendment) -> Result<contract_amendment::Model> {
    let person = policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    draft::check(&mut input)?;
    let tx = app.db.begin().await?;
    let (project, contract) = contracts::locked_below_project(&tx, input.contract_id).await?;
    authorise(actor, Action::ContractAmend(&contract), "contractId", "contract")?;
    contracts::require_active(&contract, "contractId")?;
    if open_one(&tx, contract.id).await?.is_some() {
        return Err(one_is_open());
    }
    let milestones = milestones_of(&tx, contract.id).await?;
    let reason = input.reason.clone();
    let draft = draft::draft(app, input, &contract, &milestones)?;
    let now = app.clock.now();
    let amendment = contract_amendment::Model {
        id: app.clock.new_id(),
        contract_id: contract.id,
        proposed_by: person.id,
        status: AmendmentStatus::Proposed,
        reason,
        description: draft.description,
        end_at: draft.end_at,
        amount_before: contract.amount,
        amount: draft.amount,
        version: 1,
        answered_at: None,
        created_at: now,
        updated_at: now,
    };
    let insert = contract_amendment::Entity::insert(amendment.clone().into_active_model());
    // The contract's lock lets one at a time through; the database's own guard says the same.
    insert.exec_without_returning(&*tx).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => one_is_open(),
        _ => error.into(),
    })?;
    let rows = (1_i32..).zip(draft.lines).map(|(position, line)| amendment_change::ActiveModel {
        id: Set(app.clock.new_id()),
        amendment_id: Set(amendment.id),
        position: Set(position),
        kind: Set(line.kind),
        milestone_id: Set(line.milestone),
        title: Set(line.title),
        amount: Set(line.amount),
        due_at: Set(line.due_at),
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        amendment_change::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    }
    let notice = Notice::AmendmentProposed {
        contract: contract.id,
        project: project.title,
        by: account::display_name(&tx, person.id).await?,
        amount: amendment.amount,
    };
    notify(app, &tx, other_than(&contract, person.id), notice, &event(&amendment)).await?;
    tx.commit().await?;
    Ok(amendment)
}

/// The other party agrees: everything that the amendment says happens at once, or, when one of its milestones
/// was touched meanwhile, nothing.
pub async fn accept(app: &App, actor: &Actor, id: AmendmentId) -> Result<contract_amendment::Model> {
    let person = policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, contract, amendment) = open(&tx, id).await?;
    authorise(actor, Action::AmendmentAnswer(&contract, &amendment), "amendmentId", "amendment")?;
    let amendment = moved(app, &tx, amendment, Step::Accept).await?;
    contracts::require_active(&contract, "amendmentId")?;
    let contract = apply::apply(app, &tx, contract, &amendment).await?;
    let notice = Notice::AmendmentAccepted {
        contract: contract.id,
        project: project.title,
        by: account::display_name(&tx, person.id).await?,
        amount: contract.amount,
    };
    notify(app, &tx, amendment.proposed_by, notice, &event(&amendment)).await?;
    // What it dropped may have been all that was left to do.
    contracts::conclude(app, &tx, contract.id).await?;
    tx.commit().await?;
    Ok(amendment)
}

/// The other party says no: the contract stays as it is.
pub async fn reject(app: &App, actor: &Actor, id: AmendmentId) -> Result<contract_amendment::Model> {
    let person = policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, contract, amendment) = open(&tx, id).await?;
    authorise(actor, Action::AmendmentAnswer(&contract, &amendment), "amendmentId", "amendment")?;
    let amendment = moved(app, &tx, amendment, Step::Reject).await?;
    let by = account::display_name(&tx, person.id).await?;
    let notice = Notice::AmendmentRejected { contract: contract.id, project: project.title, by };
    notify(app, &tx, amendment.proposed_by, notice, &event(&amendment)).await?;
    tx.commit().await?;
    Ok(amendment)
}

/// Who proposed it takes it back before it is answered.
pub async fn withdraw(app: &App, actor: &Actor, id: AmendmentId) -> Result<contract_amendment::Model> {
    let person = policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, contract, amendment) = open(&tx, id).await?;
    authorise(actor, Action::AmendmentWithdraw(&contract, &amendment), "amendmentId", "amendment")?;
    let amendment = moved(app, &tx, amendment, Step::Withdraw).await?;
    let by = account::display_name(&tx, person.id).await?;
    let notice = Notice::AmendmentWithdrawn { contract: contract.id, project: project.title, by };
    notify(app, &tx, other_than(&contract, person.id), notice, &event(&amendment)).await?;
    tx.commit().await?;
    Ok(amendment)
}

/// A contract that ends takes its open amendment with it. The contract is locked.
pub(crate) async fn close_open(app: &App, tx: &Tx, contract: ContractId) -> Result<()> {
    use contract_amendment::Column;
    let now = app.clock.now();
    contract_amendment::Entity::update_many()
        .col_expr(Column::Status, Expr::value(AmendmentStatus::Withdrawn.as_str()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::AnsweredAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::ContractId.eq(contract))
        .filter(Column::Status.eq(AmendmentStatus::Proposed))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// An amendment below its contract and its project, all locked, in that order from the top.
async fn open(
    tx: &Tx,
    id: AmendmentId,
) -> Result<(project::Model, contract::Model, contract_amendment::Model)> {
    let missing = || Error::not_found("amendmentId", "amendment");
    let glance = contract_amendment::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let (project, contract) = contracts::locked_below_project(tx, glance.contract_id).await?;
    let amendment =
        contract_amendment::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?.ok_or_else(missing)?;
    Ok((project, contract, amendment))
}

async fn open_one(tx: &Tx, contract: ContractId) -> Result<Option<contract_amendment::Model>> {
    Ok(contract_amendment::Entity::find()
        .filter(contract_amendment::Column::ContractId.eq(contract))
        .filter(contract_amendment::Column::Status.eq(AmendmentStatus::Proposed))
        .one(&**tx)
        .await?)
}

fn one_is_open() -> Error {
    let message = "The contract has a change that is PROPOSED; until that is answered or withdrawn no other becomes PROPOSED.";
    Error::rejected("contractId", Code::IllegalState, message)
}

/// All milestones of a contract, in order, locked: their contract is locked already.
async fn milestones_of(tx: &Tx, contract: ContractId) -> Result<Vec<milestone::Model>> {
    Ok(milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(contract))
        .order_by_asc(milestone::Column::Position)
        .lock_exclusive()
        .all(&**tx)
        .await?)
}

async fn moved(
    app: &App,
    tx: &Tx,
    amendment: contract_amendment::Model,
    step: Step,
) -> Result<contract_amendment::Model> {
    let status = state::next(amendment.status, step)?;
    let (version, now) = (amendment.version + 1, app.clock.now());
    let mut change = amendment.into_active_model();
    change.status = Set(status);
    change.version = Set(version);
    change.answered_at = Set(Some(now));
    change.updated_at = Set(now);
    Ok(change.update(&**tx).await?)
}

fn other_than(contract: &contract::Model, person: UserId) -> UserId {
    if person == contract.client_id { contract.freelancer_id } else { contract.client_id }
}

/// The event that people are told of: an amendment got into this state.
fn event(amendment: &contract_amendment::Model) -> String {
    format!("{}:{}", amendment.id, amendment.status.as_str())
}
