//! The double-entry ledger: append-only transfers whose postings sum to zero. Debit is positive.
//!
//! Postings are written before the row of their transfer: writing that row makes the database check the
//! sum and seals the transfer (see the migration `guards`).

use chrono::{DateTime, Utc};
use entities::{
    ContractId, LedgerAccountId, LedgerAccountKind, LedgerTransferId, LedgerTransferKind, MilestoneId,
    PaymentId, PaymentRail, Usdc, UserId, ledger_account, ledger_posting, ledger_transfer,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict, SimpleExpr},
};

use crate::{
    App, Error, Tx,
    error::Result,
    fault,
    page::{Below, List},
};

pub mod statement;
pub mod verify;

/// An account, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// What we hold, a rail each.
    Treasury(PaymentRail),
    /// What a milestone holds in escrow.
    Escrow(MilestoneId),
    /// What was paid in for a contract's bonus and is not yet queued to go out.
    Bonus(ContractId),
    /// What we owe a person at this moment.
    Payable(UserId),
    /// What the platform earned.
    Fees,
    /// What others took from the platform for moving its money.
    Costs,
    /// What is on its way back to senders who are nobody here.
    Strangers,
    /// Deposits that belong to no payment yet.
    Unallocated,
    /// What was paid out though its deposit was undone.
    Loss,
}

impl Account {
    /// The natural key, unique.
    pub fn key(self) -> String {
        match self {
            Self::Treasury(rail) => format!("TREASURY:{}", rail.as_str()),
            Self::Escrow(milestone) => format!("ESCROW:{milestone}"),
            Self::Bonus(contract) => format!("ESCROW:{contract}"),
            Self::Payable(user) => format!("PAYABLE:{user}"),
            Self::Strangers => "PAYABLE:nobody".to_owned(),
            Self::Fees => "FEES".to_owned(),
            Self::Costs => "COSTS".to_owned(),
            Self::Unallocated => "UNALLOCATED".to_owned(),
            Self::Loss => "LOSS".to_owned(),
        }
    }

    /// Its row.
    pub fn row(self, id: LedgerAccountId, now: DateTime<Utc>) -> ledger_account::Model {
        ledger_account::Model {
            id,
            kind: self.kind(),
            key: self.key(),
            user_id: if let Self::Payable(user) = self { Some(user) } else { None },
            milestone_id: if let Self::Escrow(milestone) = self { Some(milestone) } else { None },
            contract_id: if let Self::Bonus(contract) = self { Some(contract) } else { None },
            created_at: now,
        }
    }

    const fn kind(self) -> LedgerAccountKind {
        match self {
            Self::Treasury(_) => LedgerAccountKind::Treasury,
            Self::Escrow(_) | Self::Bonus(_) => LedgerAccountKind::Escrow,
            Self::Payable(_) | Self::Strangers => LedgerAccountKind::Payable,
            Self::Fees => LedgerAccountKind::Fees,
            Self::Costs => LedgerAccountKind::Costs,
            Self::Unallocated => LedgerAccountKind::Unallocated,
            Self::Loss => LedgerAccountKind::Loss,
        }
    }
}

/// Posts a transfer once: a `key` that was posted already changes nothing and answers `false`. Lines of
/// zero are left out. Lines that do not sum to zero are a bug, and nothing is posted.
pub async fn post(
    app: &App,
    tx: &Tx,
    kind: LedgerTransferKind,
    key: &str,
    payment: Option<PaymentId>,
    lines: &[(Account, Usdc)],
) -> Result<bool> {
    if Usdc::sum(lines.iter().map(|(_, amount)| *amount))? != Usdc::ZERO {
        return Err(Error::bug(format!("ledger transfer {key} does not sum to zero: {lines:?}")));
    }
    if posted(tx, key).await?.is_some() {
        return Ok(false);
    }
    let moving: Vec<_> = lines.iter().filter(|(_, amount)| *amount != Usdc::ZERO).collect();
    if moving.is_empty() {
        // A deposit that expired without a coin: there is nothing to write down.
        return Ok(false);
    }
    let mut rows = Vec::with_capacity(moving.len());
    for &&(account, amount) in &moving {
        rows.push((open(app, tx, account).await?, amount));
    }
    write(app, tx, kind, key, payment, rows).await?;
    Ok(true)
}

/// Posts the opposite of the transfer with the key `of`, line by line as it is stored, whatever would be posted today. Once,
/// as [`post`].
///
/// # Errors
///
/// When there is no transfer with the key `of`: a bug.
pub async fn reverse(app: &App, tx: &Tx, kind: LedgerTransferKind, of: &str, key: &str) -> Result<bool> {
    if posted(tx, key).await?.is_some() {
        return Ok(false);
    }
    let original = posted(tx, of).await?;
    let original = original.ok_or_else(|| Error::bug(format!("no ledger transfer {of} to be reversed")))?;
    let lines = ledger_posting::Entity::find()
        .filter(ledger_posting::Column::TransferId.eq(original.id))
        .order_by_asc(ledger_posting::Column::Id)
        .all(&**tx)
        .await?;
    let mut opposite = Vec::with_capacity(lines.len());
    for line in lines {
        opposite.push((line.account_id, line.amount.negated()?));
    }
    write(app, tx, kind, key, original.payment_id, opposite).await?;
    Ok(true)
}

async fn posted(tx: &Tx, key: &str) -> Result<Option<ledger_transfer::Model>> {
    Ok(ledger_transfer::Entity::find().filter(ledger_transfer::Column::Key.eq(key)).one(&**tx).await?)
}

async fn write(
    app: &App,
    tx: &Tx,
    kind: LedgerTransferKind,
    key: &str,
    payment: Option<PaymentId>,
    lines: Vec<(LedgerAccountId, Usdc)>,
) -> Result<()> {
    let transfer_id: LedgerTransferId = app.clock.new_id();
    for (account, amount) in lines {
        let row = ledger_posting::ActiveModel {
            id: Set(app.clock.new_id()),
            transfer_id: Set(transfer_id),
            account_id: Set(account),
            amount: Set(amount),
        };
        ledger_posting::Entity::insert(row).exec_without_returning(&**tx).await?;
    }
    let transfer = ledger_transfer::ActiveModel {
        id: Set(transfer_id),
        kind: Set(kind),
        key: Set(key.to_owned()),
        payment_id: Set(payment),
        created_at: Set(app.clock.now()),
    };
    ledger_transfer::Entity::insert(transfer).exec_without_returning(&**tx).await?;
    fault::point("ledger.post").await?;
    Ok(())
}

/// The account's row, made when it is first posted to.
pub async fn open(app: &App, tx: &Tx, account: Account) -> Result<LedgerAccountId> {
    let key = account.key();
    let row = account.row(app.clock.new_id(), app.clock.now()).into_active_model();
    let once = OnConflict::column(ledger_account::Column::Key).do_nothing().to_owned();
    ledger_account::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await?;
    let found = ledger_account::Entity::find().filter(ledger_account::Column::Key.eq(key)).one(&**tx).await?;
    found.map(|row| row.id).ok_or_else(|| Error::bug("a ledger account vanished"))
}

/// The sum of an account's postings: what we hold is positive, what we owe negative.
pub async fn balance(conn: &impl ConnectionTrait, account: Account) -> Result<Usdc> {
    let sum: Option<Option<i64>> = ledger_posting::Entity::find()
        .select_only()
        .expr(sum_of_amounts())
        .inner_join_account()
        .filter(ledger_account::Column::Key.eq(account.key()))
        .into_tuple()
        .one(conn)
        .await?;
    Ok(Usdc(sum.flatten().unwrap_or(0)))
}

/// The same of an account that nobody posts to until the transaction ends: what is decided by it stays true.
pub async fn locked_balance(app: &App, tx: &Tx, account: Account) -> Result<Usdc> {
    let id = open(app, tx, account).await?;
    ledger_account::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    balance(&**tx, account).await
}

/// What milestones hold in escrow, by milestone; those that never held anything are left out.
pub async fn escrow(
    conn: &impl ConnectionTrait,
    milestones: impl IntoIterator<Item = MilestoneId> + Send,
) -> Result<Vec<(MilestoneId, Usdc)>> {
    let sums: Vec<(MilestoneId, Option<i64>)> = ledger_posting::Entity::find()
        .select_only()
        .column(ledger_account::Column::MilestoneId)
        .expr(sum_of_amounts())
        .inner_join_account()
        .filter(ledger_account::Column::MilestoneId.is_in(milestones))
        .group_by(ledger_account::Column::MilestoneId)
        .into_tuple()
        .all(conn)
        .await?;
    // Escrow is owed, so its balance is a credit.
    Ok(sums.into_iter().map(|(id, sum)| (id, Usdc(-sum.unwrap_or(0)))).collect())
}

/// The sum over every posting there is: zero, or something is very wrong.
pub async fn grand_total(conn: &impl ConnectionTrait) -> Result<Usdc> {
    let sum: Option<Option<i64>> =
        ledger_posting::Entity::find().select_only().expr(sum_of_amounts()).into_tuple().one(conn).await?;
    Ok(Usdc(sum.flatten().unwrap_or(0)))
}

/// The postings on people's accounts, newest first.
pub fn statements() -> Below<ledger_posting::Entity> {
    let select = ledger_posting::Entity::find().inner_join_account();
    List::by_id(select, ledger_posting::Column::Id, true).below([ledger_account::Column::UserId])
}

fn sum_of_amounts() -> SimpleExpr {
    sum_of(ledger_posting::Entity, ledger_posting::Column::Amount)
}

/// The sum of a column. PostgreSQL sums bigints as numeric: cast back, so that both databases answer alike.
pub(crate) fn sum_of<E: EntityTrait>(entity: E, column: E::Column) -> SimpleExpr {
    Expr::col((entity, column)).sum().cast_as("bigint")
}

trait JoinAccount {
    fn inner_join_account(self) -> Self;
}

impl JoinAccount for sea_orm::Select<ledger_posting::Entity> {
    fn inner_join_account(self) -> Self {
        let relation = ledger_posting::Entity::belongs_to(ledger_account::Entity)
            .from(ledger_posting::Column::AccountId)
            .to(ledger_account::Column::Id)
            .into();
        self.join(sea_orm::JoinType::InnerJoin, relation)
    }
}

#[cfg(test)]
mod tests;
