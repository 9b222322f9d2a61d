//! A contract that rests for a while.

use entities::{ContractId, MilestoneStatus, Role, contract, milestone};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{Step, conclude, locked, locked_below_project, moved};
use crate::{
    Actor, App, Code, Tx,
    check::Check,
    error::Result,
    notification::{Notice, notify},
    policy::{self, Action, authorise},
};

/// The client lets the work rest: nothing is funded, handed in or approved until they resume it. Work that is
/// handed in has to be answered first, so that nobody gets around its automatic release.
pub async fn pause(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractPause(&contract), "contractId", "contract")?;
    let mut change = moved(app, &contract, Step::Pause)?;
    require_answered(&tx, id).await?;
    change.paused_at = Set(Some(app.clock.now()));
    let contract = change.update(&*tx).await?;
    let notice = Notice::ContractPaused { contract: id, project: project.title };
    notify(app, &tx, contract.freelancer_id, notice, &format!("{id}:PAUSED:{}", contract.version)).await?;
    tx.commit().await?;
    Ok(contract)
}

/// The client lets the work go on.
pub async fn resume(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let (project, contract) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ContractResume(&contract), "contractId", "contract")?;
    let mut change = moved(app, &contract, Step::Resume)?;
    change.paused_at = Set(None);
    let contract = change.update(&*tx).await?;
    let notice = Notice::ContractResumed { contract: id, project: project.title };
    notify(app, &tx, contract.freelancer_id, notice, &format!("{id}:RESUMED:{}", contract.version)).await?;
    // What was under way when it was paused may have been the last of it.
    conclude(app, &tx, id).await?;
    let contract = locked(&tx, id).await?;
    tx.commit().await?;
    Ok(contract)
}

/// Refuses while work waits for the client's answer, or will again when a refund under way has ended.
async fn require_answered(tx: &Tx, id: ContractId) -> Result<()> {
    let milestones = milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(id))
        .order_by_asc(milestone::Column::Position)
        .all(&**tx)
        .await?;
    let mut check = Check::new();
    for row in milestones {
        let waits = row.status == MilestoneStatus::Submitted;
        let will_wait = row.returns_to == Some(MilestoneStatus::Submitted);
        let message = format!(
            "\"{}\" is {}: answer the work that was handed in before the contract, which is ACTIVE, becomes PAUSED.",
            row.title,
            row.status.as_str(),
        );
        check.ensure(!waits && !will_wait, "contractId", Code::IllegalState, message);
    }
    check.done()
}
