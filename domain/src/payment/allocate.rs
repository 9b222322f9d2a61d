//! Which payment a transfer pays. Each (chain, transaction, log) is counted once.

use chrono::{DateTime, Utc};
use entities::{
    ChainTransferStatus, PaymentKind, PaymentStatus, Usdc, UserId, chain_transfer, deposit_hint, payment,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use super::{
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

/// Records a transfer to the treasury and gives it to the payment that it pays, if there is one. A
/// transfer seen before is only moved to its new block, should a reorg have moved it.
pub(super) async fn record(app: &App, tx: &Tx, transfer: &Transfer, block_time: DateTime<Utc>) -> Result<()> {
    // Nothing, or more than all USDC there is: neither is a deposit.
    let Some(amount) = transfer.amount.filter(|amount| amount.is_positive()) else { return Ok(()) };
    let chain_id = chain_id(app)?;
    let log_index =
        i32::try_from(transfer.log_index).map_err(|_| Error::bug("a log index beyond 31 bits"))?;
    let block_number = stored(transfer.block_number)?;
    let known = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::ChainId.eq(chain_id))
        .filter(chain_transfer::Column::TransactionHash.eq(transfer.transaction_hash.to_string()))
        .filter(chain_transfer::Column::LogIndex.eq(log_index))
        .one(&**tx)
        .await?;
    if let Some(known) = known {
        return moved(app, tx, known, transfer, block_number, block_time).await;
    }
    let user = wallet::owner_of(&**tx, transfer.from, app.clock.now()).await?;
    let payment = match user {
        Some(user) => choose(tx, user, transfer.transaction_hash, amount, block_time).await?,
        None => None,
    };
    let now = app.clock.now();
    let row = chain_transfer::ActiveModel {
        id: Set(app.clock.new_id()),
        chain_id: Set(chain_id),
        transaction_hash: Set(transfer.transaction_hash.to_string()),
        log_index: Set(log_index),
        from_address: Set(transfer.from.to_string()),
        to_address: Set(transfer.to.to_string()),
        amount: Set(amount),
        block_number: Set(block_number),
        block_hash: Set(transfer.block_hash.to_string()),
        block_time: Set(block_time),
        status: Set(ChainTransferStatus::Seen),
        user_id: Set(user),
        payment_id: Set(payment.as_ref().map(|payment| payment.id)),
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

/// Looks at the deposit at once, and tells subscribers: what has arrived is news even when more is missing.
async fn arrived(app: &App, tx: &Tx, payment: &payment::Model) -> Result<()> {
    events::payment_updated(app, &**tx, payment.id).await?;
    record::look_at(app, tx, payment, app.clock.now()).await
}

/// The same transfer in another block: a reorg moved it. What was credited is left to the reorg's own path.
async fn moved(
    app: &App,
    tx: &Tx,
    known: chain_transfer::Model,
    transfer: &Transfer,
    block_number: i64,
    block_time: DateTime<Utc>,
) -> Result<()> {
    let uncredited = matches!(known.status, ChainTransferStatus::Seen | ChainTransferStatus::Orphaned);
    let same =
        known.block_hash == transfer.block_hash.to_string() && known.status == ChainTransferStatus::Seen;
    if same || !uncredited {
        return Ok(());
    }
    // Payment before transfer, as everybody locks them.
    let payment = match known.payment_id {
        Some(id) => payment::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?,
        None => None,
    };
    // A deposit that ended meanwhile is not paid any more: the money belongs to nothing then.
    let payment =
        payment.filter(|row| matches!(row.status, PaymentStatus::AwaitingFunds | PaymentStatus::Confirming));
    let change = chain_transfer::ActiveModel {
        id: Set(known.id),
        block_number: Set(block_number),
        block_hash: Set(transfer.block_hash.to_string()),
        block_time: Set(block_time),
        status: Set(ChainTransferStatus::Seen),
        payment_id: Set(payment.as_ref().map(|payment| payment.id)),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    change.update(&**tx).await?;
    match payment {
        Some(payment) => arrived(app, tx, &payment).await,
        None => Ok(()),
    }
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
