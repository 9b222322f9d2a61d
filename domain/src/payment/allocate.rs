//! Which payment a transfer pays. Each (chain, transaction, log) is counted once.

use chrono::{DateTime, Utc};
use entities::{
    ChainTransferStatus, PaymentKind, PaymentStatus, Usdc, UserId, chain_transfer, deposit_hint, payment,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{
    moved,
    numbers::{chain_id, stored},
    record, transfers,
};
use crate::{
    App, Error, Tx,
    error::Result,
    events,
    ports::chain::{Transfer, TxHash},
    wallet,
};

/// Records what one transaction sent to the treasury, and gives each transfer to the payment that it pays, if there is
/// one. `sent` is all of it, in chain order: a reorg may have moved the transaction to another block, and its transfers to
/// other places there, and what was seen before is then only moved (see [`moved`]).
pub(super) async fn record(app: &App, tx: &Tx, sent: &[Transfer], block_time: DateTime<Utc>) -> Result<()> {
    // Nothing, or more than all USDC there is: neither is a deposit.
    let sent = sent.iter().filter_map(|transfer| {
        transfer.amount.filter(|amount| amount.is_positive()).map(|amount| (transfer, amount))
    });
    for (transfer, amount) in moved::follow(app, tx, sent.collect(), block_time).await? {
        arrive(app, tx, transfer, amount, block_time).await?;
    }
    Ok(())
}

/// A transfer that was never seen before.
async fn arrive(
    app: &App,
    tx: &Tx,
    transfer: &Transfer,
    amount: Usdc,
    block_time: DateTime<Utc>,
) -> Result<()> {
    let user = wallet::owner_of(&**tx, transfer.from, app.clock.now()).await?;
    let payment = match user {
        Some(user) => choose(tx, user, transfer.transaction_hash, amount, block_time).await?,
        None => None,
    };
    let now = app.clock.now();
    let row = chain_transfer::ActiveModel {
        id: Set(app.clock.new_id()),
        chain_id: Set(chain_id(app)?),
        transaction_hash: Set(transfer.transaction_hash.to_string()),
        log_index: Set(log_index(transfer)?),
        from_address: Set(transfer.from.to_string()),
        to_address: Set(transfer.to.to_string()),
        amount: Set(amount),
        block_number: Set(stored(transfer.block_number)?),
        block_hash: Set(transfer.block_hash.to_string()),
        block_time: Set(block_time),
        status: Set(ChainTransferStatus::Seen),
        user_id: Set(user),
        payment_id: Set(payment.as_ref().map(|payment| payment.id)),
        undone: Set(0),
        moved_at: Set(None),
        lost_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let once = OnConflict::columns([
        chain_transfer::Column::ChainId,
        chain_transfer::Column::TransactionHash,
        chain_transfer::Column::LogIndex,
    ])
    .do_nothing()
    .to_owned();
    if chain_transfer::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await? == 0 {
        // The scanner and a hint came upon it at the same moment.
        return Ok(());
    }
    tracing::info!(
        transaction = %transfer.transaction_hash,
        %amount,
        payment = payment.as_ref().map(|payment| payment.id.to_string()),
        "USDC arrived"
    );
    match payment {
        Some(payment) => arrived(app, tx, &payment).await,
        None => Ok(()),
    }
}

/// The transfer's place in its block, as a column holds it.
pub(super) fn log_index(transfer: &Transfer) -> Result<i32> {
    i32::try_from(transfer.log_index).map_err(|_| Error::bug("a log index beyond 31 bits"))
}

/// Looks at the deposit at once, and tells subscribers: what has arrived is news even when more is missing.
pub(super) async fn arrived(app: &App, tx: &Tx, payment: &payment::Model) -> Result<()> {
    events::payment_updated(app, &**tx, payment.id).await?;
    record::look_at(app, tx, payment, app.clock.now()).await
}

/// The open deposit of this payer that the transfer pays: the one hinted; else the one that misses exactly
/// this sum, oldest first; else the oldest.
async fn choose(
    tx: &Tx,
    payer: UserId,
    hash: TxHash,
    amount: Usdc,
    block_time: DateTime<Utc>,
) -> Result<Option<payment::Model>> {
    let open = payment::Entity::find()
        .filter(payment::Column::PayerId.eq(payer))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::Status.eq(PaymentStatus::AwaitingFunds))
        .filter(payment::Column::ExpiresAt.gte(block_time))
        .order_by_asc(payment::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?;
    let ids: Vec<_> = open.iter().map(|payment| payment.id).collect();
    let hinted = deposit_hint::Entity::find()
        .filter(deposit_hint::Column::TransactionHash.eq(hash.to_string()))
        .filter(deposit_hint::Column::PaymentId.is_in(ids.iter().copied()))
        .order_by_asc(deposit_hint::Column::PaymentId)
        .one(&**tx)
        .await?;
    if let Some(hint) = hinted {
        return Ok(open.into_iter().find(|payment| payment.id == hint.payment_id));
    }
    let arrived = transfers::of_payments(&**tx, &ids).await?;
    for payment in &open {
        let so_far = arrived.get(&payment.id).map_or(&[][..], Vec::as_slice);
        if payment.amount.minus(Usdc::sum(so_far.iter().map(|row| row.amount))?)? == amount {
            return Ok(Some(payment.clone()));
        }
    }
    Ok(open.into_iter().next())
}

#[cfg(test)]
mod tests;
