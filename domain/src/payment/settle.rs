//! What a payout's beginning and end do to the ledger, to its milestone and to the people concerned.

use entities::{LedgerTransferKind, PaymentKind, PaymentRail, Usdc, milestone, payment};
use sea_orm::ActiveValue::Set;

use super::{bonus, record, refund, state::Step};
use crate::{
    App, Error, Tx, account, contract as contracts, dispute as disputes,
    error::Result,
    ledger::{self, Account},
    milestone as milestones,
    milestone::state::Step as MilestoneStep,
    notification::{Notice, notify},
};

pub(super) const TREASURY: Account = Account::Treasury(PaymentRail::Chain);

/// Where a payment's money lies between its deposit and its payout: with its milestone, or, when it is a bonus,
/// with its contract.
pub(super) fn held_in(payment: &payment::Model) -> Result<Account> {
    match (payment.milestone_id, payment.contract_id) {
        (Some(milestone), _) => Ok(Account::Escrow(milestone)),
        (None, Some(contract)) => Ok(Account::Bonus(contract)),
        (None, None) => Err(Error::bug("a payment for nothing")),
    }
}

/// A payment has ended: that may let a disputed contract go on, and it may end the contract.
pub(super) async fn ended(app: &App, tx: &Tx, payment: &payment::Model) -> Result<()> {
    let Some(contract) = payment.contract_id else { return Ok(()) };
    disputes::contract_goes_on(app, tx, contract).await?;
    contracts::conclude(app, tx, contract).await
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

/// The account that a payout is owed on: what goes back to a sender whom nobody knows has one of its own.
fn owed_on(payment: &payment::Model) -> Result<Account> {
    match (payment.kind, payment.payee_id) {
        (PaymentKind::Return, None) => Ok(Account::Strangers),
        _ => payee(payment).map(Account::Payable),
    }
}

fn payee(payment: &payment::Model) -> Result<entities::UserId> {
    payment.payee_id.ok_or_else(|| Error::bug("a payout without its payee"))
}

/// A payout is final: the payee is owed no longer, the treasury has less, also by what somebody took for paying it (`cost`).
pub(super) async fn complete(
    app: &App,
    tx: &Tx,
    payment: &payment::Model,
    milestone: Option<milestone::Model>,
    cost: Usdc,
) -> Result<()> {
    let now = app.clock.now();
    let payment =
        record::step(app, tx, payment, Step::Complete, |row| row.completed_at = Set(Some(now))).await?;
    let treasury = Account::Treasury(payment.rail);
    let gone = payment.net.plus(cost)?;
    let lines = [(owed_on(&payment)?, payment.net), (Account::Costs, cost), (treasury, gone.negated()?)];
    let key = format!("{}:COMPLETED", payment.id);
    ledger::post(app, tx, LedgerTransferKind::PayoutCompleted, &key, Some(payment.id), &lines).await?;
    match (payment.kind, milestone) {
        (PaymentKind::Release, Some(milestone)) => released(app, tx, &payment, &milestone).await?,
        (PaymentKind::Refund, Some(milestone)) => refunded(app, tx, &payment, &milestone).await?,
        (PaymentKind::Bonus, _) => bonus::paid_out(app, tx, &payment).await?,
        _ => {
            let what = "money that was sent without need".to_owned();
            let notice = Notice::PaymentCompleted { payment: payment.id, what, amount: payment.net };
            if let Some(payee) = payment.payee_id {
                notify(app, tx, payee, notice, &key).await?;
            }
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
    let mut people: Vec<_> = payment.payee_id.into_iter().collect();
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
