//! What arrived for a payment, read from what the chain showed us.

use std::collections::HashMap;

use entities::{
    ChainTransferStatus, ContractId, PaymentId, PaymentKind, PaymentStatus, Usdc, chain_cursor,
    chain_transaction, chain_transfer, payment,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{App, error::Result};

/// The transfers that went to these payments, in chain order, without those that a reorg undid.
pub async fn of_payments(
    conn: &impl ConnectionTrait,
    payments: &[PaymentId],
) -> Result<HashMap<PaymentId, Vec<chain_transfer::Model>>> {
    let rows = chain_transfer::Entity::find()
        .filter(chain_transfer::Column::PaymentId.is_in(payments.iter().copied()))
        .filter(chain_transfer::Column::Status.ne(ChainTransferStatus::Orphaned))
        .order_by_asc(chain_transfer::Column::BlockNumber)
        .order_by_asc(chain_transfer::Column::LogIndex)
        .all(conn)
        .await?;
    let mut by_payment: HashMap<PaymentId, Vec<_>> = HashMap::new();
    for row in rows {
        if let Some(payment) = row.payment_id {
            by_payment.entry(payment).or_default().push(row);
        }
    }
    Ok(by_payment)
}

/// The transactions that were signed for these payments, newest first.
pub async fn signed_for(
    conn: &impl ConnectionTrait,
    payments: &[PaymentId],
) -> Result<HashMap<PaymentId, Vec<chain_transaction::Model>>> {
    let rows = chain_transaction::Entity::find()
        .filter(chain_transaction::Column::PaymentId.is_in(payments.iter().copied()))
        .order_by_desc(chain_transaction::Column::Id)
        .all(conn)
        .await?;
    let mut by_payment: HashMap<PaymentId, Vec<_>> = HashMap::new();
    for row in rows {
        by_payment.entry(row.payment_id).or_default().push(row);
    }
    Ok(by_payment)
}

/// The newest block that the scanner has read: what confirmations are counted from when people ask, so
/// that no question costs a call to the chain. `None` before the first scan.
pub async fn head(app: &App, conn: &impl ConnectionTrait) -> Result<Option<i64>> {
    let chain = i64::try_from(app.chain.chain_id()).unwrap_or(i64::MAX);
    Ok(chain_cursor::Entity::find_by_id(chain).one(conn).await?.map(|cursor| cursor.scanned_block))
}

/// How deep a block lies below the head, itself included; zero when the head is behind it.
pub fn confirmations(head: i64, block: i64) -> i32 {
    i32::try_from(head.saturating_sub(block).saturating_add(1).max(0)).unwrap_or(i32::MAX)
}

/// What was paid out on these contracts, gross, counting final releases only.
pub async fn paid_on(
    conn: &impl ConnectionTrait,
    contracts: &[ContractId],
) -> Result<HashMap<ContractId, Usdc>> {
    let rows = payment::Entity::find()
        .filter(payment::Column::ContractId.is_in(contracts.iter().copied()))
        .filter(payment::Column::Kind.eq(PaymentKind::Release))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .all(conn)
        .await?;
    let mut paid: HashMap<ContractId, Usdc> = HashMap::new();
    for row in rows {
        if let Some(contract) = row.contract_id {
            let sum = paid.entry(contract).or_default();
            *sum = sum.plus(row.amount)?;
        }
    }
    Ok(paid)
}
