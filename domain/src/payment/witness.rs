//! A second node, where one is set: nothing is credited, sent back or undone that only one of the two shows.

use entities::{chain_transfer, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    numbers::{height, poll},
    record,
};
use crate::{
    App, Error, Tx,
    error::Result,
    events,
    ports::{
        PortError,
        chain::{BlockTag, Chain, Receipt, Transfer, TxHash},
    },
};

/// After so many looks in vain somebody has to look at the nodes.
const ALARM: i32 = 20;

const OTHER_CHAIN: &str = "the node does not answer for the chain that it has to be on";
const SILENT: &str = "the second node does not answer";
const DISAGREE: &str = "the two nodes do not show the same yet";

/// What speaks against counting these transfers; nothing when both nodes show them alike. With one node only its chain is
/// checked.
pub(super) async fn doubt(app: &App, rows: &[chain_transfer::Model]) -> Result<Option<&'static str>> {
    if rows.is_empty() {
        return Ok(None);
    }
    if refuses(app.chain.verify().await)? {
        return Ok(Some(OTHER_CHAIN));
    }
    let Some(witness) = &app.witness else { return Ok(None) };
    match witness.verify().await {
        Ok(()) => {}
        Err(PortError::Refused { .. }) => return Ok(Some(OTHER_CHAIN)),
        Err(PortError::Transient { .. }) => return Ok(Some(SILENT)),
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

/// A first node that is on another chain is doubted; one that does not answer is asked again.
fn refuses(verified: Result<(), PortError>) -> Result<bool> {
    match verified {
        Ok(()) => Ok(false),
        Err(error @ PortError::Refused { .. }) => {
            tracing::error!(%error, "nothing is credited by this node");
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
    let hash: TxHash =
        row.transaction_hash.parse().map_err(|_| Error::bug("a stored hash does not parse"))?;
    let receipt = node.receipt(hash).await?;
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
    Ok(match witness.block(BlockTag::Number(height(row.block_number)?)).await {
        Ok(block) => block.is_none_or(|block| block.hash.to_string() == row.block_hash),
        Err(error) => {
            tracing::warn!(%error, transfer = %row.id, "the second node does not say whether a reorg undid this");
            true
        }
    })
}

/// The deposit waits, and says why.
pub(super) async fn wait(app: &App, tx: &Tx, payment: &payment::Model, doubt: &str) -> Result<()> {
    if payment.look > 0 && payment.look % ALARM == 0 {
        tracing::error!(payment = %payment.id, doubt, looks = payment.look, "a deposit cannot be credited");
    }
    if payment.hold_reason.as_deref() != Some(doubt) {
        events::payment_updated(app, &**tx, payment.id).await?;
    }
    let change = payment::ActiveModel {
        id: Set(payment.id),
        hold_reason: Set(Some(doubt.to_owned())),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let payment = change.update(&**tx).await?;
    record::look_at(app, tx, &payment, app.clock.now() + poll(app)).await
}
