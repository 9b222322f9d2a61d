//! The decision: so much back to the client, the rest released, in one step.

use entities::{DisputeId, MilestoneStatus, PaymentKind, Usdc, contract, dispute, milestone};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    event,
    record::{self, Locked},
    review::{admin, impartial},
    state::Step,
};
use crate::{
    Actor, App, Error, Person, Tx, audit,
    check::Check,
    error::{Code, Result},
    idempotency::{self, Claim},
    milestone::{basis_points, in_escrow},
    money::Split,
    notification::{Notice, notify},
    payment::{self, NewPayment, open_part},
};

/// What an admin decides.
#[derive(Debug, Clone)]
pub struct Resolution<'a> {
    /// Which dispute.
    pub dispute: DisputeId,
    /// How much goes back to the client: from nothing to all that is in escrow. The rest is released.
    pub refund: Usdc,
    /// Why, 10 to 5,000 characters; both sides read it.
    pub reasons: &'a str,
    /// Whether the contract ends with it.
    pub ends_contract: bool,
    /// The caller's key.
    pub key: &'a str,
}

/// An admin decides: both payments are queued, and what they will have moved decides the milestone's end.
/// The fee is taken on the freelancer's part only.
pub async fn resolve(app: &App, actor: &Actor, ask: Resolution<'_>) -> Result<DisputeId> {
    let key = idempotency::parse_key(ask.key)?;
    let mut check = Check::new();
    let reasons = check.text("resolution", ask.reasons, 10..=5_000);
    let sensible = ask.refund >= Usdc::ZERO;
    check.ensure(sensible, "refundAmount", Code::OutOfRange, "Give an amount of 0 or more.");
    check.done()?;
    let (admin, id) = (admin(actor)?, ask.dispute);
    let tx = app.db.begin().await?;
    let input = json!({
        "disputeId": id, "refundAmount": ask.refund, "resolution": reasons, "endContract": ask.ends_contract,
    });
    let ticket = match idempotency::claim(app, &tx, admin.id, "disputeResolve", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let Locked { contract, milestone, dispute } = record::lock_all(&tx, id).await?;
    impartial(actor, &contract)?;
    super::state::next(dispute.status, Step::Resolve)?;
    let escrow = in_escrow(&tx, milestone.id).await?;
    let release = remainder(escrow, ask.refund)?;
    let now = app.clock.now();
    let dispute = record::step(app, &tx, &dispute, Step::Resolve, |row| {
        row.resolved_by = Set(Some(admin.id));
        row.resolution = Set(Some(reasons.clone()));
        row.refund_amount = Set(Some(ask.refund));
        row.release_amount = Set(Some(release));
        row.ends_contract = Set(ask.ends_contract);
        row.ended_at = Set(Some(now));
    })
    .await?;
    if ask.ends_contract {
        nothing_else(&tx, &milestone).await?;
    }
    pay(app, &tx, admin, &contract, &dispute, Split::without_fee(ask.refund), PaymentKind::Refund).await?;
    let split = Split::of(release, basis_points(&tx, contract.fee_schedule).await?)?;
    pay(app, &tx, admin, &contract, &dispute, split, PaymentKind::Release).await?;
    for to in [contract.client_id, contract.freelancer_id] {
        let notice = Notice::DisputeResolved {
            dispute: id,
            title: milestone.title.clone(),
            refunded: ask.refund,
            released: release,
            resolution: reasons.clone(),
        };
        notify(app, &tx, to, notice, &event(&dispute)).await?;
    }
    let facts = json!({
        "refundAmount": ask.refund.to_decimal().to_string(),
        "releaseAmount": release.to_decimal().to_string(),
        "endContract": ask.ends_contract,
    });
    audit::record(app, &tx, actor, "dispute.resolve", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// What is released when so much goes back.
fn remainder(escrow: Usdc, refund: Usdc) -> Result<Usdc> {
    if !escrow.is_positive() {
        let message = "Nothing is in escrow for this milestone: there is nothing to divide.";
        return Err(Error::rejected("disputeId", Code::IllegalState, message));
    }
    if refund > escrow {
        let message = format!("There are {escrow} in escrow for this milestone; give at most that.");
        return Err(Error::rejected("refundAmount", Code::OutOfRange, message));
    }
    Ok(escrow.minus(refund)?)
}

/// A contract ends only when no other milestone has money in escrow or on its way.
async fn nothing_else(tx: &Tx, disputed: &milestone::Model) -> Result<()> {
    let other = milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(disputed.contract_id))
        .filter(milestone::Column::Id.ne(disputed.id))
        .filter(milestone::Column::Status.is_not_in(AT_REST))
        .one(&**tx)
        .await?;
    let Some(other) = other else { return Ok(()) };
    let message = format!(
        "The milestone \"{}\" is {}: the contract, which is DISPUTED, cannot become TERMINATED before that is settled. Resolve without ending it.",
        other.title,
        other.status.as_str()
    );
    Err(Error::rejected("endContract", Code::IllegalState, message))
}

/// The states in which a milestone holds no money and waits for none.
pub(super) const AT_REST: [MilestoneStatus; 5] = [
    MilestoneStatus::Pending,
    MilestoneStatus::Paid,
    MilestoneStatus::Refunded,
    MilestoneStatus::Split,
    MilestoneStatus::Cancelled,
];

/// Queues one part of the resolution, if there is anything in it.
async fn pay(
    app: &App,
    tx: &Tx,
    admin: &Person,
    contract: &contract::Model,
    dispute: &dispute::Model,
    split: Split,
    kind: PaymentKind,
) -> Result<()> {
    if !split.gross.is_positive() {
        return Ok(());
    }
    let refund = kind == PaymentKind::Refund;
    let (client, freelancer) = (contract.client_id, contract.freelancer_id);
    let (payer, payee) = if refund { (freelancer, client) } else { (client, freelancer) };
    let new = NewPayment {
        kind,
        contract: Some(contract.id),
        milestone: Some(dispute.milestone_id),
        payer: Some(payer),
        payee: Some(payee),
        started_by: Some(admin.id),
        split,
        reason: dispute.resolution.clone().filter(|_| refund),
        linked: if refund { payment::deposit_of(tx, dispute.milestone_id).await? } else { None },
        dispute: Some(dispute.id),
        destination: None,
    };
    // Both parts are one decision: whoever divides does not go below the limit for approvals by it.
    let decided = Usdc::sum([dispute.refund_amount, dispute.release_amount].into_iter().flatten())?;
    if refund {
        return payment::refund::open(app, tx, new, decided).await.map(drop);
    }
    let payment = open_part(app, tx, new, decided).await?;
    payment::reserve(app, tx, &payment).await
}
