//! Confirming a deposit: the chain is asked, never the client believed.

use chrono::Duration;
use entities::{
    ChainTransferStatus, PaymentId, PaymentKind, PaymentStatus, Usdc, chain_cursor, chain_transfer,
    deposit_hint, payment,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use super::{
    allocate, credit,
    depth::Depth,
    numbers::{chain_id, hash, height, poll},
    record::{self, Locked},
    state::{OPEN, Step},
    strays, watch, witness,
};
use crate::{App, error::Result, fault, ports::chain::BlockTag, queue::Outcome};

/// So long after its deadline a deposit waits for two nodes to agree on what came short of it.
const DOUBT_LIMIT: Duration = Duration::hours(24);

/// Looks at a deposit once: reads its hints, checks that what arrived is still on the chain, and credits,
/// expires or looks again later.
pub async fn confirm(app: &App, id: PaymentId) -> Result<Outcome> {
    let Some(seen) = payment::Entity::find_by_id(id).one(app.db.reader()).await? else {
        return Ok(Outcome::Done);
    };
    if !record::is_due(app, &seen) {
        return Ok(Outcome::Done);
    }
    if watch::is_credited(&seen) {
        return watch::watch(app, &seen).await;
    }
    if !is_open(&seen) {
        return Ok(Outcome::Done);
    }
    let hints_waiting = read_hints(app, id).await?;
    let depth = Depth::now(app).await?;
    let deadline = seen.expires_at.unwrap_or_else(|| app.clock.now());
    // Asked before what arrived is read: whatever the scanner found in time is then among it.
    let too_late = depth.head().time > deadline && scanned_past(app, deadline).await?;
    let arrived = seen_for(id).all(app.db.reader()).await?.len();
    let standing = standing(app, id).await?;
    let enough = depth.suffices(app, &seen, &standing)?;
    let doubt = match enough {
        true => witness::doubt(app, &depth, &standing).await?,
        // It may not be deep enough for another reason than that it has just come.
        false => witness::trouble(app, &depth, seen.required_confirmations.is_none()).await,
    };
    fault::point("deposit.answer").await?;

    let tx = app.db.begin().await?;
    let Locked { payment, milestone } = record::lock(&tx, id).await?;
    if !is_open(&payment) || record::was_woken(&payment, &seen) {
        return Ok(Outcome::Done);
    }
    let now = app.clock.now();
    if seen_for(id).lock_exclusive().all(&*tx).await? != standing {
        // Something came or went while the chain was asked: look again at all of it.
        record::look_at(app, &tx, &payment, now).await?;
        tx.commit().await?;
        return Ok(Outcome::Done);
    }
    let received = Usdc::sum(standing.iter().map(|row| row.amount))?;
    let poll = poll(app);
    if received >= payment.amount {
        let payment = match payment.status {
            PaymentStatus::AwaitingFunds => record::step(app, &tx, &payment, Step::Seen, |_| ()).await?,
            _ => payment,
        };
        match doubt {
            None if enough => {
                let sum = credit::Sum { received, assigned: Usdc::ZERO };
                credit::credit(app, &tx, &payment, milestone, &standing, sum).await?;
            }
            _ => {
                let payment = witness::say(app, &tx, payment, doubt).await?;
                record::look_at(app, &tx, &payment, now + poll).await?;
            }
        }
    } else {
        // What a reorg took may stand in another block, mined in time: the scanner reads back first.
        let receded = payment.status == PaymentStatus::Confirming || standing.len() < arrived;
        let payment = match payment.status {
            // What had arrived is gone from the chain.
            PaymentStatus::Confirming => record::step(app, &tx, &payment, Step::Reorg, |_| ()).await?,
            _ => payment,
        };
        let over = too_late && !receded;
        if over && enough && doubt.is_none() {
            credit::expire(app, &tx, &payment, milestone, &standing, received).await?;
        } else if over && now - deadline >= DOUBT_LIMIT {
            let doubt = doubt.unwrap_or("it is still not deep enough in the chain");
            credit::give_up(app, &tx, &payment, milestone, &standing, doubt).await?;
        } else {
            let payment = witness::say(app, &tx, payment, doubt.filter(|_| over)).await?;
            // Past the deadline only the scanner is waited for, and until what came is sure enough to be sent back.
            let due = if hints_waiting || deadline <= now { now + poll } else { deadline };
            record::look_at(app, &tx, &payment, due).await?;
        }
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

fn is_open(payment: &payment::Model) -> bool {
    payment.kind == PaymentKind::Deposit && OPEN.contains(&payment.status)
}

/// Reads the receipts of the transactions that the client reported. Whether one of them is not mined yet.
async fn read_hints(app: &App, id: PaymentId) -> Result<bool> {
    let hints = deposit_hint::Entity::find()
        .filter(deposit_hint::Column::PaymentId.eq(id))
        .filter(deposit_hint::Column::Outcome.is_null())
        .all(app.db.reader())
        .await?;
    let mut waiting = false;
    for hint in hints {
        let Some((receipt, block)) = watch::mined(app, hash(&hint.transaction_hash)?).await? else {
            // A hash that no block of the chain shows for an hour is a typing error or was dropped: the scanner will
            // still find the money should it come.
            if app.clock.now() - hint.created_at > Duration::hours(1) {
                close_hint(app, hint, "not found on the chain").await?;
            } else {
                waiting = true;
            }
            continue;
        };
        let treasury = app.chain.treasury();
        let ours: Vec<_> = receipt.transfers.into_iter().filter(|transfer| transfer.to == treasury).collect();
        let outcome = match (receipt.succeeded, ours.is_empty()) {
            (false, _) => "the transaction failed",
            (true, true) => "it moves no USDC to the treasury",
            (true, false) => "seen",
        };
        if receipt.succeeded && !ours.is_empty() {
            let tx = app.db.begin().await?;
            allocate::record(app, &tx, &ours, block.time).await?;
            tx.commit().await?;
        }
        close_hint(app, hint, outcome).await?;
    }
    Ok(waiting)
}

async fn close_hint(app: &App, hint: deposit_hint::Model, outcome: &str) -> Result<()> {
    let tx = app.db.begin().await?;
    let change = deposit_hint::ActiveModel {
        payment_id: Set(hint.payment_id),
        transaction_hash: Set(hint.transaction_hash),
        outcome: Set(Some(outcome.to_owned())),
        ..Default::default()
    };
    change.update(&*tx).await?;
    tx.commit().await
}

/// What arrived for a payment and is not counted yet, in chain order; what was counted, written off after a reorg and comes
/// again is the loss account's.
pub(super) fn seen_for(id: PaymentId) -> Select<chain_transfer::Entity> {
    chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.eq(id))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen))
        .filter(chain_transfer::Column::LostAt.is_null())
        .order_by_asc(chain_transfer::Column::BlockNumber)
        .order_by_asc(chain_transfer::Column::LogIndex)
}

/// What arrived and still stands on the canonical chain; what does not is marked.
pub(super) async fn standing(app: &App, id: PaymentId) -> Result<Vec<chain_transfer::Model>> {
    let mut standing = Vec::new();
    for row in seen_for(id).all(app.db.reader()).await? {
        if strays::stands(app, &row).await? {
            standing.push(row);
        } else {
            let tx = app.db.begin().await?;
            strays::orphan(app, &tx, &row).await?;
            tx.commit().await?;
        }
    }
    Ok(standing)
}

/// Whether the scanner has read a block later than this: only then nothing in time can have been missed.
async fn scanned_past(app: &App, deadline: chrono::DateTime<chrono::Utc>) -> Result<bool> {
    let Some(cursor) = chain_cursor::Entity::find_by_id(chain_id(app)?).one(app.db.reader()).await? else {
        return Ok(false);
    };
    let number = height(cursor.scanned_block)?;
    let block = app.chain.block(BlockTag::Number(number)).await?;
    // A block that is gone says nothing about what stands in its place.
    Ok(block.is_some_and(|block| block.hash.to_string() == cursor.block_hash && block.time > deadline))
}
