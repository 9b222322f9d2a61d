//! After the decision: the milestone has its end, and the contract goes on, in the transaction of the last payment.
//!
//! That transaction has locked project, contract, milestone and payment, in this order, before it comes here
//! (`payment::record::lock`): so there is no moment between the two ends at which a process could die.

use entities::{
    ContractId, ContractStatus, DisputeId, DisputeStatus, MilestoneStatus, PaymentKind, PaymentStatus, Usdc,
    dispute, milestone, payment,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{find::newest, resolve::AT_REST};
use crate::{
    App, Error, Tx,
    contract::{self as contracts, state::Step as ContractStep},
    error::Result,
    milestone::{self as milestones, state::Step as MilestoneStep},
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
    let under_way = contracts::payments_under_way(tx, id).await?;
    // What is on its way, such as a surplus that goes back, ends too, and then asks again.
    let (0, Some(by)) = (under_way, dispute.resolved_by) else { return Ok(()) };
    let reason = dispute.resolution.unwrap_or_default();
    match contracts::end_early(app, tx, &project, contract.clone(), by, reason).await {
        // A bonus that could not be paid out is still held: money that is final must not depend on that. The contract
        // goes on, and an admin can end it later.
        Err(Error::Rejected { .. }) => {
            contracts::moved(app, &contract, ContractStep::Settle)?.update(&**tx).await?;
            Ok(())
        }
        ended => ended.map(drop),
    }
}
