//! A person's statement of a period, on the page and as a file.

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    Error,
    entities::UserId,
    ledger::statement::{self, Line, Period, Sums},
};

use super::LedgerEntry;
use crate::{
    error::fault,
    graphql::{
        connection::{Listing, connect_below, list_cost, page},
        scalars::Money,
        support::app,
    },
    loaders::{StatementOf, load_or_default},
};

/// What a person's account came to in a period, seen from their side: positive is owed to them. It begins at `from`, and
/// ends before `to`; `openingBalance` + `credits` - `debits` = `closingBalance`.
pub struct LedgerStatement {
    user: UserId,
    period: Period,
}

impl LedgerStatement {
    /// The statement of somebody whose viewer may see it.
    pub fn new(user: UserId, period: Period) -> Self {
        Self { user, period }
    }

    async fn sums(&self, ctx: &Context<'_>) -> Result<Sums> {
        load_or_default(ctx, StatementOf(self.user, self.period)).await
    }
}

/// What a person's account came to in a period, seen from their side: positive is owed to them. It begins at `from`, and
/// ends before `to`; `openingBalance` + `credits` - `debits` = `closingBalance`.
#[Object]
impl LedgerStatement {
    /// The beginning, which is part of it.
    async fn from_at(&self) -> DateTime<Utc> {
        self.period.from()
    }

    /// The end, which is no part of it.
    async fn to_at(&self) -> DateTime<Utc> {
        self.period.to()
    }

    /// What they were owed at the beginning.
    #[graphql(complexity = 5)]
    async fn opening_balance(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.sums(ctx).await?.opening.into())
    }

    /// What they were owed at the end.
    #[graphql(complexity = 5)]
    async fn closing_balance(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.sums(ctx).await?.closing().map_err(fault)?.into())
    }

    /// What was credited to them in all.
    #[graphql(complexity = 5)]
    async fn credits(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.sums(ctx).await?.credits.into())
    }

    /// What was paid to them in all, and what was taken back.
    #[graphql(complexity = 5)]
    async fn debits(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.sums(ctx).await?.debits.into())
    }

    /// The entries, the oldest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<LedgerEntry>> {
        let list = statement::of_users(self.period);
        connect_below(ctx, list, self.user.0, page(first, after, last, before), LedgerEntry).await
    }

    /// All entries as a CSV file (RFC 4180, with a header row): when, the entry's id, why, the payment's id, the currency,
    /// the amount (credits positive, debits negative) and the balance after it. At most 10,000 entries.
    #[graphql(complexity = 5_000)]
    async fn csv(&self, ctx: &Context<'_>) -> Result<String> {
        let lines = statement::lines(app(ctx)?.db.reader(), self.user, self.period).await.map_err(fault)?;
        write(&lines).map_err(|error| fault(Error::bug(format!("a statement cannot be written: {error}"))))
    }
}

/// Every cell is a time, an id, a name of ours or a number: none is what people wrote, so a spreadsheet finds no formula.
fn write(lines: &[Line]) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    file.write_record(["time", "entry", "kind", "payment", "currency", "amount", "balance"])?;
    for line in lines {
        file.write_record([
            line.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            line.id.to_string(),
            line.kind.as_str().to_owned(),
            line.payment.map(|id| id.to_string()).unwrap_or_default(),
            "USDC".to_owned(),
            line.amount.to_decimal().to_string(),
            line.balance.to_decimal().to_string(),
        ])?;
    }
    Ok(String::from_utf8(file.into_inner().map_err(|error| error.to_string())?)?)
}
