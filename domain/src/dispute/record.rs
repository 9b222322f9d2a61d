//! How a dispute and what it holds fast are locked and written.
//!
//! The contract is locked before its milestone, the milestone before the dispute.

use entities::{DisputeId, MilestoneId, contract, dispute, milestone};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, QuerySelect};

use super::state::{self, Step};
use crate::{App, Error, Tx, contract as contracts, error::Result, payment::record::lock_milestone};

/// A dispute with what it holds fast.
pub(super) struct Locked {
    pub(super) contract: contract::Model,
    pub(super) milestone: milestone::Model,
    pub(super) dispute: dispute::Model,
}

/// A milestone and its contract, both locked, the contract first.
pub(super) async fn lock_below_contract(
    tx: &Tx,
    id: MilestoneId,
) -> Result<(contract::Model, milestone::Model)> {
    let missing = || Error::not_found("milestoneId", "milestone");
    // A milestone never changes its contract.
    let glance = milestone::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let contract = contracts::locked(tx, glance.contract_id).await?;
    Ok((contract, lock_milestone(tx, id).await?))
}

/// A dispute alone, locked.
pub(super) async fn lock(tx: &Tx, id: DisputeId) -> Result<dispute::Model> {
    let row = dispute::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    row.ok_or_else(missing)
}

/// A dispute with its contract and its milestone, all locked.
pub(super) async fn lock_all(tx: &Tx, id: DisputeId) -> Result<Locked> {
    let glance = dispute::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let (contract, milestone) = lock_below_contract(tx, glance.milestone_id).await?;
    Ok(Locked { contract, milestone, dispute: lock(tx, id).await? })
}

/// The contract of a dispute, to know its parties, who never change.
pub(super) async fn contract_of(tx: &Tx, dispute: &dispute::Model) -> Result<contract::Model> {
    let row = contract::Entity::find_by_id(dispute.contract_id).one(&**tx).await?;
    row.ok_or_else(|| Error::bug("a dispute without its contract"))
}

fn missing() -> Error {
    Error::not_found("disputeId", "dispute")
}

/// Takes a step and writes it, with whatever else changes.
pub(super) async fn step(
    app: &App,
    tx: &Tx,
    dispute: &dispute::Model,
    step: Step,
    edit: impl FnOnce(&mut dispute::ActiveModel) + Send,
) -> Result<dispute::Model> {
    let to = state::next(dispute.status, step)?;
    let mut change = dispute::ActiveModel {
        id: Set(dispute.id),
        status: Set(to),
        version: Set(dispute.version + 1),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    edit(&mut change);
    let row = change.update(&**tx).await?;
    tracing::info!(dispute = %row.id, from = dispute.status.as_str(), to = to.as_str(), "dispute moved");
    Ok(row)
}
