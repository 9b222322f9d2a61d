//! Checking the books against everything else that we know: each figure is worked out anew from the payments, the
//! transfers and the signatures, and has to be what the postings say.
//!
//! What was lost to a reorg stands in no payment: its postings (`LOSS_RECORDED`) are taken as they are.

use std::collections::{BTreeMap, BTreeSet};

use entities::{LedgerTransferKind, Usdc, ledger_account, ledger_posting, ledger_transfer};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};

use super::{Account, JoinAccount, grand_total, sum_of_amounts};
use crate::{
    App, Error,
    error::Result,
    treasury::{
        circle::{self, AtCircle},
        compare::{Compared, compare},
    },
};

mod payments;
mod signatures;

/// How many problems of one check are told one by one.
const MOST_TOLD: usize = 20;

/// One thing that has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What, in two or three words.
    pub name: &'static str,
    /// What it came to.
    pub figure: String,
    /// What does not hold; empty when all is well.
    pub problems: Vec<String>,
}

impl Check {
    fn new(name: &'static str, figure: impl Into<String>, mut problems: Vec<String>) -> Self {
        let more = problems.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            problems.truncate(MOST_TOLD);
            problems.push(format!("and {more} more"));
        }
        Self { name, figure: figure.into(), problems }
    }
}

/// Every check of the books within themselves, as of one moment.
///
/// # Errors
///
/// When the database fails.
pub async fn books(app: &App) -> Result<Vec<Check>> {
    let snapshot = app.db.snapshot().await?;
    let db = &*snapshot;
    let held = Balances::read(db).await?;
    let totals = payments::totals(db).await?;
    Ok(vec![
        transfers(db).await?,
        total(db).await?,
        escrow(&held, &totals)?,
        payables(&held, &payments::owed(db).await?)?,
        fees(&held, &totals)?,
        costs(&held, payments::costs(db).await?),
        unallocated(&held, payments::kept(db).await?)?,
        payments::states(db).await?,
        signatures::nonces(db).await?,
        signatures::signed(db).await?,
    ])
}

/// The books against the chain, at its last final block. That it does not answer is a problem too.
///
/// # Errors
///
/// When the database fails.
pub async fn chain(app: &App) -> Result<Check> {
    let name = "treasury on the chain";
    let not =
        |reason: String| Check::new(name, "unknown", vec![format!("it could not be compared: {reason}")]);
    let comparison = match compare(app).await {
        Ok(Compared::At(comparison)) => comparison,
        Ok(Compared::Not(reason)) => return Ok(not(reason)),
        Err(Error::Port(error)) => return Ok(not(error.to_string())),
        Err(error) => return Err(error),
    };
    let (difference, at) = (comparison.difference()?, comparison.block.number);
    let problem = (difference != Usdc::ZERO).then(|| {
        let expected = comparison.expected;
        format!("by the books {expected} at block {at}: a difference of {difference}")
    });
    let figure = format!("{} at block {at}", comparison.on_chain);
    Ok(Check::new(name, figure, problem.into_iter().collect()))
}

/// The books against the balance at Circle; `None` without Circle. That it does not answer is a problem too.
///
/// # Errors
///
/// When the database fails.
pub async fn at_circle(app: &App) -> Result<Option<Check>> {
    let Some(circle) = app.circle.as_deref() else { return Ok(None) };
    let name = "balance at Circle";
    let not =
        |reason: String| Check::new(name, "unknown", vec![format!("it could not be compared: {reason}")]);
    Ok(Some(match circle::compare(app, circle).await {
        Ok(AtCircle::Holds { there, expected, .. }) => {
            let difference = there.minus(expected)?;
            let problem = (difference != Usdc::ZERO)
                .then(|| format!("by the books {expected}: a difference of {difference}"));
            Check::new(name, there.to_string(), problem.into_iter().collect())
        }
        Ok(AtCircle::Not(reason)) => not(reason),
        Err(Error::Port(error)) => not(error.to_string()),
        Err(error) => return Err(error),
    }))
}

/// The accounts' balances by their keys: all postings, and those of losses alone.
struct Balances {
    all: BTreeMap<String, Usdc>,
    lost: BTreeMap<String, Usdc>,
}

impl Balances {
    async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        let losses = ledger_transfer::Entity::find()
            .select_only()
            .column(ledger_transfer::Column::Id)
            .filter(ledger_transfer::Column::Kind.eq(LedgerTransferKind::LossRecorded))
            .into_query();
        let by_key = |select: sea_orm::Select<ledger_posting::Entity>| {
            select
                .select_only()
                .column(ledger_account::Column::Key)
                .expr(sum_of_amounts())
                .inner_join_account()
                .group_by(ledger_account::Column::Key)
                .into_tuple::<(String, Option<i64>)>()
        };
        let read = |rows: Vec<(String, Option<i64>)>| {
            rows.into_iter().map(|(key, sum)| (key, Usdc(sum.unwrap_or(0)))).collect()
        };
        let all = by_key(ledger_posting::Entity::find()).all(db).await?;
        let lost =
            ledger_posting::Entity::find().filter(ledger_posting::Column::TransferId.in_subquery(losses));
        Ok(Self { all: read(all), lost: read(by_key(lost).all(db).await?) })
    }

    /// What an account owes by its payments: its credit, losses left out.
    fn owed(&self, key: &str) -> Result<Usdc> {
        let of = |sums: &BTreeMap<String, Usdc>| sums.get(key).copied().unwrap_or_default();
        Ok(of(&self.lost).minus(of(&self.all))?)
    }

    /// Holds the accounts of a sort against what they should owe; what they owe in all.
    fn compare(
        &self,
        sort: &str,
        expected: &BTreeMap<String, Usdc>,
        problems: &mut Vec<String>,
    ) -> Result<Usdc> {
        let accounts = self.all.keys().filter(|key| key.starts_with(sort));
        let mut sum = Usdc::ZERO;
        for key in accounts.chain(expected.keys()).collect::<BTreeSet<_>>() {
            let (owed, should) = (self.owed(key)?, expected.get(key).copied().unwrap_or_default());
            if owed != should {
                problems.push(format!("{key}: {owed} by the postings, {should} by the payments"));
            }
            let balance = self.all.get(key).copied().unwrap_or_default();
            if balance.is_positive() {
                problems.push(format!("{key}: {balance} more went out than came in"));
            }
            sum = sum.minus(balance)?;
        }
        Ok(sum)
    }
}

/// Every transfer has two postings at least, which sum to zero.
async fn transfers(db: &impl ConnectionTrait) -> Result<Check> {
    use ledger_posting::Column;
    let count = ledger_transfer::Entity::find().count(db).await?;
    let lines = || Expr::col((ledger_posting::Entity, Column::Id)).count();
    let wrong: Vec<(entities::LedgerTransferId, Option<i64>, i64)> = ledger_posting::Entity::find()
        .select_only()
        .column(Column::TransferId)
        .expr(sum_of_amounts())
        .expr(lines())
        .group_by(Column::TransferId)
        .having(sum_of_amounts().ne(0_i64).or(lines().lt(2_i64)))
        .into_tuple()
        .all(db)
        .await?;
    let mut problems: Vec<_> = wrong
        .into_iter()
        .map(|(id, sum, lines)| format!("{id}: {lines} postings, which sum to {}", Usdc(sum.unwrap_or(0))))
        .collect();
    let posted = ledger_posting::Entity::find().select_only().column(Column::TransferId).into_query();
    let bare: Vec<entities::LedgerTransferId> = ledger_transfer::Entity::find()
        .select_only()
        .column(ledger_transfer::Column::Id)
        .filter(ledger_transfer::Column::Id.not_in_subquery(posted))
        .into_tuple()
        .all(db)
        .await?;
    problems.extend(bare.into_iter().map(|id| format!("{id}: no postings")));
    Ok(Check::new("transfers", count.to_string(), problems))
}

async fn total(db: &impl ConnectionTrait) -> Result<Check> {
    let total = grand_total(db).await?;
    let problem = (total != Usdc::ZERO).then(|| "the postings do not sum to zero".to_owned());
    Ok(Check::new("all postings", total.to_string(), problem.into_iter().collect()))
}

/// What was credited, less what was queued to go out of it.
fn escrow(held: &Balances, totals: &[payments::Total]) -> Result<Check> {
    let (mut expected, mut problems) = (BTreeMap::<String, Usdc>::new(), Vec::new());
    for total in totals {
        let change = total.escrow()?;
        if change == Usdc::ZERO {
            continue;
        }
        let account = match (total.milestone, total.contract) {
            (Some(milestone), _) => Account::Escrow(milestone),
            (None, Some(contract)) => Account::Bonus(contract),
            (None, None) => {
                problems.push(format!("payments for nothing: {change}"));
                continue;
            }
        };
        let sum = expected.entry(account.key()).or_default();
        *sum = sum.plus(change)?;
    }
    let sum = held.compare("ESCROW:", &expected, &mut problems)?;
    Ok(Check::new("escrow", sum.to_string(), problems))
}

/// What is queued or under way to a person.
fn payables(held: &Balances, owed: &BTreeMap<String, Usdc>) -> Result<Check> {
    let mut problems = Vec::new();
    let sum = held.compare("PAYABLE:", owed, &mut problems)?;
    Ok(Check::new("payables", sum.to_string(), problems))
}

/// The fees of every payout that did not fail.
fn fees(held: &Balances, totals: &[payments::Total]) -> Result<Check> {
    let should = Usdc::sum(totals.iter().map(payments::Total::fee))?;
    single(held, "fees", Account::Fees, should)
}

/// What Circle took for the payouts that are complete.
fn costs(held: &Balances, should: Usdc) -> Check {
    let key = Account::Costs.key();
    let is = held.all.get(&key).copied().unwrap_or_default();
    let problem = (is != should).then(|| format!("{key}: {is} by the postings, {should} by the payouts"));
    Check::new("costs", is.to_string(), problem.into_iter().collect())
}

/// What is left of what came, and what was lost of it.
fn unallocated(held: &Balances, kept: Usdc) -> Result<Check> {
    let lost = held.all.get(&Account::Loss.key()).copied().unwrap_or_default();
    single(held, "unallocated", Account::Unallocated, kept.plus(lost)?)
}

fn single(held: &Balances, name: &'static str, account: Account, should: Usdc) -> Result<Check> {
    let mut problems = Vec::new();
    let key = account.key();
    let sum = held.compare(&key, &BTreeMap::from([(key.clone(), should)]), &mut problems)?;
    Ok(Check::new(name, sum.to_string(), problems))
}

#[cfg(test)]
mod tests;
