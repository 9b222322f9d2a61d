//! What a payment's end does to the ledger, to its milestone and to the people concerned.

use entities::{
    ChainTransferStatus, LedgerTransferKind, PaymentKind, PaymentRail, Usdc, chain_transfer, milestone,
    payment,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{NewPayment, bonus, open_outgoing, record, refund, state::Step};
use crate::{
    App, Error, Tx, account, contract as contracts, dispute as disputes,
    error::Result,
    ledger::{self, Account},
    milestone as milestones,
    milestone::state::Step as MilestoneStep,
    money::Split,
    notification::{Notice, notify},
};

const TREASURY: Account = Account::Treasury(PaymentRail::Chain);
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

/// Where a payment's money lies between its deposit and its payout: with its milestone, or, when it is a bonus,
/// with its contract.
fn held_in(payment: &payment::Model) -> Result<Account> {
    match (payment.milestone_id, payment.contract_id) {
        (Some(milestone), _) => Ok(Account::Escrow(milestone)),
        (None, Some(contract)) => Ok(Account::Bonus(contract)),
        (None, None) => Err(Error::bug("a payment for nothing")),
    }
}

/// A payment has ended: that may let a disputed contract go on, and it may end the contract.
async fn ended(app: &App, tx: &Tx, payment: &payment::Model) -> Result<()> {
    let Some(contract) = payment.contract_id else { return Ok(()) };
    disputes::contract_goes_on(app, tx, contract).await?;
    contracts::conclude(app, tx, contract).await
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

/// A release, a refund or a bonus is queued: the escrow owes no longer, the payee is owed.
pub(crate) async fn reserve(app: &App, tx: &Tx, payment: &payment::Model) -> Result<()> {
    let lines = reservation(payment)?;
    let key = format!("{}:QUEUED", payment.id);
    ledger::post(app, tx, LedgerTransferKind::PayoutQueued, &key, Some(payment.id), &lines).await.map(drop)
}

/// What queueing a payment posts; nothing for a return, whose money is on the payee's account before.
fn reservation(payment: &payment::Model) -> Result<Vec<(Account, Usdc)>> {
    if payment.kind == PaymentKind::Return {
        return Ok(Vec::new());
    }
    Ok(vec![
        (held_in(payment)?, payment.amount),
        (Account::Fees, payment.fee.negated()?),
        (Account::Payable(payee(payment)?), payment.net.negated()?),
    ])
}

fn payee(payment: &payment::Model) -> Result<entities::UserId> {
    payment.payee_id.ok_or_else(|| Error::bug("a payout without its payee"))
}

/// A payout is final: the payee is owed no longer, the treasury has less.
pub(super) async fn complete(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
) -> Result<()> {
    let now = app.clock.now();
    let payment =
        record::step(app, tx, payment, Step::Complete, |row| row.completed_at = Set(Some(now))).await?;
    let payee = payee(&payment)?;
    let lines = [(Account::Payable(payee), payment.net), (TREASURY, payment.net.negated()?)];
    let key = format!("{}:COMPLETED", payment.id);
    ledger::post(app, tx, LedgerTransferKind::PayoutCompleted, &key, Some(payment.id), &lines).await?;
    match (payment.kind, milestone) {
        (PaymentKind::Release, Some(milestone)) => released(app, tx, &payment, &milestone).await?,
        (PaymentKind::Refund, Some(milestone)) => refunded(app, tx, &payment, &milestone).await?,
        (PaymentKind::Bonus, _) => bonus::paid_out(app, tx, &payment).await?,
        _ => {
            let what = "money that was sent without need".to_owned();
            let notice = Notice::PaymentCompleted { payment: payment.id, what, amount: payment.net };
            notify(app, tx, payee, notice, &key).await?;
        }
    }
    ended(app, tx, &payment).await
}

async fn released(app: &App, tx: &Tx, payment: &payment::Model, milestone: &milestone::Model) -> Result<()> {
    match payment.dispute_id {
        Some(dispute) => disputes::payment_completed(app, tx, dispute, milestone).await?,
        None => milestones::step(app, tx, milestone, MilestoneStep::Released, |_| ()).await.map(drop)?,
    }
    let parties = milestones::parties(tx, milestone).await?;
    let event = format!("{}:COMPLETED", payment.id);
    let title = milestone.title.clone();
    let paid = Notice::MilestoneReleased { milestone: milestone.id, title, net: payment.net };
    notify(app, tx, parties.freelancer, paid, &event).await?;
    let what = format!("\"{}\"", milestone.title);
    let done = Notice::PaymentCompleted { payment: payment.id, what, amount: payment.amount };
    notify(app, tx, parties.client, done, &event).await
}

async fn refunded(app: &App, tx: &Tx, payment: &payment::Model, milestone: &milestone::Model) -> Result<()> {
    match payment.dispute_id {
        Some(dispute) => disputes::payment_completed(app, tx, dispute, milestone).await?,
        None => refund_ended(app, tx, payment, milestone).await?,
    }
    let parties = milestones::parties(tx, milestone).await?;
    let event = format!("{}:COMPLETED", payment.id);
    for person in [parties.client, parties.freelancer] {
        let title = milestone.title.clone();
        let notice = Notice::RefundCompleted { payment: payment.id, title, amount: payment.amount };
        notify(app, tx, person, notice, &event).await?;
    }
    Ok(())
}

/// A part of a refund that somebody gave has ended, well or not. With the last one the milestone has its end, or goes back to
/// where it was with what is left.
async fn refund_ended(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: &milestone::Model,
) -> Result<()> {
    if refund::goes_on(tx, milestone.id).await? {
        return Ok(());
    }
    if ledger::balance(&**tx, Account::Escrow(milestone.id)).await? != Usdc::ZERO {
        return refund_over(app, tx, payment, milestone).await;
    }
    milestones::step(app, tx, milestone, MilestoneStep::Refunded, |row| {
        row.returns_to = Set(None);
        row.auto_release_at = Set(None);
    })
    .await
    .map(drop)
}

/// Back to where the refund found it. Nobody could answer meanwhile, so that time is given back: who refunds a little wins
/// nothing by it.
async fn refund_over(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: &milestone::Model,
) -> Result<()> {
    let took = app.clock.now() - payment.created_at;
    let releases = milestone.auto_release_at.map(|at| at + took);
    milestones::step(app, tx, milestone, MilestoneStep::RefundEnded, |row| {
        row.returns_to = Set(None);
        row.auto_release_at = Set(releases);
        // What they were told is no longer true.
        row.release_reminded_at = Set(None);
    })
    .await
    .map(drop)
}

/// A payout ended without money having moved: what its queueing posted is taken back. An approved
/// milestone stays approved, a disputed one disputed and a bonus held, for an admin to try again; a refund's
/// milestone goes back to where it was.
pub(super) async fn fail(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    reason: &str,
) -> Result<()> {
    let payment =
        record::step(app, tx, payment, Step::Fail, |row| row.failure_reason = Set(Some(reason.to_owned())))
            .await?;
    let mut lines = reservation(&payment)?;
    for (_, amount) in &mut lines {
        *amount = amount.negated()?;
    }
    if !lines.is_empty() {
        let key = format!("{}:FAILED", payment.id);
        ledger::post(app, tx, LedgerTransferKind::PayoutReversed, &key, Some(payment.id), &lines).await?;
    }
    tracing::error!(payment = %payment.id, reason, "a payout failed; an admin has to look at it");
    let event = format!("{}:FAILED", payment.id);
    let mut people = vec![payee(&payment)?];
    if payment.kind == PaymentKind::Bonus {
        people.extend(payment.payer_id);
    }
    if let Some(milestone) = milestone {
        let parties = milestones::parties(tx, &milestone).await?;
        people = vec![parties.client, parties.freelancer];
        if payment.kind == PaymentKind::Refund && payment.dispute_id.is_none() {
            refund_ended(app, tx, &payment, &milestone).await?;
        }
    }
    people.extend(account::admins(tx).await?);
    for person in people {
        let (what, reason) = ("a payout".to_owned(), reason.to_owned());
        let notice = Notice::PaymentFailed { payment: payment.id, what, amount: payment.net, reason };
        notify(app, tx, person, notice, &event).await?;
    }
    ended(app, tx, &payment).await
}
