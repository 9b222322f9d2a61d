//! The three mutations that move money: fund, approve, refund. Each is idempotent by the caller's key.

use entities::{
    MilestoneId, MilestoneStatus, PaymentKind, Role, Usdc, UserId, contract, fee_schedule, milestone,
    payment as payment_row,
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;

use super::{MilestonePayment, active, answer, open, state::Step, step};
use crate::{
    Actor, App, Error, Tx, audit,
    check::Check,
    error::{Code, Result},
    idempotency::{self, Claim},
    ledger::{self, Account},
    money::Split,
    notification::{Notice, notify},
    payment::{self, NewPayment, open_deposit, open_outgoing},
    policy::{self, Action},
};

/// The client asks for a deposit address. The money is in escrow once the chain has confirmed it.
pub async fn fund(app: &App, actor: &Actor, id: MilestoneId, key: &str) -> Result<MilestonePayment> {
    let key = idempotency::parse_key(key)?;
    let person = policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let input = json!({ "milestoneId": id });
    let ticket = match idempotency::claim(app, &tx, person.id, "milestoneFund", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let (milestone, contract) = open(&tx, id).await?;
    policy::authorise(actor, Action::MilestoneFund(&contract), "milestoneId", "milestone")?;
    active(&contract, MilestoneStatus::Funding)?;
    let milestone = step(app, &tx, &milestone, Step::Fund, |_| ()).await?;
    payment::require_deposits(app, &tx, person.id).await?;
    let new = NewPayment {
        kind: PaymentKind::Deposit,
        contract: Some(contract.id),
        milestone: Some(id),
        payer: Some(contract.client_id),
        payee: None,
        started_by: Some(person.id),
        split: Split::without_fee(milestone.amount),
        reason: None,
        linked: None,
        dispute: None,
        destination: None,
    };
    let payment = open_deposit(app, &tx, new).await?;
    let done = MilestonePayment { milestone: id, payment: payment.id };
    idempotency::settle(&tx, ticket, &done).await?;
    tx.commit().await?;
    Ok(done)
}

/// The client approves: what is in escrow is paid out, less the fee.
pub async fn approve(app: &App, actor: &Actor, id: MilestoneId, key: &str) -> Result<MilestonePayment> {
    let key = idempotency::parse_key(key)?;
    let person = policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let input = json!({ "milestoneId": id });
    let ticket = match idempotency::claim(app, &tx, person.id, "milestoneApprove", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let (milestone, contract) = open(&tx, id).await?;
    policy::authorise(actor, Action::MilestoneApprove(&contract), "milestoneId", "milestone")?;
    active(&contract, MilestoneStatus::Approved)?;
    let (milestone, payment) = release(app, &tx, &milestone, &contract, Some(person.id)).await?;
    answer(app, &tx, id, None).await?;
    let notice = Notice::MilestoneApproved { milestone: id, title: milestone.title, net: payment.net };
    notify(app, &tx, contract.freelancer_id, notice, &format!("{id}:APPROVED:{}", milestone.version)).await?;
    let done = MilestonePayment { milestone: id, payment: payment.id };
    idempotency::settle(&tx, ticket, &done).await?;
    tx.commit().await?;
    Ok(done)
}

/// Approves handed-in work, for its client or, when nobody is named, for fourteen days of silence: what is in
/// escrow is queued to the freelancer, less the fee.
pub(super) async fn release(
    app: &App,
    tx: &Tx,
    milestone: &milestone::Model,
    contract: &contract::Model,
    by: Option<UserId>,
) -> Result<(milestone::Model, payment_row::Model)> {
    let milestone = step(app, tx, milestone, Step::Approve, |row| row.auto_release_at = Set(None)).await?;
    let gross = in_escrow(tx, milestone.id).await?;
    let new = NewPayment {
        kind: PaymentKind::Release,
        contract: Some(contract.id),
        milestone: Some(milestone.id),
        payer: Some(contract.client_id),
        payee: Some(contract.freelancer_id),
        started_by: by,
        split: Split::of(gross, basis_points(tx, contract.fee_schedule).await?)?,
        reason: None,
        linked: None,
        dispute: None,
        destination: None,
    };
    let payment = open_outgoing(app, tx, new).await?;
    payment::reserve(app, tx, &payment).await?;
    Ok((milestone, payment))
}

/// What a refund is asked with.
#[derive(Debug, Clone)]
pub struct Refund<'a> {
    /// Which milestone.
    pub milestone: MilestoneId,
    /// How much; everything in escrow when empty.
    pub amount: Option<Usdc>,
    /// Why, 1 to 1,000 characters.
    pub reason: &'a str,
    /// The caller's key.
    pub key: &'a str,
}

/// The freelancer, or an admin, gives escrowed money back to the client. No fee is taken.
pub async fn refund(app: &App, actor: &Actor, ask: Refund<'_>) -> Result<MilestonePayment> {
    let key = idempotency::parse_key(ask.key)?;
    let mut check = Check::new();
    let reason = check.text("reason", ask.reason, 1..=1_000);
    check.ensure(
        ask.amount.is_none_or(Usdc::is_positive),
        "amount",
        Code::OutOfRange,
        "Give an amount above 0.",
    );
    check.done()?;
    let (person, id) = (policy::enter(actor, &[Role::Freelancer, Role::Admin])?, ask.milestone);
    let tx = app.db.begin().await?;
    let input = json!({ "milestoneId": id, "amount": ask.amount, "reason": reason });
    let ticket = match idempotency::claim(app, &tx, person.id, "milestoneRefund", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let (milestone, contract) = open(&tx, id).await?;
    policy::authorise(actor, Action::MilestoneRefund(&contract), "milestoneId", "milestone")?;
    active(&contract, MilestoneStatus::Refunding)?;
    let from = milestone.status;
    let milestone =
        step(app, &tx, &milestone, Step::StartRefund, |row| row.returns_to = Set(Some(from))).await?;
    let escrow = in_escrow(&tx, id).await?;
    let amount = ask.amount.unwrap_or(escrow);
    if amount > escrow {
        let message = format!("There are {escrow} in escrow for this milestone; give at most that.");
        return Err(Error::rejected("amount", Code::OutOfRange, message));
    }
    // Each costs the platform gas, and stops the client from answering for a while.
    if amount < escrow && amount < payment::SMALLEST_RETURN {
        let message = format!("Give back at least {}, or everything: {escrow}.", payment::SMALLEST_RETURN);
        return Err(Error::rejected("amount", Code::OutOfRange, message));
    }
    let new = NewPayment {
        kind: PaymentKind::Refund,
        contract: Some(contract.id),
        milestone: Some(id),
        payer: Some(contract.freelancer_id),
        payee: Some(contract.client_id),
        started_by: Some(person.id),
        split: Split::without_fee(amount),
        reason: Some(reason),
        linked: payment::deposit_of(&tx, id).await?,
        dispute: None,
        destination: None,
    };
    let parts = payment::refund::open(app, &tx, new, amount).await?;
    let payment = parts.first().ok_or_else(|| Error::bug("a refund of nothing"))?;
    for person in [contract.client_id, contract.freelancer_id] {
        let notice = Notice::RefundStarted { payment: payment.id, title: milestone.title.clone(), amount };
        notify(app, &tx, person, notice, &format!("{}:STARTED", payment.id)).await?;
    }
    if matches!(actor, Actor::Admin(_)) {
        let facts = json!({ "payment": payment.id.to_string(), "amount": amount.to_decimal().to_string() });
        audit::record(app, &tx, actor, "milestone.refund", Some(id.to_string()), facts).await?;
    }
    let done = MilestonePayment { milestone: id, payment: payment.id };
    idempotency::settle(&tx, ticket, &done).await?;
    tx.commit().await?;
    Ok(done)
}

/// What a gross amount comes to under the fee in force: the quote before any money moves.
pub async fn quote(app: &App, gross: Usdc) -> Result<(Split, fee_schedule::Model)> {
    let mut check = Check::new();
    check.ensure(gross.is_positive(), "amount", Code::OutOfRange, "Give an amount above 0.");
    check.done()?;
    let schedule = crate::contract::fee_in_force(app.db.reader(), app.clock.now()).await?;
    Ok((Split::of(gross, schedule.basis_points)?, schedule))
}

/// What a milestone holds in escrow.
pub(crate) async fn in_escrow(tx: &Tx, id: MilestoneId) -> Result<Usdc> {
    // Escrow is owed, so its balance is a credit.
    Ok(ledger::balance(&**tx, Account::Escrow(id)).await?.negated()?)
}

/// The fee of a schedule's version.
pub(crate) async fn basis_points(tx: &Tx, version: i32) -> Result<i32> {
    let schedule = fee_schedule::Entity::find_by_id(version).one(&**tx).await?;
    schedule.map(|row| row.basis_points).ok_or_else(|| Error::bug("a contract without its fee schedule"))
}
