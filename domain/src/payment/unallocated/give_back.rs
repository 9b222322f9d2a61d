//! An admin sends money that paid nothing back to where it came from.

use entities::{LedgerTransferKind, PaymentKind, UnallocatedId, UnallocatedStatus};
use serde_json::json;

use super::{open, resolve};
use crate::{
    Actor, App, audit,
    error::Result,
    idempotency::{self, Claim},
    ledger::{self, Account},
    money::Split,
    notification::{Notice, notify},
    payment::{NewPayment, open_outgoing},
    policy::{self, Action},
};

/// Opens a RETURN to the wallet that sent it, however little it is; for admins whose money it is not.
///
/// # Errors
///
/// When the actor may not, or it was assigned or returned before.
pub async fn give_back(app: &App, actor: &Actor, id: UnallocatedId, key: &str) -> Result<UnallocatedId> {
    policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    let tx = app.db.begin().await?;
    let input = json!({ "unallocatedId": id });
    let ticket = match idempotency::claim(app, &tx, admin, "unallocatedReturn", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let money = open(&tx, id, UnallocatedStatus::Returned).await?;
    policy::authorise(actor, Action::UnallocatedReturn(&money), "unallocatedId", "unallocated deposit")?;
    let new = NewPayment {
        kind: PaymentKind::Return,
        contract: None,
        milestone: None,
        payer: None,
        payee: money.user_id,
        started_by: Some(admin),
        split: Split::without_fee(money.amount),
        reason: None,
        linked: None,
        dispute: None,
        destination: Some(money.from_address.clone()),
    };
    let payment = open_outgoing(app, &tx, new).await?;
    let owed = money.user_id.map_or(Account::Strangers, Account::Payable);
    let lines = [(Account::Unallocated, money.amount), (owed, money.amount.negated()?)];
    let event = format!("{id}:RETURNED");
    ledger::post(app, &tx, LedgerTransferKind::DepositReturned, &event, Some(payment.id), &lines).await?;
    resolve(app, &tx, &money, UnallocatedStatus::Returned, Some(payment.id), admin).await?;
    if let Some(user) = money.user_id {
        let notice = Notice::ReturnStarted { payment: payment.id, amount: money.amount };
        notify(app, &tx, user, notice, &event).await?;
    }
    let facts = json!({ "payment": payment.id.to_string(), "amount": money.amount.to_decimal().to_string() });
    audit::record(app, &tx, actor, "unallocated.return", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}
