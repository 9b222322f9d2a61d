//! What was booked of blocks that a reorg touched: undone where it is on the chain no more, and looked at again and again while
//! the nodes do not agree whether it is, or it is not as deep as before.

use chrono::Duration;
use entities::{ChainTransferStatus, LedgerTransferKind, PaymentStatus, chain_transfer, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};

use super::{
    depth::Depth,
    record,
    settle::TREASURY,
    state::BOOKED,
    strays::A_LOOK,
    unallocated,
    undo::{locked_deposit, lose, stop_paying, unbook},
    watch::{self, Found},
    witness,
};
use crate::{
    App, Tx,
    error::Result,
    ledger::{self, Account},
};

/// The nodes may be of two minds so long before administrators hear of it.
const PATIENCE: Duration = Duration::hours(1);

/// Sees to what is booked: after a reorg to all from a height on, and at each look to what a reorg touched before. For the scanner,
/// whose place moves on meanwhile: what is not decided yet is kept with the transfer itself.
pub(super) async fn see_to(app: &App, depth: &Depth, reorganised: Option<u64>) -> Result<()> {
    let mut rows = match reorganised {
        Some(from) => {
            let from = i64::try_from(from).unwrap_or(i64::MAX);
            booked().filter(chain_transfer::Column::BlockNumber.gte(from)).all(app.db.reader()).await?
        }
        None => Vec::new(),
    };
    // Without the second node nothing is decided.
    if !depth.is_silent() {
        let mut again = touched().all(app.db.reader()).await?;
        again.retain(|row| rows.iter().all(|known| known.id != row.id));
        rows.append(&mut again);
    }
    for row in rows {
        match watch::find(app, row.clone()).await {
            Ok((row, Found::Gone)) => fell(app, &row).await?,
            Ok((row, Found::Stands)) if row.moved_at.is_none() => {}
            Ok((row, found)) => keep(app, depth, &row, found).await?,
            // A node that does not say, or does not reach so far, keeps nobody waiting: it is asked again at the next look.
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, transfer = %row.id, "a node does not say whether a transfer stands");
                keep(app, depth, &row, Found::Disputed).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn booked() -> Select<chain_transfer::Entity> {
    chain_transfer::Entity::find().filter(chain_transfer::Column::Status.is_in(BOOKED))
}

/// Some of what a reorg touched, but for what credited deposits were credited with, which their own looks see to.
fn touched() -> Select<chain_transfer::Entity> {
    let credited = payment::Entity::find()
        .select_only()
        .column(payment::Column::Id)
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .into_query();
    let nobodys = Condition::any()
        .add(chain_transfer::Column::PaymentId.is_null())
        .add(chain_transfer::Column::PaymentId.not_in_subquery(credited));
    booked()
        .filter(chain_transfer::Column::MovedAt.is_not_null())
        .filter(nobodys)
        // What was looked at in vain stands behind what was not.
        .order_by_asc(chain_transfer::Column::UpdatedAt)
        .order_by_asc(chain_transfer::Column::Id)
        .limit(A_LOOK)
}

/// A transfer, locked, if it still is as it was read: nobody moved it meanwhile, or undid it.
async fn is_still(tx: &Tx, row: &chain_transfer::Model) -> Result<bool> {
    let now = chain_transfer::Entity::find_by_id(row.id).lock_exclusive().one(&**tx).await?;
    Ok(now.as_ref() == Some(row))
}

/// Notes on a transfer that a reorg touched it, or that this is over: both nodes show it, as deep as it has to be. Until then
/// nobody decides on it, and it is looked at again, after the others.
async fn keep(app: &App, depth: &Depth, row: &chain_transfer::Model, found: Found) -> Result<()> {
    let tx = app.db.begin().await?;
    let deposit = locked_deposit(&tx, row).await?;
    if !is_still(&tx, row).await? {
        return Ok(());
    }
    let credited = deposit.as_ref().filter(|deposit| watch::is_credited(deposit));
    let over = found == Found::Stands && credited.is_none() && depth.counts_for(app, row, deposit.as_ref());
    let now = app.clock.now();
    match row.moved_at {
        None => {
            tracing::warn!(transfer = %row.id, block = row.block_number, "one node shows a booked transfer no more")
        }
        Some(since) if found == Found::Disputed && now - since >= PATIENCE => {
            witness::tell_dispute(app, &tx, row, since).await?;
        }
        Some(_) => {}
    }
    let change = chain_transfer::ActiveModel {
        id: Set(row.id),
        moved_at: Set(if over { None } else { row.moved_at.or(Some(now)) }),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    // One that was final is watched again.
    if let Some(deposit) = credited.filter(|deposit| deposit.due_at.is_none()) {
        record::look_at(app, &tx, deposit, now).await?;
    }
    tx.commit().await
}

/// Undoes what was booked for a transfer that fell; a credited deposit's own look sees to its own.
async fn fell(app: &App, row: &chain_transfer::Model) -> Result<()> {
    let tx = app.db.begin().await?;
    let deposit = locked_deposit(&tx, row).await?;
    let nobodys = unallocated::is_open_whole(&tx, row).await?;
    if !is_still(&tx, row).await? {
        return Ok(());
    }
    match deposit {
        Some(deposit) if watch::is_credited(&deposit) => {
            record::look_at(app, &tx, &deposit, app.clock.now()).await?;
        }
        _ if nobodys => take_back_unallocated(app, &tx, row).await?,
        deposit => {
            if lose(app, &tx, std::slice::from_ref(row), deposit.as_ref()).await? {
                stop_paying(app, &tx).await?;
            }
        }
    }
    tx.commit().await
}

/// Nobody got it yet: it is as if it had never come.
async fn take_back_unallocated(app: &App, tx: &Tx, row: &chain_transfer::Model) -> Result<()> {
    let lines = [(TREASURY, row.amount.negated()?), (Account::Unallocated, row.amount)];
    let key = format!("{}:UNALLOCATED:{}:REVERSED", row.id, row.undone);
    ledger::post(app, tx, LedgerTransferKind::UnallocatedReversed, &key, None, &lines).await?;
    unallocated::undone(app, tx, &[row.id]).await?;
    unbook(app, tx, row, ChainTransferStatus::Orphaned, false).await
}
