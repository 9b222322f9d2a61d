//! A person's statement of a period: what they were owed before and after, and every entry between.
//!
//! Seen from the person's side, who is owed what is credited: the sign is the other one than the postings'.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use entities::{
    LedgerPostingId, LedgerTransferKind, PaymentId, Usdc, UserId, ledger_account, ledger_posting,
    ledger_transfer,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};

use super::JoinAccount;
use crate::{
    check::Check,
    error::{Code, Error, Result},
    page::{Below, List},
};

/// The longest period.
pub const LONGEST: Duration = Duration::days(366);
/// The most lines that are written into one file.
pub const MOST_LINES: u64 = 10_000;

/// From a moment on, up to another one, which is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Period {
    /// A period of a moment at least, and of 366 days at the most.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Self> {
        let mut check = Check::new();
        check.time("from", Some(from));
        check.time("to", Some(to));
        check.ensure(from < to, "to", Code::OutOfRange, "Give an end after the beginning.");
        let short = to - from <= LONGEST;
        check.ensure(short, "to", Code::OutOfRange, "Give a period of 366 days at the most.");
        check.done()?;
        Ok(Self { from, to })
    }

    /// From this moment on.
    pub const fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// Up to this moment, without it.
    pub const fn to(&self) -> DateTime<Utc> {
        self.to
    }
}

/// What a period came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// What they were owed at its beginning.
    pub opening: Usdc,
    /// What was credited to them.
    pub credits: Usdc,
    /// What was paid to them, or taken back.
    pub debits: Usdc,
}

impl Sums {
    /// What they were owed at its end.
    ///
    /// # Errors
    ///
    /// When it is more than can be counted.
    pub fn closing(&self) -> Result<Usdc> {
        Ok(self.opening.plus(self.credits)?.minus(self.debits)?)
    }
}

/// What a period came to for some people, by one statement; those without an account are left out.
///
/// # Errors
///
/// When the database fails.
pub async fn sums(
    conn: &impl ConnectionTrait,
    users: &[UserId],
    period: Period,
) -> Result<HashMap<UserId, Sums>> {
    type Row = (UserId, Option<i64>, Option<i64>, Option<i64>);
    let at = || Expr::col((ledger_transfer::Entity, ledger_transfer::Column::CreatedAt));
    let amount = || Expr::col((ledger_posting::Entity, ledger_posting::Column::Amount));
    let within = || at().gte(period.from);
    let rows: Vec<Row> = entries()
        .select_only()
        .column(ledger_account::Column::UserId)
        .expr(sum_where(at().lt(period.from), amount()))
        .expr(sum_where(within().and(amount().lt(0_i64)), amount()))
        .expr(sum_where(within().and(amount().gt(0_i64)), amount()))
        .filter(ledger_account::Column::UserId.is_in(users.iter().copied()))
        .filter(ledger_transfer::Column::CreatedAt.lt(period.to))
        .group_by(ledger_account::Column::UserId)
        .into_tuple()
        .all(conn)
        .await?;
    let sums = |(user, before, credited, debited): Row| -> Result<(UserId, Sums)> {
        let of = |sum: Option<i64>| Usdc(sum.unwrap_or(0));
        let sums =
            Sums { opening: of(before).negated()?, credits: of(credited).negated()?, debits: of(debited) };
        Ok((user, sums))
    };
    rows.into_iter().map(sums).collect()
}

/// People's entries in a period, the oldest first.
pub fn of_users(period: Period) -> Below<ledger_posting::Entity> {
    let within = entries()
        .filter(ledger_transfer::Column::CreatedAt.gte(period.from))
        .filter(ledger_transfer::Column::CreatedAt.lt(period.to));
    List::by_id(within, ledger_posting::Column::Id, false).below([ledger_account::Column::UserId])
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry.
    pub id: LedgerPostingId,
    /// When it was posted.
    pub at: DateTime<Utc>,
    /// Why.
    pub kind: LedgerTransferKind,
    /// For which payment.
    pub payment: Option<PaymentId>,
    /// What was credited; less than nothing for what was paid out.
    pub amount: Usdc,
    /// What they were owed after it.
    pub balance: Usdc,
}

/// Every line of a person's statement, in the order of time.
///
/// # Errors
///
/// When there are more than [`MOST_LINES`], or the database fails.
pub async fn lines(conn: &impl ConnectionTrait, user: UserId, period: Period) -> Result<Vec<Line>> {
    type Row = (LedgerPostingId, DateTime<Utc>, LedgerTransferKind, Option<PaymentId>, Usdc);
    let rows: Vec<Row> = entries()
        .select_only()
        .column(ledger_posting::Column::Id)
        .column(ledger_transfer::Column::CreatedAt)
        .column(ledger_transfer::Column::Kind)
        .column(ledger_transfer::Column::PaymentId)
        .column(ledger_posting::Column::Amount)
        .filter(ledger_account::Column::UserId.eq(user))
        .filter(ledger_transfer::Column::CreatedAt.gte(period.from))
        .filter(ledger_transfer::Column::CreatedAt.lt(period.to))
        .order_by_asc(ledger_transfer::Column::CreatedAt)
        .order_by_asc(ledger_posting::Column::Id)
        .limit(MOST_LINES + 1)
        .into_tuple()
        .all(conn)
        .await?;
    if rows.len() as u64 > MOST_LINES {
        let message = format!("The period has more than {MOST_LINES} entries: choose a shorter one.");
        return Err(Error::rejected("to", Code::LimitReached, message));
    }
    let opening = sums(conn, &[user], period).await?.remove(&user).unwrap_or_default().opening;
    let mut balance = opening;
    rows.into_iter()
        .map(|(id, at, kind, payment, posted)| -> Result<Line> {
            let amount = posted.negated()?;
            balance = balance.plus(amount)?;
            Ok(Line { id, at, kind, payment, amount, balance })
        })
        .collect()
}

/// Postings with their accounts and their transfers.
fn entries() -> Select<ledger_posting::Entity> {
    let transfer = ledger_posting::Entity::belongs_to(ledger_transfer::Entity)
        .from(ledger_posting::Column::TransferId)
        .to(ledger_transfer::Column::Id)
        .into();
    ledger_posting::Entity::find().inner_join_account().join(sea_orm::JoinType::InnerJoin, transfer)
}

/// PostgreSQL sums bigints as numeric: cast back, so that both databases answer alike.
fn sum_where(condition: SimpleExpr, amount: SimpleExpr) -> SimpleExpr {
    let case: SimpleExpr = Expr::case(condition, amount).finally(0_i64).into();
    case.sum().cast_as("bigint")
}

#[cfg(test)]
mod tests;
