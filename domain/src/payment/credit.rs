//! What a deposit's end does: the money is in escrow, or goes back to who sent it.

use entities::{
    ChainTransferStatus, LedgerTransferKind, PaymentKind, Usdc, chain_transfer, milestone, payment,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    NewPayment, bonus, open_outgoing, record,
    settle::{TREASURY, ended, held_in},
    state::Step,
};
use crate::{
    App, Error, Tx,
    error::Result,
    ledger::{self, Account},
    milestone as milestones,
    milestone::state::Step as MilestoneStep,
    money::Split,
    notification::{Notice, notify},
};

/// Less of something does not go back: that would cost more gas than it is worth.
pub(crate) const SMALLEST_RETURN: Usdc = Usdc(Usdc::SCALE);

/// A deposit has its confirmations: the money is in escrow, and what came beyond it is the payer's.
pub(super) async fn credit(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    arrived: &[chain_transfer::Model],
    received: Usdc,
) -> Result<()> {
    let payer = payment.payer_id.ok_or_else(|| Error::bug("a deposit without its payer"))?;
    let surplus = received.minus(payment.amount)?;
    let now = app.clock.now();
    let payment =
        record::step(app, tx, payment, Step::Credit, |row| row.completed_at = Set(Some(now))).await?;
    mark(app, tx, arrived, ChainTransferStatus::Credited).await?;
    let back = back_to_senders(arrived, surplus)?;
    let lines = [
        (TREASURY, received),
        (held_in(&payment)?, payment.amount.negated()?),
        (Account::Payable(payer), back.returned.negated()?),
        (Account::Unallocated, back.left.negated()?),
    ];
    // The version is part of the key: after a reorg the same deposit may be credited again.
    let key = format!("{}:CREDITED:{}", payment.id, payment.version);
    ledger::post(app, tx, LedgerTransferKind::DepositCredited, &key, Some(payment.id), &lines).await?;
    give_back(app, tx, &payment, back).await?;
    match milestone {
        Some(milestone) => funded(app, tx, &payment, &milestone).await,
        None => bonus::paid_in(app, tx, &payment).await,
    }
}

async fn funded(app: &App, tx: &Tx, payment: &payment::Model, milestone: &milestone::Model) -> Result<()> {
    let milestone = milestones::step(app, tx, milestone, MilestoneStep::Credited, |_| ()).await?;
    let parties = milestones::parties(tx, &milestone).await?;
    let event = format!("{}:COMPLETED:{}", payment.id, payment.version);
    let what = format!("the deposit for \"{}\"", milestone.title);
    let done = Notice::PaymentCompleted { payment: payment.id, what, amount: payment.amount };
    notify(app, tx, parties.client, done, &event).await?;
    let funded =
        Notice::MilestoneFunded { milestone: milestone.id, title: milestone.title, amount: payment.amount };
    notify(app, tx, parties.freelancer, funded, &event).await
}

/// The deadline passed without the whole sum: what came goes back, and the milestone can be funded anew.
pub(super) async fn expire(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    arrived: &[chain_transfer::Model],
    received: Usdc,
) -> Result<()> {
    let payer = payment.payer_id.ok_or_else(|| Error::bug("a deposit without its payer"))?;
    let payment = record::step(app, tx, payment, Step::Expire, |_| ()).await?;
    mark(app, tx, arrived, ChainTransferStatus::Credited).await?;
    let back = back_to_senders(arrived, received)?;
    let lines = [
        (TREASURY, received),
        (Account::Payable(payer), back.returned.negated()?),
        (Account::Unallocated, back.left.negated()?),
    ];
    let key = format!("{}:EXPIRED", payment.id);
    ledger::post(app, tx, LedgerTransferKind::DepositReturned, &key, Some(payment.id), &lines).await?;
    give_back(app, tx, &payment, back).await?;
    match milestone {
        Some(milestone) => {
            milestones::step(app, tx, &milestone, MilestoneStep::DepositExpired, |_| ()).await?;
            let (title, amount) = (milestone.title, payment.amount);
            let notice = Notice::DepositExpired { payment: payment.id, title, amount };
            notify(app, tx, payer, notice, &format!("{}:EXPIRED", payment.id)).await?;
        }
        None => bonus::expired(app, tx, &payment).await?,
    }
    ended(app, tx, &payment).await
}

async fn mark(
    app: &App,
    tx: &Tx,
    arrived: &[chain_transfer::Model],
    status: ChainTransferStatus,
) -> Result<()> {
    for row in arrived {
        let change = chain_transfer::ActiveModel {
            id: Set(row.id),
            status: Set(status),
            updated_at: Set(app.clock.now()),
            ..Default::default()
        };
        change.update(&**tx).await?;
    }
    Ok(())
}

/// Money on its way back, by sender.
pub(super) struct Back {
    pub(super) by_sender: Vec<(String, Usdc)>,
    /// What goes back.
    returned: Usdc,
    /// What is too little for its sender's gas to be worth: it waits for an admin.
    left: Usdc,
}

/// Divides what came without need among those who sent it, the newest transfers first.
pub(super) fn back_to_senders(arrived: &[chain_transfer::Model], amount: Usdc) -> Result<Back> {
    let mut by_sender: Vec<(String, Usdc)> = Vec::new();
    let mut left = amount;
    for row in arrived.iter().rev() {
        let part = row.amount.min(left);
        left = left.minus(part)?;
        match by_sender.iter_mut().find(|(sender, _)| *sender == row.from_address) {
            Some((_, sum)) => *sum = sum.plus(part)?,
            None => by_sender.push((row.from_address.clone(), part)),
        }
    }
    by_sender.retain(|(_, sum)| *sum >= SMALLEST_RETURN);
    let returned = Usdc::sum(by_sender.iter().map(|(_, sum)| *sum))?;
    Ok(Back { by_sender, returned, left: amount.minus(returned)? })
}

/// Queues the returns. What they pay stands on the payer's payable account already.
async fn give_back(app: &App, tx: &Tx, deposit: &payment::Model, back: Back) -> Result<()> {
    for (sender, amount) in back.by_sender {
        let new = NewPayment {
            kind: PaymentKind::Return,
            contract: deposit.contract_id,
            milestone: None,
            payer: None,
            payee: deposit.payer_id,
            started_by: None,
            split: Split::without_fee(amount),
            reason: None,
            linked: Some(deposit.id),
            dispute: None,
            destination: Some(sender),
        };
        open_outgoing(app, tx, new).await?;
    }
    Ok(())
}

/// A transfer that came after its payer's deposit was complete: all of it goes back.
pub(super) async fn give_back_late(
    app: &App,
    tx: &Tx,
    deposit: &payment::Model,
    row: &chain_transfer::Model,
) -> Result<()> {
    let payer = deposit.payer_id.ok_or_else(|| Error::bug("a deposit without its payer"))?;
    let back = back_to_senders(std::slice::from_ref(row), row.amount)?;
    let lines = [
        (TREASURY, row.amount),
        (Account::Payable(payer), back.returned.negated()?),
        (Account::Unallocated, back.left.negated()?),
    ];
    let key = format!("{}:SURPLUS", row.id);
    ledger::post(app, tx, LedgerTransferKind::DepositReturned, &key, Some(deposit.id), &lines).await?;
    give_back(app, tx, deposit, back).await
}
