//! What the ends of a bonus' two payments do: its deposit, and the payout that follows. Both belong to a
//! contract and to no milestone.

use entities::{PaymentKind, contract, payment, project};
use sea_orm::EntityTrait;

use super::{NewPayment, open_outgoing, reserve};
use crate::{
    App, Error, Tx,
    error::Result,
    milestone::basis_points,
    money::Split,
    notification::{Notice, notify},
};

/// The deposit is credited: the same transaction queues the bonus to the freelancer, less the contract's fee.
pub(super) async fn paid_in(app: &App, tx: &Tx, deposit: &payment::Model) -> Result<()> {
    let (contract, project) = contract_of(tx, deposit).await?;
    let new = NewPayment {
        kind: PaymentKind::Bonus,
        contract: Some(contract.id),
        milestone: None,
        payer: Some(contract.client_id),
        payee: Some(contract.freelancer_id),
        started_by: deposit.started_by,
        split: Split::of(deposit.amount, basis_points(tx, contract.fee_schedule).await?)?,
        reason: deposit.reason.clone(),
        linked: Some(deposit.id),
        dispute: None,
        destination: None,
    };
    let bonus = open_outgoing(app, tx, new).await?;
    reserve(app, tx, &bonus).await?;

    let event = format!("{}:COMPLETED:{}", deposit.id, deposit.version);
    let what = format!("the deposit for a bonus on \"{}\"", project.title);
    let done = Notice::PaymentCompleted { payment: deposit.id, what, amount: deposit.amount };
    notify(app, tx, contract.client_id, done, &event).await?;
    let coming = Notice::BonusComing {
        payment: bonus.id,
        project: project.title,
        net: bonus.net,
        note: bonus.reason.clone(),
    };
    notify(app, tx, contract.freelancer_id, coming, &event).await
}

/// The deposit did not arrive in time: there is no bonus, and what came goes back.
pub(super) async fn expired(app: &App, tx: &Tx, deposit: &payment::Model) -> Result<()> {
    let (contract, project) = contract_of(tx, deposit).await?;
    let notice = Notice::BonusExpired { payment: deposit.id, project: project.title, amount: deposit.amount };
    notify(app, tx, contract.client_id, notice, &format!("{}:EXPIRED", deposit.id)).await
}

/// The payout is final.
pub(super) async fn paid_out(app: &App, tx: &Tx, bonus: &payment::Model) -> Result<()> {
    let (contract, project) = contract_of(tx, bonus).await?;
    let event = format!("{}:COMPLETED", bonus.id);
    for (person, amount) in [(contract.freelancer_id, bonus.net), (contract.client_id, bonus.amount)] {
        let what = format!("a bonus on \"{}\"", project.title);
        let notice = Notice::PaymentCompleted { payment: bonus.id, what, amount };
        notify(app, tx, person, notice, &event).await?;
    }
    Ok(())
}

async fn contract_of(tx: &Tx, payment: &payment::Model) -> Result<(contract::Model, project::Model)> {
    let missing = || Error::bug("a bonus without its contract");
    let id = payment.contract_id.ok_or_else(missing)?;
    let contract = contract::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    let project = project::Entity::find_by_id(contract.project_id).one(&**tx).await?.ok_or_else(missing)?;
    Ok((contract, project))
}
