//! A bonus: a tip beyond the contract, paid in by a deposit of its own and passed on less the fee. What its
//! payments do when they end stands in `payment/bonus.rs`.

use entities::{ContractId, ContractStatus, PaymentId, PaymentKind, Role, Usdc};
use serde_json::json;

use super::locked;
use crate::{
    Actor, App, Error,
    check::Check,
    error::{Code, Result},
    idempotency::{self, Claim},
    money::Split,
    payment::{NewPayment, open_deposit, require_deposits},
    policy::{self, Action},
};

/// What a bonus is asked with.
#[derive(Debug, Clone)]
pub struct Bonus<'a> {
    /// On which contract: ACTIVE or COMPLETED.
    pub contract: ContractId,
    /// How much, gross: 1 to 1,000,000 USDC.
    pub amount: Usdc,
    /// A word with it, up to 1,000 characters.
    pub note: Option<&'a str>,
    /// The caller's key.
    pub key: &'a str,
}

/// What a money mutation on a contract answers with.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct ContractPayment {
    /// The contract.
    pub contract: ContractId,
    /// The payment that was made for it.
    pub payment: PaymentId,
}

/// The client gives more than was agreed: a deposit is asked for, and once the chain has confirmed it, the
/// bonus is queued to the freelancer, less the contract's fee.
pub async fn bonus(app: &App, actor: &Actor, ask: Bonus<'_>) -> Result<ContractPayment> {
    let key = idempotency::parse_key(ask.key)?;
    let mut check = Check::new();
    let usdc = |whole: i64| Usdc(whole * Usdc::SCALE);
    check.range("amount", ask.amount, usdc(1)..=usdc(1_000_000));
    let note = ask.note.map(|note| check.text("note", note, 0..=1_000)).filter(|note| !note.is_empty());
    check.done()?;
    let person = policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let input = json!({ "contractId": ask.contract, "amount": ask.amount, "note": note });
    let ticket = match idempotency::claim(app, &tx, person.id, "contractBonus", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let contract = locked(&tx, ask.contract).await?;
    policy::authorise(actor, Action::ContractBonus(&contract), "contractId", "contract")?;
    if !matches!(contract.status, ContractStatus::Active | ContractStatus::Completed) {
        let status = contract.status.as_str();
        let message =
            format!("The contract is {status}; a bonus is possible only while it is ACTIVE or COMPLETED.");
        return Err(Error::rejected("contractId", Code::IllegalState, message));
    }
    require_deposits(app, &tx, person.id).await?;
    let new = NewPayment {
        kind: PaymentKind::Deposit,
        contract: Some(contract.id),
        milestone: None,
        payer: Some(contract.client_id),
        payee: None,
        started_by: Some(person.id),
        split: Split::without_fee(ask.amount),
        reason: note,
        linked: None,
        dispute: None,
        destination: None,
    };
    let payment = open_deposit(app, &tx, new).await?;
    let done = ContractPayment { contract: contract.id, payment: payment.id };
    idempotency::settle(&tx, ticket, &done).await?;
    tx.commit().await?;
    Ok(done)
}
