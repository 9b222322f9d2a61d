//! After the decision: the milestone has its end, and the contract goes on, in the transaction of the last payment.
//!
//! That transaction has locked project, contract, milestone and payment, in this order, before it comes here
//! (`payment::record::lock`): so there is no moment between the two ends at which a process could die.

use entities::{
    ContractId, ContractStatus, DisputeId, DisputeStatus, MilestoneStatus, PaymentKind, PaymentStatus, Usdc,
    contract, dispute, milestone, payment, project,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

use super::{find::newest, resolve::AT_REST};
use crate::{
    App, Error, Tx,
    contract::{self as contracts, state::Step as ContractStep},
    error::Result,
    milestone::{self as milestones, state::Step as MilestoneStep},
    notification::{Notice, notify},
};

/// A payment of a resolution is final: once all of them are, the milestone has its end. A failed one counts for
/// nothing, whoever tries it again.
pub(crate) async fn payment_completed(
    app: &App,
    tx: &Tx,
    id: DisputeId,
    milestone: &milestone::Model,
) -> Result<()> {
    let dispute = dispute::Entity::find_by_id(id).one(&**tx).await?;
    let dispute = dispute.ok_or_else(|| Error::bug("a payment without its dispute"))?;
    let (Some(refund), Some(release)) = (dispute.refund_amount, dispute.release_amount) else {
        return Err(Error::bug("a dispute without its amounts"));
    };
    let moved = payment::Entity::find()
        .filter(payment::Column::DisputeId.eq(id))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .all(&**tx)
        .await?;
    let sum = |kind| Usdc::sum(moved.iter().filter(|row| row.kind == kind).map(|row| row.amount));
    if sum(PaymentKind::Refund)? < refund || sum(PaymentKind::Release)? < release {
        return Ok(());
    }
    let step = match (refund.is_positive(), release.is_positive()) {
        (true, true) => MilestoneStep::ResolveSplit,
        (true, false) => MilestoneStep::ResolveRefunded,
        (false, _) => MilestoneStep::ResolvePaid,
    };
    milestones::step(app, tx, milestone, step, |row| row.returns_to = Set(None)).await.map(drop)
}

/// A payment on the contract has ended, whatever it was for: if the money of the newest dispute's resolution has
/// moved, the contract goes on, or ends when that was decided and nothing else is under way. The project and
/// the contract are locked already.
pub(crate) async fn contract_goes_on(app: &App, tx: &Tx, id: ContractId) -> Result<()> {
    let (project, contract) = contracts::locked_below_project(tx, id).await?;
    if contract.status != ContractStatus::Disputed {
        return Ok(());
    }
    let newest = newest(&**tx, &[id]).await?.pop();
    let Some(dispute) = newest.filter(|row| row.status == DisputeStatus::Resolved) else { return Ok(()) };
    let rows = milestone::Entity::find().filter(milestone::Column::ContractId.eq(id)).all(&**tx).await?;
    if rows.iter().any(|row| row.status == MilestoneStatus::Disputed) {
        return Ok(());
    }
    if !dispute.ends_contract || rows.iter().any(|row| !AT_REST.contains(&row.status)) {
        contracts::moved(app, &contract, ContractStep::Settle)?.update(&**tx).await?;
        return Ok(());
    }
    let under_way = payment::Entity::find()
        .filter(payment::Column::ContractId.eq(id))
        .filter(payment::Column::Status.is_not_in(FINAL))
        .count(&**tx)
        .await?;
    // What is on its way, such as a surplus that goes back, ends too, and then asks again.
    if under_way == 0 { end(app, tx, &project, &contract, &dispute).await } else { Ok(()) }
}

/// Payments in these states move no more.
const FINAL: [PaymentStatus; 3] = [PaymentStatus::Completed, PaymentStatus::Failed, PaymentStatus::Expired];

/// The contract ends with its dispute: what was not begun is dropped, both parties are told.
async fn end(
    app: &App,
    tx: &Tx,
    project: &project::Model,
    contract: &contract::Model,
    dispute: &dispute::Model,
) -> Result<()> {
    let now = app.clock.now();
    let reason = dispute.resolution.clone().unwrap_or_default();
    let mut change = contracts::moved(app, contract, ContractStep::Terminate)?;
    change.ended_at = Set(Some(now));
    change.end_reason = Set(Some(reason.clone()));
    change.ended_by = Set(dispute.resolved_by);
    change.update(&**tx).await?;
    milestone::Entity::update_many()
        .col_expr(milestone::Column::Status, Expr::value(MilestoneStatus::Cancelled.as_str()))
        .col_expr(milestone::Column::Version, Expr::col(milestone::Column::Version).add(1))
        .col_expr(milestone::Column::UpdatedAt, Expr::value(now))
        .filter(milestone::Column::ContractId.eq(contract.id))
        .filter(milestone::Column::Status.eq(MilestoneStatus::Pending))
        .exec(&**tx)
        .await?;
    for to in [contract.client_id, contract.freelancer_id] {
        let notice = Notice::ContractTerminated {
            contract: contract.id,
            project: project.title.clone(),
            reason: reason.clone(),
        };
        notify(app, tx, to, notice, &format!("{}:TERMINATED", contract.id)).await?;
    }
    Ok(())
}
