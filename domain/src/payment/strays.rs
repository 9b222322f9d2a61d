//! Transfers that pay nothing, and transfers that a reorg undid.

use chrono::Duration;
use entities::{
    ChainTransferStatus, LedgerTransferKind, PaymentKind, PaymentRail, PaymentStatus, chain_cursor,
    chain_transfer, payment,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{
    credit,
    depth::Depth,
    numbers::height,
    record::{self, Locked},
    unallocated, undo, watch, witness,
};
use crate::{
    App, Tx,
    error::Result,
    ledger::{self, Account},
    ports::{PortError, chain::BlockTag},
};

/// What a payer sends within this time after a deposit was complete is taken for surplus.
pub(super) const SURPLUS_WINDOW: Duration = Duration::hours(24);

/// Whether the block that a transfer was seen in is still part of the chain. A node that does not know the
/// height (yet) has said nothing: that is tried again.
pub(super) async fn stands(app: &App, row: &chain_transfer::Model) -> Result<bool> {
    let number = height(row.block_number)?;
    let canonical = app.chain.block(BlockTag::Number(number)).await?.ok_or_else(|| PortError::Transient {
        port: "chain",
        reason: format!("the node does not know block {number}"),
    })?;
    Ok(canonical.hash.to_string() == row.block_hash)
}

/// A transfer's block is gone: it counts no more, and the scanner reads back, because the same transfer may
/// stand in another block. Nothing happens when somebody moved it meanwhile. Nothing may be locked after it: the scanner's
/// place is the last.
pub(super) async fn orphan(app: &App, tx: &Tx, row: &chain_transfer::Model) -> Result<()> {
    if !turn(app, tx, row, ChainTransferStatus::Orphaned).await? {
        return Ok(());
    }
    tracing::warn!(transfer = %row.id, block = row.block_number, "a reorg undid a transfer");
    chain_cursor::Entity::update_many()
        // No block has this hash: the scanner takes it for a reorg.
        .col_expr(chain_cursor::Column::BlockHash, Expr::value(""))
        .filter(chain_cursor::Column::ChainId.eq(row.chain_id))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Changes the status of a transfer that still is as it was read. Whether it was.
pub(super) async fn turn(
    app: &App,
    tx: &Tx,
    row: &chain_transfer::Model,
    status: ChainTransferStatus,
) -> Result<bool> {
    let changed = chain_transfer::Entity::update_many()
        .col_expr(chain_transfer::Column::Status, Expr::value(status))
        .col_expr(chain_transfer::Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(chain_transfer::Column::Id.eq(row.id))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen))
        .filter(chain_transfer::Column::BlockHash.eq(&row.block_hash))
        .exec(&**tx)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// How many of them a look of the scanner sees to: each costs the nodes several calls, and anybody can send some.
pub(super) const A_LOOK: u64 = 10;

/// Sees to transfers that wait for no deposit and are deep enough: those that pay nothing, and those that a reorg had undone after
/// they were passed on. A node that gives no answer leaves the rest to the next look.
pub(super) async fn settle(app: &App, depth: &Depth) -> Result<()> {
    // What one node alone shows waits until the other does too.
    if depth.is_silent() {
        return Ok(());
    }
    let deep = depth.head().number.saturating_add(1).saturating_sub(app.settings.confirmations.into());
    let no_deposit = Condition::any()
        .add(chain_transfer::Column::PaymentId.is_null())
        .add(chain_transfer::Column::LostAt.is_not_null());
    let rows = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen))
        .filter(no_deposit)
        .filter(chain_transfer::Column::BlockNumber.lte(i64::try_from(deep).unwrap_or(i64::MAX)))
        // What was looked at in vain stands behind what was not.
        .order_by_asc(chain_transfer::Column::UpdatedAt)
        .order_by_asc(chain_transfer::Column::Id)
        .limit(A_LOOK)
        .all(app.db.reader())
        .await?;
    for row in rows {
        match is_sure(app, depth, &row).await {
            Ok(Some(stands)) => set_aside(app, &row, stands).await?,
            Ok(None) => put_back(app, &row).await?,
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, transfer = %row.id, "transfers that pay nothing wait for the node");
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether a transfer still stands on the chain; nothing while that is not sure enough to book it.
async fn is_sure(app: &App, depth: &Depth, row: &chain_transfer::Model) -> Result<Option<bool>> {
    if !stands(app, row).await? {
        return Ok(Some(false));
    }
    let deposit = match row.payment_id {
        Some(id) => payment::Entity::find_by_id(id).one(app.db.reader()).await?,
        None => None,
    };
    let sure = depth.counts_for(app, row, deposit.as_ref())
        && witness::doubt(app, depth, std::slice::from_ref(row)).await?.is_none();
    Ok(sure.then_some(true))
}

/// Behind the others, for the next look.
async fn put_back(app: &App, row: &chain_transfer::Model) -> Result<()> {
    let tx = app.db.begin().await?;
    chain_transfer::Entity::update_many()
        .col_expr(chain_transfer::Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(chain_transfer::Column::Id.eq(row.id))
        .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen))
        .exec(&*tx)
        .await?;
    tx.commit().await
}

/// Books money that pays nothing, because we hold it all the same: a payer's surplus goes back by itself, the rest is
/// unallocated, for an admin to assign or return. What stands no more is orphaned, what was lost is regained.
async fn set_aside(app: &App, row: &chain_transfer::Model, stands: bool) -> Result<()> {
    let tx = app.db.begin().await?;
    match (stands, row.lost_at) {
        (false, _) => orphan(app, &tx, row).await?,
        (true, Some(_)) => undo::regain(app, &tx, row).await?,
        (true, None) => book(app, &tx, row).await?,
    }
    tx.commit().await
}

async fn book(app: &App, tx: &Tx, row: &chain_transfer::Model) -> Result<()> {
    if let Some(deposit) = surplus_of(tx, row).await? {
        // Its return hangs on the contract, which everybody locks before a transfer.
        let Locked { payment: deposit, .. } = record::lock(tx, deposit.id).await?;
        if !watch::is_credited(&deposit) {
            // Undone at this very moment: the next look finds out what the transfer is then.
            return Ok(());
        }
        if turn(app, tx, row, ChainTransferStatus::Credited).await? {
            credit::give_back_late(app, tx, &deposit, row).await?;
        }
        return Ok(());
    }
    if turn(app, tx, row, ChainTransferStatus::Unallocated).await? {
        let lines = [
            (Account::Treasury(PaymentRail::Chain), row.amount),
            (Account::Unallocated, row.amount.negated()?),
        ];
        // What a reorg undid may be booked again.
        let key = format!("{}:UNALLOCATED:{}", row.id, row.undone);
        ledger::post(app, tx, LedgerTransferKind::UnallocatedReceived, &key, None, &lines).await?;
        unallocated::note(app, tx, row, row.amount, unallocated::reason_of(tx, row).await?).await?;
        tracing::warn!(transfer = %row.id, amount = %row.amount, from = %row.from_address, "USDC that pays nothing");
    }
    Ok(())
}

/// The deposit that a payer has just completed, when what comes now is worth being sent back.
async fn surplus_of(tx: &Tx, row: &chain_transfer::Model) -> Result<Option<payment::Model>> {
    let Some(user) = row.user_id.filter(|_| row.amount >= credit::SMALLEST_RETURN) else { return Ok(None) };
    Ok(payment::Entity::find()
        .filter(payment::Column::PayerId.eq(user))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .filter(payment::Column::CompletedAt.gte(row.block_time - SURPLUS_WINDOW))
        .order_by_desc(payment::Column::Id)
        .one(&**tx)
        .await?)
}
