//! What an amount comes to, before any money moves.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{entities::fee_schedule, milestone as milestones};

use crate::{
    error::fault,
    graphql::{
        scalars::{Money, MoneyInput},
        support::app,
    },
};

/// What a gross amount comes to.
#[derive(SimpleObject)]
pub struct Quote {
    /// What the payer pays.
    pub gross: Money,
    /// What the platform keeps.
    pub fee: Money,
    /// What the payee gets: `fee + net = gross`, always.
    pub net: Money,
    /// The fee schedule that a contract made now would take.
    pub fee_schedule: FeeSchedule,
}

/// A version of the platform's fee.
#[derive(SimpleObject)]
pub struct FeeSchedule {
    /// Which version; a contract keeps the one it was made with.
    pub version: i32,
    /// Hundredths of a percent of the gross: 1,000 are 10%.
    pub basis_points: i32,
    /// Since when new contracts take it, or from when on they will.
    pub effective_at: DateTime<Utc>,
}

impl From<fee_schedule::Model> for FeeSchedule {
    fn from(row: fee_schedule::Model) -> Self {
        Self { version: row.version, basis_points: row.basis_points, effective_at: row.effective_at }
    }
}

/// What to quote.
#[derive(Debug, InputObject)]
pub struct QuoteInput {
    /// The gross amount, above 0.
    pub amount: MoneyInput,
}

/// Asking what an amount comes to.
#[derive(Default)]
pub struct QuoteQuery;

#[Object]
impl QuoteQuery {
    /// What a gross amount would come to under the fee now in force, before any money moves.
    async fn quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to quote.")] input: QuoteInput,
    ) -> Result<Quote> {
        let amount = input.amount.parse("amount").map_err(fault)?;
        let (split, schedule) = milestones::quote(app(ctx)?, amount).await.map_err(fault)?;
        Ok(Quote {
            gross: split.gross.into(),
            fee: split.fee.into(),
            net: split.net.into(),
            fee_schedule: schedule.into(),
        })
    }
}
