//! An admin gives money that paid nothing to the deposit that it was meant for.

use entities::{
    PaymentId, PaymentKind, PaymentStatus, UnallocatedId, UnallocatedStatus, Usdc, chain_transfer, contract,
    payment, unallocated_deposit,
};
use sea_orm::{EntityTrait, QuerySelect};
use serde_json::json;

use super::{open, resolve};
use crate::{
    Actor, App, Code, Error, Tx, audit,
    error::Result,
    idempotency::{self, Claim},
    payment::{
        credit, deposit,
        depth::Depth,
        record::{self, Locked},
        state::Step,
        witness,
    },
    policy::{self, Action},
};

/// Assigns it to an open deposit, which is credited at once: so it has to be exactly what that one misses. For admins who
/// take no side in it.
///
/// # Errors
///
/// When the actor may not, it was assigned or returned before, the payment is no deposit that waits for its funds, or its
/// sum is not what is missing.
pub async fn assign(
    app: &App,
    actor: &Actor,
    id: UnallocatedId,
    payment: PaymentId,
    key: &str,
) -> Result<UnallocatedId> {
    policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
    let (key, admin) = (idempotency::parse_key(key)?, actor.signed_in()?.id);
    // The chain is asked before the transaction.
    let arrived = Arrived::look(app, payment).await?;
    let tx = app.db.begin().await?;
    let input = json!({ "unallocatedId": id, "paymentId": payment });
    let ticket = match idempotency::claim(app, &tx, admin, "unallocatedAssign", key, &input).await? {
        Claim::Replay(done) => return Ok(done),
        Claim::Fresh(ticket) => ticket,
    };
    let Locked { payment, milestone } = record::lock(&tx, payment).await?;
    let contract = match payment.contract_id {
        Some(contract) => contract::Entity::find_by_id(contract).one(&*tx).await?,
        None => None,
    };
    if let Some(contract) = &contract {
        policy::authorise(actor, Action::UnallocatedAssign(contract), "paymentId", "payment")?;
    }
    let money = open(&tx, id, UnallocatedStatus::Assigned).await?;
    policy::authorise(actor, Action::UnallocatedReturn(&money), "unallocatedId", "unallocated deposit")?;
    let (standing, received) = require_missing(&tx, &payment, &money, arrived).await?;
    let deposit = record::step(app, &tx, &payment, Step::Seen, |_| ()).await?;
    resolve(app, &tx, &money, UnallocatedStatus::Assigned, Some(deposit.id), admin).await?;
    credit::credit(
        app,
        &tx,
        &deposit,
        milestone,
        &standing,
        credit::Sum { received, assigned: money.amount },
    )
    .await?;
    let facts = json!({ "payment": deposit.id.to_string(), "amount": money.amount.to_decimal().to_string() });
    audit::record(app, &tx, actor, "unallocated.assign", Some(id.to_string()), facts).await?;
    idempotency::settle(&tx, ticket, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// What came for the deposit by itself, and whether all of it counts by now.
struct Arrived {
    standing: Vec<chain_transfer::Model>,
    counts: bool,
}

impl Arrived {
    async fn look(app: &App, id: PaymentId) -> Result<Self> {
        let nothing = Self { standing: Vec::new(), counts: true };
        let Some(payment) = payment::Entity::find_by_id(id).one(app.db.reader()).await? else {
            return Ok(nothing);
        };
        if payment.kind != PaymentKind::Deposit || payment.status != PaymentStatus::AwaitingFunds {
            return Ok(nothing);
        }
        let standing = deposit::standing(app, id).await?;
        if standing.is_empty() {
            return Ok(nothing);
        }
        let depth = Depth::now(app).await?;
        let deep = depth.suffices(app, &payment, &standing)?;
        let counts = deep && witness::doubt(app, &depth, &standing).await?.is_none();
        Ok(Self { standing, counts })
    }
}

/// What arrived, and its sum, once the money is just what the deposit misses beside it.
async fn require_missing(
    tx: &Tx,
    payment: &payment::Model,
    money: &unallocated_deposit::Model,
    arrived: Arrived,
) -> Result<(Vec<chain_transfer::Model>, Usdc)> {
    if payment.kind != PaymentKind::Deposit {
        let message = "Money is assigned to a DEPOSIT that waits for its funds: this payment is none.";
        return Err(Error::rejected("paymentId", Code::Invalid, message));
    }
    if payment.status != PaymentStatus::AwaitingFunds {
        let to = PaymentStatus::Completed.as_str();
        return Err(Error::illegal("paymentId", "payment", payment.status.as_str(), to));
    }
    if deposit::seen_for(payment.id).lock_exclusive().all(&**tx).await? != arrived.standing {
        let message = "Something arrived for this payment, or went, at this very moment: try again.";
        return Err(Error::rejected("paymentId", Code::Conflict, message));
    }
    let received = Usdc::sum(arrived.standing.iter().map(|row| row.amount))?;
    let missing = payment.amount.minus(received)?;
    if money.amount != missing {
        let message = format!(
            "The payment misses {missing}, and this is {}: only what is exactly missing can be assigned. Return it, \
             or let a payment over this sum be made.",
            money.amount
        );
        return Err(Error::rejected("unallocatedId", Code::OutOfRange, message));
    }
    if !arrived.counts {
        let message =
            "What came for this payment by itself has not all its confirmations yet: try again later.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    Ok((arrived.standing, received))
}
