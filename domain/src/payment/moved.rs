//! A transaction that a reorg moved to another block. The transfers are the same; their block is another, and so may be
//! their places in it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entities::{ChainTransferStatus, PaymentStatus, Usdc, chain_transfer, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use super::{
    allocate::{arrived, log_index},
    numbers::{chain_id, stored},
    record,
    state::{BOOKED, OPEN},
};
use crate::{
    App, Tx,
    error::Result,
    ports::chain::{Transfer, TxHash},
};

/// Rows whose block is gone give up their place in it, because another transfer may have it now: they get one from here
/// on, which no log of any block has.
const FREED: i32 = 1 << 30;
/// So many transactions are looked up at once.
const QUERIED: usize = 500;

/// Without what is known already just where it stands: the scanner reads its last blocks again and again. All transfers of a
/// transaction stay together.
pub(super) async fn news(app: &App, transfers: Vec<Transfer>) -> Result<Vec<Transfer>> {
    let hashes: HashSet<_> = transfers.iter().map(|transfer| transfer.transaction_hash.to_string()).collect();
    let hashes: Vec<_> = hashes.into_iter().collect();
    let mut known = HashSet::new();
    for hashes in hashes.chunks(QUERIED) {
        let rows = chain_transfer::Entity::find()
            .filter(chain_transfer::Column::ChainId.eq(chain_id(app)?))
            .filter(chain_transfer::Column::TransactionHash.is_in(hashes))
            // One that was orphaned is back.
            .filter(chain_transfer::Column::Status.ne(ChainTransferStatus::Orphaned))
            .all(app.db.reader())
            .await?;
        known.extend(rows.into_iter().map(|row| (row.transaction_hash, row.block_hash, row.log_index)));
    }
    let mut news = Vec::new();
    for sent in transfers.chunk_by(|one, next| one.transaction_hash == next.transaction_hash) {
        let mut all_known = true;
        for transfer in sent.iter().filter(|transfer| transfer.amount.is_some_and(Usdc::is_positive)) {
            let (hash, block) = (transfer.transaction_hash.to_string(), transfer.block_hash.to_string());
            all_known &= known.contains(&(hash, block, log_index(transfer)?));
        }
        if !all_known {
            news.extend_from_slice(sent);
        }
    }
    Ok(news)
}

/// What was seen before of a transaction.
pub(super) fn seen_of(app: &App, hash: TxHash) -> Result<Select<chain_transfer::Entity>> {
    Ok(chain_transfer::Entity::find()
        .filter(chain_transfer::Column::ChainId.eq(chain_id(app)?))
        .filter(chain_transfer::Column::TransactionHash.eq(hash.to_string()))
        .order_by_asc(chain_transfer::Column::LogIndex))
}

/// Moves what was seen before of a transaction to where it stands now; what is left was never seen. All of `sent` is of one
/// transaction, in chain order; its payments are locked.
pub(super) async fn follow<'a>(
    app: &App,
    tx: &Tx,
    sent: Vec<(&'a Transfer, Usdc)>,
    block_time: DateTime<Utc>,
    payments: &[payment::Model],
) -> Result<Vec<(&'a Transfer, Usdc)>> {
    let Some((first, _)) = sent.first() else { return Ok(sent) };
    let mut known = seen_of(app, first.transaction_hash)?.lock_exclusive().all(&**tx).await?;
    if known.is_empty() {
        return Ok(sent);
    }
    let (mut new, mut back) = (Vec::new(), Vec::new());
    for (transfer, amount) in sent {
        let (block, place) = (transfer.block_hash.to_string(), log_index(transfer)?);
        match known.iter().position(|row| row.block_hash == block && row.log_index == place) {
            Some(at) => {
                let row = known.remove(at);
                // The chain went back to a block that it had left.
                if row.status == ChainTransferStatus::Orphaned {
                    back.push((row, transfer));
                }
            }
            None => new.push((transfer, amount)),
        }
    }
    free(tx, &mut known).await?;
    let mut unseen = Vec::new();
    for (transfer, amount) in new {
        let from = transfer.from.to_string();
        match known.iter().position(|row| row.from_address == from && row.amount == amount) {
            Some(at) => back.push((known.remove(at), transfer)),
            None => unseen.push((transfer, amount)),
        }
    }
    for (row, transfer) in back {
        let payment = payments.iter().find(|payment| Some(payment.id) == row.payment_id);
        repoint(app, tx, row, transfer, block_time, payment).await?;
    }
    Ok(unseen)
}

async fn free(tx: &Tx, known: &mut [chain_transfer::Model]) -> Result<()> {
    let first = known.iter().map(|row| row.log_index + 1).max().unwrap_or(0).max(FREED);
    for (row, next) in known.iter_mut().filter(|row| row.log_index < FREED).zip(first..) {
        let change =
            chain_transfer::ActiveModel { id: Set(row.id), log_index: Set(next), ..Default::default() };
        row.log_index = change.update(&**tx).await?.log_index;
    }
    Ok(())
}

/// The row stands where the transfer does.
async fn repoint(
    app: &App,
    tx: &Tx,
    row: chain_transfer::Model,
    transfer: &Transfer,
    block_time: DateTime<Utc>,
    payment: Option<&payment::Model>,
) -> Result<()> {
    let now = app.clock.now();
    let booked = BOOKED.contains(&row.status);
    // What was counted stays where it was. What was not goes to a deposit that still waits for it: one that ended meanwhile
    // is not paid any more, and the money belongs to nothing then.
    let payment = payment.filter(|payment| booked || row.lost_at.is_some() || OPEN.contains(&payment.status));
    tracing::warn!(transfer = %row.id, block = transfer.block_number, "a reorg moved a transfer");
    let change = chain_transfer::ActiveModel {
        id: Set(row.id),
        log_index: Set(log_index(transfer)?),
        block_number: Set(stored(transfer.block_number)?),
        block_hash: Set(transfer.block_hash.to_string()),
        block_time: Set(block_time),
        status: Set(if booked { row.status } else { ChainTransferStatus::Seen }),
        payment_id: Set(payment.map(|payment| payment.id)),
        moved_at: Set(booked.then_some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&**tx).await?;
    match payment {
        // Whether it is deep enough there is for the deposit's own look to say.
        Some(payment) if booked && payment.status == PaymentStatus::Completed => {
            record::look_at(app, tx, payment, now).await
        }
        Some(payment) if !booked && row.lost_at.is_none() => arrived(app, tx, payment).await,
        _ => Ok(()),
    }
}
