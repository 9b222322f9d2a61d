//! Which payment a transfer pays. Each (chain, transaction, log) is counted once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::{
    ChainTransferStatus, PaymentId, PaymentKind, Usdc, UserId, chain_transfer, deposit_hint, payment,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict,
};

use super::{
    moved,
    numbers::{chain_id, stored},
    record,
    state::OPEN,
    transfers,
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
    let sent: Vec<_> = sent
        .iter()
        .filter_map(|transfer| {
            transfer.amount.filter(|amount| amount.is_positive()).map(|amount| (transfer, amount))
        })
        .collect();
    let Some((first, _)) = sent.first() else { return Ok(()) };
    let mut senders = HashMap::new();
    for (Transfer { from, .. }, _) in &sent {
        if !senders.contains_key(from) {
            senders.insert(*from, wallet::owner_of(&**tx, *from, app.clock.now()).await?);
        }
    }
    let seen = moved::seen_of(app, first.transaction_hash)?.all(&**tx).await?;
    let payments =
        lock(tx, senders.values().copied().flatten(), seen.iter().filter_map(|row| row.payment_id)).await?;
    for (transfer, amount) in moved::follow(app, tx, sent, block_time, &payments).await? {
        let user = senders.get(&transfer.from).copied().flatten();
        arrive(app, tx, (transfer, amount), user, block_time, &payments).await?;
    }
    Ok(())
}

/// Locks all that a transaction may touch, before its transfers and in the order of ids, as everybody does: the open deposits
/// of those who sent, and the payments that its transfers were given to before.
async fn lock(
    tx: &Tx,
    senders: impl Iterator<Item = UserId> + Send,
    seen: impl Iterator<Item = PaymentId> + Send,
) -> Result<Vec<payment::Model>> {
    use payment::Column;
    let open = Condition::all()
        .add(Column::Kind.eq(PaymentKind::Deposit))
        .add(Column::PayerId.is_in(senders))
        .add(Column::Status.is_in(OPEN));
    let which = Condition::any().add(open).add(Column::Id.is_in(seen));
    record::lock_all(tx, payment::Entity::find().filter(which)).await
}

/// A transfer that was never seen before, from this person if it is one.
async fn arrive(
    app: &App,
    tx: &Tx,
    (transfer, amount): (&Transfer, Usdc),
    user: Option<UserId>,
    block_time: DateTime<Utc>,
    payments: &[payment::Model],
) -> Result<()> {
    let payment = match user {
        Some(user) => choose(tx, payments, user, transfer.transaction_hash, amount, block_time).await?,
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

/// The open deposit of this payer that the transfer pays: the one hinted; else the one that misses exactly this sum, oldest
/// first; else the oldest that misses something. Where none does, what comes is a surplus of the oldest, and goes back when
/// that one is credited.
async fn choose(
    tx: &Tx,
    payments: &[payment::Model],
    payer: UserId,
    hash: TxHash,
    amount: Usdc,
    block_time: DateTime<Utc>,
) -> Result<Option<payment::Model>> {
    let is_open = |payment: &&payment::Model| {
        payment.kind == PaymentKind::Deposit
            && payment.payer_id == Some(payer)
            && OPEN.contains(&payment.status)
            && payment.expires_at.is_some_and(|deadline| deadline >= block_time)
    };
    let open: Vec<_> = payments.iter().filter(is_open).collect();
    let ids: Vec<_> = open.iter().map(|payment| payment.id).collect();
    let hinted = deposit_hint::Entity::find()
        .filter(deposit_hint::Column::TransactionHash.eq(hash.to_string()))
        .filter(deposit_hint::Column::PaymentId.is_in(ids.iter().copied()))
        .order_by_asc(deposit_hint::Column::PaymentId)
        .one(&**tx)
        .await?;
    if let Some(hint) = hinted {
        return Ok(open.into_iter().find(|payment| payment.id == hint.payment_id).cloned());
    }
    let arrived = transfers::of_payments(&**tx, &ids).await?;
    let mut missing = Vec::with_capacity(open.len());
    for payment in &open {
        let so_far = arrived.get(&payment.id).map_or(&[][..], Vec::as_slice);
        missing.push(payment.amount.minus(Usdc::sum(so_far.iter().map(|row| row.amount))?)?);
    }
    let exact = missing.iter().position(|missing| *missing == amount);
    let short = || missing.iter().position(|missing| missing.is_positive());
    Ok(open.get(exact.or_else(short).unwrap_or(0)).map(|payment| (*payment).clone()))
}

#[cfg(test)]
mod tests;
