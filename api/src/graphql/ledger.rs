//! A person's account in the ledger.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::entities::{LedgerTransferKind as Kind, ledger_posting};

use super::{payment::Payment, scalars::Money};
use crate::loaders::load;

mod statement;

pub use statement::LedgerStatement;

/// Why a ledger entry was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum LedgerEntryKind {
    /// A deposit was credited; what came beyond its amount is owed to its payer.
    DepositCredited,
    /// A reorg undid a credited deposit.
    DepositReversed,
    /// A deposit's deadline passed; what had come is owed to its payer.
    DepositReturned,
    /// Money came that belongs to no payment.
    UnallocatedReceived,
    /// A reorg undid money that belonged to no payment.
    UnallocatedReversed,
    /// A payout was queued: it is owed.
    PayoutQueued,
    /// A payout is final: it is owed no longer.
    PayoutCompleted,
    /// A payout failed: what its queueing posted was taken back.
    PayoutReversed,
    /// A reorg undid a final payout.
    PayoutUncompleted,
    /// What was taken for a payout was booked after it was final.
    PayoutCostBooked,
    /// A payout's deposit was undone after it was paid.
    LossRecorded,
    /// Money moved between the platform's own holdings.
    TreasuryMoved,
}

/// One line of a person's account: what the platform owes them (negative) or has paid them (positive).
pub struct LedgerEntry(pub ledger_posting::Model);

/// One line of a person's account: what the platform owes them (negative) or has paid them (positive).
#[Object]
impl LedgerEntry {
    /// The entry's id, `lpo_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The amount: credit (owed to the person) is negative, debit (paid to them) positive.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// Why it was posted.
    async fn kind(&self, ctx: &Context<'_>) -> Result<LedgerEntryKind> {
        Ok(load(ctx, self.0.transfer_id).await?.kind.into())
    }

    /// The payment that caused it.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        let Some(payment) = load(ctx, self.0.transfer_id).await?.payment_id else { return Ok(None) };
        load(ctx, payment).await.map(|row| Some(Payment(row)))
    }

    /// When it was posted.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>> {
        Ok(load(ctx, self.0.transfer_id).await?.created_at)
    }
}
