//! A credited deposit is looked at until it is final: its blocks may still be undone.

use entities::{ChainTransferStatus, PaymentId, PaymentKind, PaymentStatus, chain_transfer, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};

use super::{
    allocate,
    depth::Depth,
    numbers::{hash, poll},
    record::{self, Locked},
    strays, undo, witness,
};
use crate::{
    App, Error, Tx,
    error::Result,
    ports::{
        PortError,
        chain::{Block, BlockTag, Chain, Receipt, TxHash},
    },
    queue::Outcome,
};

/// A credited deposit is looked at so many times less often than one that waits.
pub(super) const PACE: i32 = 12;

/// Looks at a credited deposit once: what it was credited for still stands, is final, or is gone.
pub(super) async fn watch(app: &App, seen: &payment::Model) -> Result<Outcome> {
    let id = seen.id;
    let depth = Depth::now(app).await?;
    let looked = look(app, credited_for(app.db.reader(), id).await?).await?;
    let rows: Vec<_> = looked.iter().map(|(row, _)| row.clone()).collect();

    let tx = app.db.begin().await?;
    let Locked { payment, milestone } = record::lock(&tx, id).await?;
    if !is_credited(&payment) || record::was_woken(&payment, seen) {
        return Ok(Outcome::Done);
    }
    let now = app.clock.now();
    if credited_for(&*tx, id).await? != rows {
        // Something was moved while the chain was asked: look again at all of it.
        record::look_at(app, &tx, &payment, now).await?;
        tx.commit().await?;
        return Ok(Outcome::Done);
    }
    let needs = payment.required_confirmations;
    // A block that was not left behind has its confirmations for good: a node that lags shows fewer.
    let shaken = looked.iter().any(|(row, found)| match found {
        Found::Gone => true,
        Found::Stands => row.moved_at.is_some() && !depth.may_count(row, needs),
        Found::Disputed => false,
    });
    if !shaken {
        let (mut done, mut settles) = (true, Vec::new());
        for (row, found) in &looked {
            let stands = *found == Found::Stands;
            settles.extend((stands && depth.counts(row, needs)).then_some(row));
            done &= stands && depth.is_final(row);
        }
        for row in settles {
            settled(&tx, row).await?;
        }
        if done {
            finish(app, &tx, &payment, !looked.is_empty()).await?;
        } else {
            record::look_at(app, &tx, &payment, now + poll(app) * PACE).await?;
        }
    } else if undo::is_spent(&tx, &payment, milestone.as_ref(), &rows).await? {
        let gone: Vec<_> =
            looked.into_iter().filter(|(_, found)| *found == Found::Gone).map(|(row, _)| row).collect();
        record::look_at(app, &tx, &payment, now + poll(app)).await?;
        if undo::lose(app, &tx, &gone, Some(&payment)).await? {
            undo::read_back(app, &tx).await?;
            undo::stop_paying(app, &tx).await?;
        }
    } else {
        let stand: Vec<_> = looked.into_iter().map(|(row, found)| (row, found != Found::Gone)).collect();
        undo::undo(app, &tx, &payment, milestone.as_ref(), &stand).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

pub(super) fn is_credited(payment: &payment::Model) -> bool {
    payment.kind == PaymentKind::Deposit && payment.status == PaymentStatus::Completed
}

/// Each transfer as it is now, and what is said of it. One whose block is gone may be in another by now.
async fn look(app: &App, rows: Vec<chain_transfer::Model>) -> Result<Vec<(chain_transfer::Model, Found)>> {
    let mut looked = Vec::with_capacity(rows.len());
    for row in rows {
        looked.push(find(app, row).await?);
    }
    Ok(looked)
}

/// What the chain says of a transfer that was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is there.
    Stands,
    /// It is there no more.
    Gone,
    /// One node says so, and the other does not.
    Disputed,
}

/// Whether a transfer is on the chain, in the block that we know of or in another one, to which it is moved then. Nothing
/// is undone on the word of one node while the other still shows it.
pub(super) async fn find(app: &App, row: chain_transfer::Model) -> Result<(chain_transfer::Model, Found)> {
    if strays::stands(app, &row).await? {
        // It was moved there on the word of the first node alone.
        let found = if row.moved_at.is_none() { Found::Stands } else { moved_to(app, &row).await? };
        return Ok((row, found));
    }
    if witness::still_shows(app, &row).await? {
        return Ok((row, Found::Disputed));
    }
    let mined = mined(app, hash(&row.transaction_hash)?).await?;
    let Some((receipt, block)) = mined.filter(|(receipt, _)| receipt.succeeded) else {
        // Nor on the word of a node that speaks of another chain.
        let astray = witness::refuses(app.chain.verify().await)?;
        return Ok((row, if astray { Found::Disputed } else { Found::Gone }));
    };
    let treasury = app.chain.treasury();
    let ours: Vec<_> = receipt.transfers.into_iter().filter(|transfer| transfer.to == treasury).collect();
    let tx = app.db.begin().await?;
    allocate::record(app, &tx, &ours, block.time).await?;
    let now = chain_transfer::Entity::find_by_id(row.id).one(&*tx).await?;
    tx.commit().await?;
    let now = now.ok_or_else(|| Error::bug("a chain transfer vanished"))?;
    let stands = now.block_hash == block.hash.to_string();
    let found = if stands { moved_to(app, &now).await? } else { Found::Gone };
    Ok((now, found))
}

/// Whether the second node shows a transfer where the first one has it by now.
async fn moved_to(app: &App, row: &chain_transfer::Model) -> Result<Found> {
    Ok(if witness::shows(app, row).await? { Found::Stands } else { Found::Disputed })
}

/// The receipt of a transaction, with its block, if that one is in the chain: a height alone names no block, and a node may still
/// show the receipt of one that is gone.
pub(super) async fn mined(app: &App, hash: TxHash) -> Result<Option<(Receipt, Block)>> {
    Ok(mined_by(app.chain.as_ref(), hash).await?)
}

/// The same as one of the nodes shows it.
pub(super) async fn mined_by(
    node: &dyn Chain,
    hash: TxHash,
) -> std::result::Result<Option<(Receipt, Block)>, PortError> {
    let Some(receipt) = node.receipt(hash).await? else { return Ok(None) };
    let block = node.block(BlockTag::Number(receipt.block_number)).await?;
    Ok(block.filter(|block| block.hash == receipt.block_hash).map(|block| (receipt, block)))
}

/// What a deposit was credited for, in chain order.
async fn credited_for(conn: &impl ConnectionTrait, id: PaymentId) -> Result<Vec<chain_transfer::Model>> {
    Ok(chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.eq(id))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Credited))
        .order_by_asc(chain_transfer::Column::BlockNumber)
        .order_by_asc(chain_transfer::Column::LogIndex)
        .all(conn)
        .await?)
}

/// It is deep enough where it was moved to.
async fn settled(tx: &Tx, row: &chain_transfer::Model) -> Result<()> {
    if row.moved_at.is_some() {
        let change =
            chain_transfer::ActiveModel { id: Set(row.id), moved_at: Set(None), ..Default::default() };
        change.update(&**tx).await?;
    }
    Ok(())
}

/// Nothing is left to look at: all that stands is final, or nothing does.
async fn finish(app: &App, tx: &Tx, payment: &payment::Model, stands: bool) -> Result<()> {
    let change = payment::ActiveModel {
        id: Set(payment.id),
        due_at: Set(None),
        final_at: Set(stands.then(|| payment.final_at.unwrap_or_else(|| app.clock.now()))),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}
