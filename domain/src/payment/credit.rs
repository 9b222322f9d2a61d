//! What a deposit's end does: the money is in escrow, or goes back to who sent it.

use entities::{
    ChainTransferStatus, LedgerTransferKind, PaymentKind, Usdc, chain_transfer, milestone, payment,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    NewPayment, bonus,
    numbers::poll,
    open_outgoing, record,
    settle::{TREASURY, ended, held_in},
    state::Step,
    unallocated, watch,
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

/// What a deposit is credited with.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    /// What arrived for it.
    pub(super) received: Usdc,
    /// What an admin gave it of the money that paid nothing.
    pub(super) assigned: Usdc,
}

/// A deposit has its confirmations: the money is in escrow, and what came beyond it is the payer's.
pub(super) async fn credit(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    arrived: &[chain_transfer::Model],
    Sum { received, assigned }: Sum,
) -> Result<()> {
    let payer = payment.payer_id.ok_or_else(|| Error::bug("a deposit without its payer"))?;
    let surplus = received.plus(assigned)?.minus(payment.amount)?;
    let now = app.clock.now();
    let payment = record::step(app, tx, payment, Step::Credit, |row| {
        row.completed_at = Set(Some(now));
        row.hold_reason = Set(None);
    })
    .await?;
    mark(app, tx, arrived, ChainTransferStatus::Credited).await?;
    let back = back_to_senders(arrived, surplus)?;
    let lines = [
        (TREASURY, received),
        (held_in(&payment)?, payment.amount.negated()?),
        (Account::Payable(payer), back.returned.negated()?),
        (Account::Unallocated, assigned.minus(back.left)?),
    ];
    // The version is part of the key: after a reorg the same deposit may be credited again.
    let key = credited_key(&payment);
    ledger::post(app, tx, LedgerTransferKind::DepositCredited, &key, Some(payment.id), &lines).await?;
    give_back(app, tx, &payment, back).await?;
    record::look_at(app, tx, &payment, now + poll(app) * watch::PACE).await?;
    match milestone {
        Some(milestone) => funded(app, tx, &payment, &milestone).await,
        None => bonus::paid_in(app, tx, &payment).await,
    }
}

/// Under which key the ledger has what a deposit that counts was credited with.
pub(super) fn credited_key(payment: &payment::Model) -> String {
    format!("{}:CREDITED:{}", payment.id, payment.version)
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
    let payment = record::step(app, tx, payment, Step::Expire, |row| row.hold_reason = Set(None)).await?;
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
    expired(app, tx, &payment, milestone).await
}

/// The deadline passed long ago, and the nodes still do not show the same of what came: the deposit ends without it. Belonging
/// to no payment, it is set aside for an admin as soon as both nodes show it, and never when they do not.
pub(super) async fn give_up(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    arrived: &[chain_transfer::Model],
    doubt: &str,
) -> Result<()> {
    let reason = format!("{doubt}: what came waits for an administrator");
    let payment =
        record::step(app, tx, payment, Step::Expire, |row| row.hold_reason = Set(Some(reason))).await?;
    for row in arrived {
        let change = chain_transfer::ActiveModel {
            id: Set(row.id),
            payment_id: Set(None),
            updated_at: Set(app.clock.now()),
            ..Default::default()
        };
        change.update(&**tx).await?;
    }
    tracing::error!(payment = %payment.id, doubt, "a deposit ended without what came for it");
    expired(app, tx, &payment, milestone).await
}

/// What it was for can be funded anew, and its payer is told.
async fn expired(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
) -> Result<()> {
    let payer = payment.payer_id.ok_or_else(|| Error::bug("a deposit without its payer"))?;
    match milestone {
        Some(milestone) => {
            milestones::step(app, tx, &milestone, MilestoneStep::DepositExpired, |_| ()).await?;
            let (title, amount) = (milestone.title, payment.amount);
            let notice = Notice::DepositExpired { payment: payment.id, title, amount };
            notify(app, tx, payer, notice, &format!("{}:EXPIRED", payment.id)).await?;
        }
        None => bonus::expired(app, tx, payment).await?,
    }
    ended(app, tx, payment).await
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
    /// What is left, by the newest transfer of each sender.
    rests: Vec<(chain_transfer::Model, Usdc)>,
    /// What goes back.
    returned: Usdc,
    /// What is too little for its sender's gas to be worth: it waits for an admin.
    left: Usdc,
}

/// Divides what came without need among those who sent it, the newest transfers first.
pub(super) fn back_to_senders(arrived: &[chain_transfer::Model], amount: Usdc) -> Result<Back> {
    let mut by_sender: Vec<(&chain_transfer::Model, Usdc)> = Vec::new();
    let mut left = amount;
    for row in arrived.iter().rev() {
        let part = row.amount.min(left);
        left = left.minus(part)?;
        match by_sender.iter_mut().find(|(newest, _)| newest.from_address == row.from_address) {
            Some((_, sum)) => *sum = sum.plus(part)?,
            None => by_sender.push((row, part)),
        }
    }
    let (back, rests): (Vec<_>, Vec<_>) = by_sender.into_iter().partition(|(_, sum)| *sum >= SMALLEST_RETURN);
    let returned = Usdc::sum(back.iter().map(|(_, sum)| *sum))?;
    let rests = rests.into_iter().filter(|(_, sum)| sum.is_positive());
    Ok(Back {
        by_sender: back.into_iter().map(|(row, sum)| (row.from_address.clone(), sum)).collect(),
        rests: rests.map(|(row, sum)| (row.clone(), sum)).collect(),
        returned,
        left: amount.minus(returned)?,
    })
}

/// Queues the returns, and notes the rests. What is paid stands on the payer's payable account already, what is not on that of
/// unallocated money.
async fn give_back(app: &App, tx: &Tx, deposit: &payment::Model, back: Back) -> Result<()> {
    unallocated::note_rests(app, tx, &back.rests).await?;
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
