//! Money that was moved between the treasury on the chain and the balance at Circle, by hand and outside: what is
//! recorded here are the books' two lines of it.

use chrono::{DateTime, Utc};
use entities::{LedgerTransferKind, PaymentRail, UnallocatedId, Usdc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Actor, App, Code, audit,
    check::Check,
    error::Result,
    idempotency::{self, Claim},
    ledger::{self, Account},
    payment::unallocated,
    policy::{self, Action},
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

/// Records that money was moved; for admins. Nothing is sent.
///
/// # Errors
///
/// When the actor may not, the rails are the same, the amount is nothing or more than the books have there, or the key
/// was used for another move.
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
    check.done()?;
    let tx = app.db.begin().await?;
    let input =
        json!({ "from": from, "to": to, "amount": amount, "reference": reference, "arrived": arrived });
    let ticket = match idempotency::claim(app, &tx, admin, "treasuryMove", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let booked = ledger::balance(&*tx, Account::Treasury(from)).await?;
    let mut check = Check::new();
    let there =
        format!("The books have {booked} on {}: that much can have been moved at the most.", from.as_str());
    check.ensure(amount <= booked, "amount", Code::OutOfRange, there);
    check.done()?;
    // What came to the chain was booked when the scanner found it.
    let there = match arrived {
        Some(arrived) => {
            unallocated::moved(app, &tx, arrived, amount, admin).await?;
            Account::Unallocated
        }
        None => Account::Treasury(to),
    };
    let lines = [(there, amount), (Account::Treasury(from), amount.negated()?)];
    let transfer = format!("TREASURY_MOVED:{admin}:{key}");
    ledger::post(app, &tx, LedgerTransferKind::TreasuryMoved, &transfer, None, &lines).await?;
    let facts = json!({
        "from": from, "to": to, "amount": amount.to_decimal().to_string(), "reference": reference,
    });
    audit::record(app, &tx, actor, "treasury.move", None, facts).await?;
    let moved = TreasuryMove { from, to, amount, reference, recorded_at: app.clock.now() };
    idempotency::settle(&tx, ticket, &moved).await?;
    tx.commit().await?;
    Ok(moved)
}
