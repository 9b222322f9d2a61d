//! Money that was moved between the treasury on the chain and the balance at Circle, by hand and outside: what is
//! recorded here are the books' two lines of it.

use chrono::{DateTime, Utc};
use entities::{
    LedgerTransferKind, PaymentRail, UnallocatedId, Usdc, UserId, chain_transaction, treasury_move,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::left::{self, Left, Looked};
use crate::{
    Actor, App, Code, Error, Tx, audit,
    check::Check,
    error::Result,
    idempotency::{self, Claim},
    ledger::{self, Account},
    payment::{
        numbers::{chain_id, stored},
        payout, unallocated,
    },
    policy::{self, Action},
    ports::chain::TxHash,
};

/// Money that was moved from one rail to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreasuryMove {
    /// Where it was.
    pub from: PaymentRail,
    /// Where it is.
    pub to: PaymentRail,
    /// How much.
    pub amount: Usdc,
    /// What proves it: a transaction's hash, or Circle's id of the transfer.
    pub reference: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// What an administrator says of a move.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// How much was moved.
    pub amount: Usdc,
    /// What arrived on the chain, if it came there.
    pub arrived: Option<UnallocatedId>,
    /// What proves it.
    pub reference: &'a str,
}

/// Records that money was moved; for admins. Nothing is sent. What left the chain is looked at there, and has to be final by every
/// node that is set: nothing takes a move back. It is recorded with the block that it is in, so that a comparison at an older block
/// knows that it was still there; and with the nonce that the treasury's key signed it under, if it did, so that no payout gets it.
///
/// # Errors
///
/// When the actor may not, the rails are the same, the amount is nothing or more than the books have there, the move was recorded
/// before, whoever did, or the chain does not show it, or not for good; or the key was used for another move.
pub async fn record_move(
    app: &App,
    actor: &Actor,
    (from, to): (PaymentRail, PaymentRail),
    Said { amount, arrived, reference }: Said<'_>,
    key: &str,
) -> Result<TreasuryMove> {
    policy::authorise(actor, Action::Administer, "", "treasury")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    let mut check = Check::new();
    check.ensure(from != to, "to", Code::Invalid, "Money is moved from one rail to the other.");
    let named = arrived.is_some() == (to == PaymentRail::Chain);
    let message = "Name what arrived when money came to CHAIN, as unallocatedDeposits lists it; and nothing when it went to CIRCLE.";
    check.ensure(named, "unallocatedId", Code::Required, message);
    check.ensure(amount.is_positive(), "amount", Code::OutOfRange, "Give what was moved: more than nothing.");
    let reference = check.line("reference", reference, 1..=255);
    let hash: Option<TxHash> = reference.to_lowercase().parse().ok();
    let message = "Money that left CHAIN did so by a transaction: give its hash, 0x and 64 hex digits.";
    check.ensure(from != PaymentRail::Chain || hash.is_some(), "reference", Code::Invalid, message);
    check.done()?;
    // Two spellings of a hash are one transaction.
    let reference = hash.map_or(reference, |hash| hash.to_string());
    // The chain is asked before the transaction.
    let looked = match hash.filter(|_| from == PaymentRail::Chain) {
        Some(hash) => Some(left::look(app, hash).await?),
        None => None,
    };
    let tx = app.db.begin().await?;
    let input =
        json!({ "from": from, "to": to, "amount": amount, "reference": reference, "arrived": arrived });
    let ticket = match idempotency::claim(app, &tx, admin, "treasuryMove", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let left = match looked {
        Some(looked) => Some(left_the_chain(app, &tx, looked, amount, &reference).await?),
        None => None,
    };
    let moved = TreasuryMove { from, to, amount, reference, recorded_at: app.clock.now() };
    let id = note(app, &tx, &moved, left.as_ref(), admin).await?;
    // What came to the chain was booked when the scanner found it.
    let there = match arrived {
        Some(arrived) => {
            unallocated::moved(app, &tx, arrived, amount, admin).await?;
            Account::Unallocated
        }
        None => Account::Treasury(to),
    };
    if left.is_some() {
        payout::pass_moves(app, &tx).await?;
    }
    let booked = ledger::locked_balance(app, &tx, Account::Treasury(from)).await?;
    let mut check = Check::new();
    let most =
        format!("The books have {booked} on {}: that much can have been moved at the most.", from.as_str());
    check.ensure(amount <= booked, "amount", Code::OutOfRange, most);
    check.done()?;
    let lines = [(there, amount), (Account::Treasury(from), amount.negated()?)];
    let transfer = format!("TREASURY_MOVED:{}", id.simple());
    ledger::post(app, &tx, LedgerTransferKind::TreasuryMoved, &transfer, None, &lines).await?;
    let facts = json!({
        "from": from, "to": to, "amount": amount.to_decimal().to_string(), "reference": moved.reference,
    });
    audit::record(app, &tx, actor, "treasury.move", None, facts).await?;
    idempotency::settle(&tx, ticket, &moved).await?;
    tx.commit().await?;
    Ok(moved)
}

/// What left the treasury. It has to be just that, and no payout of ours.
async fn left_the_chain(app: &App, tx: &Tx, looked: Looked, amount: Usdc, hash: &str) -> Result<Left> {
    let refused = |field, code, message: String| Err(Error::rejected(field, code, message));
    let found = match looked {
        Looked::Final(found) => found,
        Looked::Not(code, message) => return refused("reference", code, message),
    };
    let ours = chain_transaction::Entity::find().filter(chain_transaction::Column::Hash.eq(hash));
    if ours.one(&**tx).await?.is_some() {
        let message = "This transaction is a payout of ours, and booked as such.";
        return refused("reference", Code::Invalid, message.to_owned());
    }
    let treasury = app.chain.treasury();
    let left = found.receipt.transfers.iter().filter(|row| row.from == treasury && row.to != treasury);
    let left = Usdc::sum(left.filter_map(|row| row.amount))?;
    if left != amount {
        let message = format!("By this transaction {left} left the treasury: give that amount.");
        return refused("amount", Code::OutOfRange, message);
    }
    Ok(found)
}

/// The move's own row, which there is once, whoever records it. Where somebody else sent it, who may draw on the treasury, no nonce
/// of ours was used.
async fn note(app: &App, tx: &Tx, moved: &TreasuryMove, left: Option<&Left>, by: UserId) -> Result<Uuid> {
    use treasury_move::Column;
    let sender = left.map(|left| left.sender).filter(|sender| sender.address == app.chain.treasury());
    let row = treasury_move::Model {
        id: app.clock.new_id(),
        from_rail: moved.from,
        to_rail: moved.to,
        amount: moved.amount,
        reference: moved.reference.clone(),
        block_number: left.map(|left| stored(left.receipt.block_number)).transpose()?,
        sender: sender.map(|sender| sender.address.to_string()),
        chain_id: sender.map(|_| chain_id(app)).transpose()?,
        nonce: sender.map(|sender| stored(sender.nonce)).transpose()?,
        recorded_by: by,
        recorded_at: moved.recorded_at,
    };
    let id = row.id;
    let once = OnConflict::columns([Column::FromRail, Column::Reference]).do_nothing().to_owned();
    let insert = treasury_move::Entity::insert(row.into_active_model()).on_conflict(once);
    if insert.exec_without_returning(&**tx).await? == 0 {
        let message = "A move of this reference from there was recorded already: `auditLog` says by whom.";
        return Err(Error::rejected("reference", Code::Conflict, message));
    }
    Ok(id)
}
