//! Contracts in the way of what a client wants with their project.

use entities::{ContractStatus, ProjectStatus, contract, project};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{Step, event, fallen, state};
use crate::{
    App, Code, Error, Tx,
    error::Result,
    notification::{Notice, notify},
};

/// Takes back the offer that waits for its answer on a locked project, if there is one, and tells its freelancer.
pub(crate) async fn retract_pending(app: &App, tx: &Tx, project: &project::Model) -> Result<()> {
    let offers = contract::Entity::find()
        .filter(contract::Column::ProjectId.eq(project.id))
        .filter(contract::Column::Status.eq(ContractStatus::Pending))
        .lock_exclusive()
        .all(&**tx)
        .await?;
    for offer in offers {
        let contract = fallen(app, tx, offer, Step::Retract).await?;
        let notice = Notice::ContractRetracted { contract: contract.id, project: project.title.clone() };
        notify(app, tx, contract.freelancer_id, notice, &event(&contract)).await?;
    }
    Ok(())
}

/// Refuses to move a locked project on while a contract on it is offered or running.
pub(crate) async fn require_none_live(tx: &Tx, project: &project::Model, to: ProjectStatus) -> Result<()> {
    let live = contract::Entity::find()
        .filter(contract::Column::ProjectId.eq(project.id))
        .filter(contract::Column::Status.is_in(state::LIVE))
        .one(&**tx)
        .await?;
    let Some(live) = live else { return Ok(()) };
    let first = match live.status {
        ContractStatus::Pending => "take that offer back with contractRetract, or wait for its answer",
        _ => "that has to end",
    };
    let message = format!(
        "The project has a contract that is {}: {first} first. Until then the project, which is {}, cannot become {}.",
        live.status.as_str(),
        project.status.as_str(),
        to.as_str()
    );
    Err(Error::rejected("projectId", Code::IllegalState, message))
}
