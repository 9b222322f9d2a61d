//! Following a signed payout until it is final.

use entities::{
    ChainTransactionId, ChainTransactionStatus, PaymentId, PaymentRail, PaymentStatus, Usdc,
    chain_transaction, payment,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::replace;
use crate::{
    App, Error, Tx,
    error::Result,
    payment::{
        circle,
        numbers::{hash, poll, stored},
        record::{self, Locked},
        settle,
        state::Step,
        transfers, watch,
    },
    ports::{
        PortError,
        chain::{Block, BlockTag, Broadcast, Receipt},
    },
    queue::Outcome,
    treasury::switch,
};

/// Looks at a signed payout once: broadcasts what no block shows, and completes or fails what is deep
/// enough.
pub async fn track(app: &App, id: PaymentId) -> Result<Outcome> {
    let Some(payment) = payment::Entity::find_by_id(id).one(app.db.reader()).await? else {
        return Ok(Outcome::Done);
    };
    if !is_under_way(&payment) || !record::is_due(app, &payment) {
        return Ok(Outcome::Done);
    }
    if payment.rail == PaymentRail::Circle {
        return circle::track(app, &payment).await;
    }
    let signed = transfers::signed_for(app.db.reader(), &[id]).await?.remove(&id).unwrap_or_default();
    let newest = signed.first().ok_or_else(|| Error::bug("a submitted payout without its transaction"))?;
    let head = app.chain.block(BlockTag::Latest).await?.ok_or_else(|| {
        Error::Port(PortError::Transient { port: "chain", reason: "no newest block".to_owned() })
    })?;
    let mined = find_mined(app, &signed).await?;
    if mined.is_none() {
        // Doing it again is harmless, and needed after a crash between the commit and the broadcast.
        match app.chain.broadcast(&newest.raw).await {
            Ok(Broadcast::NonceUsed) if nonce_is_gone(app, &payment, newest, &head).await? => {
                return lost(app, id, &signed).await;
            }
            Ok(answer) => tracing::debug!(payment = %id, ?answer, "broadcast"),
            // Signed bytes are never given up: later payouts wait behind their nonce.
            Err(error) => tracing::error!(payment = %id, %error, "a broadcast failed; it is repeated"),
        }
        if let Some(raw) = replace::replace(app, &payment, newest).await? {
            // Its first look is queued already, and broadcasts it again.
            let answer = app.chain.broadcast(&raw).await;
            tracing::info!(payment = %id, ?answer, "the replacement was broadcast");
            return Ok(Outcome::Done);
        }
    }
    record_look(app, id, newest, mined, &head).await
}

/// Whether the nonce was used as deep in the chain as payouts count as final. None of ours is mined and the node knows none
/// of them: then none ever will be.
async fn nonce_is_gone(
    app: &App,
    payment: &payment::Model,
    newest: &chain_transaction::Model,
    head: &Block,
) -> Result<bool> {
    let depth = u64::try_from(payment.required_confirmations.unwrap_or(i32::MAX)).unwrap_or(u64::MAX);
    let Some(deep) = (head.number + 1).checked_sub(depth) else { return Ok(false) };
    let used = app.chain.mined_nonce(app.chain.treasury(), BlockTag::Number(deep)).await?;
    Ok(stored(used)? > newest.nonce)
}

/// Somebody else used the treasury's key: the payout ended without money having moved. Not when the chain shows one of ours after
/// all, or another was signed meanwhile: the next look sees to that.
async fn lost(app: &App, id: PaymentId, signed: &[chain_transaction::Model]) -> Result<Outcome> {
    let shown = find_mined(app, signed).await?.is_some();
    let tx = app.db.begin().await?;
    let Locked { payment, milestone } = record::lock(&tx, id).await?;
    if !is_under_way(&payment) {
        return Ok(Outcome::Done);
    }
    let now = transfers::signed_for(&*tx, &[id]).await?.remove(&id).unwrap_or_default();
    let same = now.iter().map(|row| row.id).eq(signed.iter().map(|row| row.id));
    if shown || !same {
        record::look_at(app, &tx, &payment, app.clock.now() + poll(app)).await?;
        tx.commit().await?;
    } else {
        supersede(app, &tx, id, None).await?;
        let reason = "another transaction took its place on the chain (the treasury's nonce)";
        settle::fail(app, &tx, &payment, milestone, reason).await?;
        // Whoever has the key may take more.
        let alarm = "somebody else signed with the treasury's key, and an administrator has to look";
        switch::engage(app, &tx, None, alarm).await?;
        tx.commit().await?;
    }
    Ok(Outcome::Done)
}

/// Those of an intent's transactions that the chain will never take, because it took another of their nonce.
async fn supersede(app: &App, tx: &Tx, id: PaymentId, but: Option<ChainTransactionId>) -> Result<()> {
    let others = chain_transaction::Entity::update_many()
        .col_expr(chain_transaction::Column::Status, Expr::value(ChainTransactionStatus::Superseded))
        .col_expr(chain_transaction::Column::UpdatedAt, Expr::value(app.clock.now()))
        .filter(chain_transaction::Column::PaymentId.eq(id));
    let others = match but {
        Some(one) => others.filter(chain_transaction::Column::Id.ne(one)),
        None => others,
    };
    others.exec(&**tx).await?;
    Ok(())
}

pub(in crate::payment) const fn is_under_way(payment: &payment::Model) -> bool {
    matches!(payment.status, PaymentStatus::Submitted | PaymentStatus::Confirming)
        && !matches!(payment.kind, entities::PaymentKind::Deposit)
}

/// Whether the chain took one of the transactions that were signed for a payment, and moved its money.
pub(in crate::payment) async fn is_on_the_chain(app: &App, id: PaymentId) -> Result<bool> {
    let signed = transfers::signed_for(app.db.reader(), &[id]).await?.remove(&id).unwrap_or_default();
    Ok(find_mined(app, &signed).await?.is_some_and(|(_, receipt)| receipt.succeeded))
}

/// The one of our transactions that a canonical block shows.
async fn find_mined(
    app: &App,
    signed: &[chain_transaction::Model],
) -> Result<Option<(chain_transaction::Model, Receipt)>> {
    for row in signed {
        if let Some((receipt, _)) = watch::mined(app, hash(&row.hash)?).await? {
            return Ok(Some((row.clone(), receipt)));
        }
    }
    Ok(None)
}

async fn record_look(
    app: &App,
    id: PaymentId,
    newest: &chain_transaction::Model,
    mined: Option<(chain_transaction::Model, Receipt)>,
    head: &Block,
) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Locked { payment, milestone } = record::lock(&tx, id).await?;
    if !is_under_way(&payment) {
        return Ok(Outcome::Done);
    }
    let now = app.clock.now();
    let Some((row, receipt)) = mined else {
        mark(app, &tx, newest, ChainTransactionStatus::Broadcast, None).await?;
        let payment = match payment.status {
            PaymentStatus::Confirming => record::step(app, &tx, &payment, Step::Reorg, |_| ()).await?,
            _ => payment,
        };
        record::look_at(app, &tx, &payment, now + poll(app)).await?;
        tx.commit().await?;
        return Ok(Outcome::Done);
    };
    let payment = match payment.status {
        PaymentStatus::Submitted => record::step(app, &tx, &payment, Step::Mine, |_| ()).await?,
        _ => payment,
    };
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let depth = transfers::confirmations(number(head.number), number(receipt.block_number));
    if depth < payment.required_confirmations.unwrap_or(i32::MAX) {
        mark(app, &tx, &row, ChainTransactionStatus::Mined, Some(&receipt)).await?;
        record::look_at(app, &tx, &payment, now + poll(app)).await?;
    } else if receipt.succeeded {
        mark(app, &tx, &row, ChainTransactionStatus::Final, Some(&receipt)).await?;
        supersede(app, &tx, id, Some(row.id)).await?;
        // Gas is the chain's own coin, outside of these books.
        settle::complete(app, &tx, &payment, milestone, Usdc::ZERO).await?;
    } else {
        mark(app, &tx, &row, ChainTransactionStatus::Reverted, Some(&receipt)).await?;
        supersede(app, &tx, id, Some(row.id)).await?;
        let reason = "the USDC contract refused the transfer";
        settle::fail(app, &tx, &payment, milestone, reason).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}

async fn mark(
    app: &App,
    tx: &Tx,
    row: &chain_transaction::Model,
    status: ChainTransactionStatus,
    receipt: Option<&Receipt>,
) -> Result<()> {
    let now = app.clock.now();
    let change = chain_transaction::ActiveModel {
        id: Set(row.id),
        status: Set(status),
        block_number: Set(receipt.map(|r| i64::try_from(r.block_number).unwrap_or(i64::MAX))),
        block_hash: Set(receipt.map(|r| r.block_hash.to_string())),
        gas_fee_wei: Set(receipt.map(|r| r.gas_fee_wei.to_string())),
        broadcast_at: Set(row.broadcast_at.or(Some(now))),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&**tx).await?;
    Ok(())
}
