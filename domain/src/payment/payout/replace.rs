//! A signed payout that no block takes: the same intent, the same nonce, more for its gas.

use chrono::Duration;
use entities::{ChainTransactionStatus, PaymentStatus, chain_transaction, payment};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::{
    App, Error,
    error::Result,
    payment::{
        numbers::{height, poll, stored},
        record::{self, Locked},
    },
    ports::chain::{Address, BlockTag, GasFees},
};

/// How long a block may let a transaction wait before more is offered.
const PATIENCE: Duration = Duration::minutes(5);
/// How many times what the chain asks for now is offered at the most: beyond that it is not the price that keeps it.
const MOST_TIMES: u64 = 4;

/// Signs a replacement and stores it before anybody hears of it, if the transaction is next in line and has waited for too long;
/// the bytes to broadcast. All that were signed for an intent stay watched: the chain takes one of a nonce.
pub(super) async fn replace(
    app: &App,
    seen: &payment::Model,
    newest: &chain_transaction::Model,
) -> Result<Option<Vec<u8>>> {
    if newest.created_at + PATIENCE > app.clock.now() {
        return Ok(None);
    }
    // One that waits behind another is helped by helping that one.
    let next = app.chain.mined_nonce(app.chain.treasury(), BlockTag::Latest).await?;
    if stored(next)? != newest.nonce {
        return Ok(None);
    }
    let asked = app.chain.gas_fees().await?;
    let Some(fees) = raised(newest, asked)? else {
        tracing::error!(payment = %seen.id, hash = newest.hash, "a payout is stuck, and not for its price");
        return Ok(None);
    };
    let to: Address = newest.to_address.parse().map_err(|_| Error::bug("a stored address does not parse"))?;
    let nonce = height(newest.nonce)?;
    let signed = app.chain.sign_transfer(nonce, to, newest.amount, height(newest.gas_limit)?, fees)?;

    let tx = app.db.begin().await?;
    let Locked { payment, .. } = record::lock(&tx, seen.id).await?;
    let last = chain_transaction::Entity::find()
        .filter(chain_transaction::Column::PaymentId.eq(seen.id))
        .order_by_desc(chain_transaction::Column::Id)
        .one(&*tx)
        .await?;
    let same = last.is_some_and(|last| last.id == newest.id);
    if payment.status != PaymentStatus::Submitted || !same {
        return Ok(None);
    }
    let now = app.clock.now();
    let row = chain_transaction::Model {
        id: app.clock.new_id(),
        hash: signed.hash.to_string(),
        raw: signed.raw.clone(),
        max_fee_per_gas: stored(fees.max_fee_per_gas)?,
        max_priority_fee_per_gas: stored(fees.max_priority_fee_per_gas)?,
        status: ChainTransactionStatus::Signed,
        block_number: None,
        block_hash: None,
        gas_fee_wei: None,
        broadcast_at: None,
        created_at: now,
        updated_at: now,
        ..newest.clone()
    };
    tracing::warn!(payment = %seen.id, old = newest.hash, new = row.hash, "a payout is stuck: more is offered for its gas");
    chain_transaction::Entity::insert(row.into_active_model()).exec_without_returning(&*tx).await?;
    record::look_at(app, &tx, &payment, now + poll(app)).await?;
    tx.commit().await?;
    Ok(Some(signed.raw))
}

/// An eighth more than before, which is what nodes want for a replacement, and at least what the chain asks for now; `None` when
/// that is beyond all reason.
fn raised(newest: &chain_transaction::Model, asked: GasFees) -> Result<Option<GasFees>> {
    let more = |stored: i64| height(stored).map(|fee| fee.saturating_add(fee.div_ceil(8)).saturating_add(1));
    let max_priority_fee_per_gas = more(newest.max_priority_fee_per_gas)?.max(asked.max_priority_fee_per_gas);
    let max_fee_per_gas =
        more(newest.max_fee_per_gas)?.max(asked.max_fee_per_gas).max(max_priority_fee_per_gas);
    let reasonable = max_fee_per_gas <= asked.max_fee_per_gas.saturating_mul(MOST_TIMES);
    Ok(reasonable.then_some(GasFees { max_fee_per_gas, max_priority_fee_per_gas }))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entities::Usdc;
    use uuid::Uuid;

    use super::*;

    fn signed(max_fee_per_gas: i64, max_priority_fee_per_gas: i64) -> chain_transaction::Model {
        chain_transaction::Model {
            id: Uuid::nil().into(),
            payment_id: Uuid::nil().into(),
            chain_id: 1,
            nonce: 0,
            hash: String::new(),
            raw: Vec::new(),
            to_address: String::new(),
            amount: Usdc(1),
            max_fee_per_gas,
            max_priority_fee_per_gas,
            gas_limit: 1,
            status: ChainTransactionStatus::Broadcast,
            block_number: None,
            block_hash: None,
            gas_fee_wei: None,
            broadcast_at: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    /// By 12.5% at least, both of them, or nodes do not take it.
    #[test]
    fn each_fee_is_raised_by_an_eighth_or_to_what_is_asked_for() {
        let fees =
            |max_fee_per_gas, max_priority_fee_per_gas| GasFees { max_fee_per_gas, max_priority_fee_per_gas };
        for (was, asked, now) in [
            ((80, 8), fees(50, 1), Some(fees(91, 10))),
            ((1, 0), fees(1, 1), Some(fees(3, 1))),
            ((80, 8), fees(500, 20), Some(fees(500, 20))),
            ((350, 8), fees(100, 20), Some(fees(395, 20))),
            ((360, 8), fees(100, 20), None),
        ] {
            let got = raised(&signed(was.0, was.1), asked).unwrap();
            assert_eq!(got, now, "{was:?} {asked:?}");
            if let Some(got) = got {
                assert!(got.max_fee_per_gas * 8 >= u64::try_from(was.0).unwrap() * 9);
                assert!(got.max_priority_fee_per_gas * 8 >= u64::try_from(was.1).unwrap() * 9);
            }
        }
    }
}
