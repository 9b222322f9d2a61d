//! A second node, where one is set: nothing is credited, sent back or undone that only one of the two shows. And what is said
//! of nodes that keep deposits waiting.

use chrono::{DateTime, Duration, Utc};
use entities::{chain_cursor, chain_transfer, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    depth::Depth,
    numbers::{hash, height},
    record,
};
use crate::{
    App, Error, Tx,
    error::Result,
    notification::{Notice, notify_admins},
    ports::{
        PortError,
        chain::{BlockTag, Chain, Receipt, Transfer},
    },
};

/// After so many looks in vain somebody has to look at the nodes.
const ALARM: i32 = 20;
/// So long something may be wrong with a node before administrators hear of it; and so far may the two be apart.
const PATIENCE: Duration = Duration::minutes(5);

/// So far a final block is behind the newest one at the most: on a chain that is well it is some minutes.
const FINAL_PATIENCE: Duration = Duration::hours(1);

const OTHER_CHAIN: &str = "the node does not answer for the chain that it has to be on";
const SILENT: &str = "the second node does not answer";
const APART: &str = "the newest block of one node is minutes older than that of the other";
const NOT_FINAL: &str =
    "the newest final block of a node is more than an hour behind, and large deposits need a final one";
const DISAGREE: &str = "the two nodes do not show the same yet";

/// What speaks against counting these transfers; nothing when both nodes show them alike. With one node only its chain is
/// checked.
pub(super) async fn doubt(
    app: &App,
    depth: &Depth,
    rows: &[chain_transfer::Model],
) -> Result<Option<&'static str>> {
    if rows.is_empty() {
        return Ok(None);
    }
    if depth.is_silent() {
        return Ok(hindrance(depth));
    }
    if refuses(app.chain.verify().await)? {
        return Ok(Some(OTHER_CHAIN));
    }
    let Some(witness) = &app.witness else { return Ok(None) };
    if let Some(trouble) = astray(witness.as_ref()).await {
        return Ok(Some(trouble));
    }
    for row in rows {
        let first = shown(app.chain.as_ref(), row).await?;
        let second = match shown(witness.as_ref(), row).await {
            Ok(second) => second,
            Err(Error::Port(error)) => {
                tracing::warn!(%error, "the second node gives no answer");
                return Ok(Some(SILENT));
            }
            Err(error) => return Err(error),
        };
        let agree = matches!((&first, &second), (Some(one), Some(two)) if one.transfers == two.transfers);
        if !agree || !first.is_some_and(|receipt| receipt.transfers.iter().any(|one| is_it(row, one))) {
            return Ok(Some(DISAGREE));
        }
    }
    Ok(None)
}

/// Why what came may never be deep enough: the second node does not see the chain grow.
pub(super) fn hindrance(depth: &Depth) -> Option<&'static str> {
    if depth.is_silent() {
        return Some(SILENT);
    }
    (depth.apart() > PATIENCE).then_some(APART)
}

/// A first node that is on another chain is doubted; one that does not answer is asked again.
pub(super) fn refuses(verified: Result<(), PortError>) -> Result<bool> {
    match verified {
        Ok(()) => Ok(false),
        Err(error @ PortError::Refused { .. }) => {
            tracing::error!(%error, "nothing is credited or undone by this node");
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

/// The receipt as a node shows it, if it is in the very block that we know of, and that block is in the node's chain.
async fn shown(node: &dyn Chain, row: &chain_transfer::Model) -> Result<Option<Receipt>> {
    let block = node.block(BlockTag::Number(height(row.block_number)?)).await?;
    if block.is_none_or(|block| block.hash.to_string() != row.block_hash) {
        return Ok(None);
    }
    let receipt = node.receipt(hash(&row.transaction_hash)?).await?;
    Ok(receipt.filter(|receipt| receipt.succeeded && receipt.block_hash.to_string() == row.block_hash))
}

fn is_it(row: &chain_transfer::Model, shown: &Transfer) -> bool {
    i64::try_from(shown.log_index) == Ok(row.log_index.into())
        && shown.amount == Some(row.amount)
        && shown.from.to_string() == row.from_address
        && shown.to.to_string() == row.to_address
}

/// Whether the second node has this block in its chain, or at least does not say that it has not.
pub(super) async fn still_shows(app: &App, row: &chain_transfer::Model) -> Result<bool> {
    let Some(witness) = &app.witness else { return Ok(false) };
    Ok(has(witness.as_ref(), row).await?.unwrap_or(true))
}

/// Whether the second node has this very block in its chain, where there is a second node. One that does not answer has not.
pub(super) async fn shows(app: &App, row: &chain_transfer::Model) -> Result<bool> {
    let Some(witness) = &app.witness else { return Ok(true) };
    Ok(has(witness.as_ref(), row).await?.unwrap_or(false))
}

/// Whether a node has the block of a transfer in its chain; `None` where it does not answer, does not reach so far, or speaks of
/// another chain.
async fn has(node: &dyn Chain, row: &chain_transfer::Model) -> Result<Option<bool>> {
    Ok(match node.block(BlockTag::Number(height(row.block_number)?)).await {
        Ok(None) => None,
        Ok(Some(block)) if block.hash.to_string() == row.block_hash => Some(true),
        Ok(Some(_)) => astray(node).await.is_none().then_some(false),
        Err(error) => {
            tracing::warn!(%error, transfer = %row.id, "the second node does not say whether it has a transfer's block");
            None
        }
    })
}

/// The deposit says what it waits for beside its confirmations, or that it is nothing any more.
pub(super) async fn say(
    app: &App,
    tx: &Tx,
    payment: payment::Model,
    doubt: Option<&str>,
) -> Result<payment::Model> {
    if doubt.is_some() && payment.look > 0 && payment.look % ALARM == 0 {
        tracing::error!(payment = %payment.id, doubt, looks = payment.look, "a deposit cannot be credited");
    }
    record::reason(app, tx, payment, doubt).await
}

/// What is wrong with the nodes as a whole. While it is the second one, nothing is credited and nothing undone; while a node's
/// final block stays behind, that is so for what needs one alone, and nobody else hears of it.
pub(super) async fn trouble(app: &App, depth: &Depth, needs_final: bool) -> Option<&'static str> {
    if let Some(witness) = &app.witness {
        let second = match hindrance(depth) {
            None => astray(witness.as_ref()).await,
            hindrance => hindrance,
        };
        if second.is_some() {
            return second;
        }
    }
    (needs_final && depth.final_lag() > FINAL_PATIENCE).then_some(NOT_FINAL)
}

/// The nodes do not agree on what was booked for a transfer: administrators hear of it, once each time that it begins.
pub(super) async fn tell_dispute(
    app: &App,
    tx: &Tx,
    row: &chain_transfer::Model,
    since: DateTime<Utc>,
) -> Result<()> {
    tracing::error!(transfer = %row.id, %since, "the nodes do not agree on a transfer that is booked");
    let event = format!("{}:DISPUTED:{}", row.id, since.timestamp_micros());
    let notice = Notice::NodeTrouble { since: minute(since), reason: DISAGREE.to_owned() };
    notify_admins(app, tx, &notice, &event).await
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

async fn astray(witness: &dyn Chain) -> Option<&'static str> {
    match witness.verify().await {
        Ok(()) => None,
        Err(PortError::Refused { .. }) => Some(OTHER_CHAIN),
        Err(PortError::Transient { .. }) => Some(SILENT),
    }
}

/// Keeps what is wrong beside the scanner's place, which is locked, and tells administrators once an outage: when it lasts, and
/// when it is over.
pub(super) async fn keep(
    app: &App,
    tx: &Tx,
    cursor: &chain_cursor::Model,
    trouble: Option<&str>,
) -> Result<()> {
    let now = app.clock.now();
    let told_at = cursor.trouble_told_at;
    // Who was told that large deposits wait has to hear when all of them do, and that lasts.
    let worse = cursor.trouble.as_deref() == Some(NOT_FINAL) && trouble.is_some_and(|now| now != NOT_FINAL);
    let since = match (cursor.trouble_since, trouble) {
        (None, None) => return Ok(()),
        (Some(since), _) if !worse || told_at.is_none() => since,
        _ => now,
    };
    let event = format!("node:{}", since.timestamp_micros());
    let mut change = chain_cursor::ActiveModel { chain_id: Set(cursor.chain_id), ..Default::default() };
    change.trouble = Set(trouble.map(str::to_owned));
    change.trouble_since = Set(trouble.map(|_| since));
    change.trouble_told_at = Set(told_at);
    match trouble {
        Some(reason)
            if now - since >= PATIENCE && told_at.is_none_or(|told| told < since && reason != NOT_FINAL) =>
        {
            tracing::error!(reason, %since, "deposits wait for a node");
            change.trouble_told_at = Set(Some(now));
            let notice = Notice::NodeTrouble { since: minute(since), reason: reason.to_owned() };
            notify_admins(app, tx, &notice, &event).await?;
        }
        None if told_at.is_some() => {
            change.trouble_told_at = Set(None);
            notify_admins(app, tx, &Notice::NodesAgree, &format!("{event}:OVER")).await?;
        }
        _ => {}
    }
    change.update(&**tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
