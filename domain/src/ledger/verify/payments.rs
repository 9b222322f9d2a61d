//! What the payments and the transfers to the treasury say that the accounts hold.

use std::collections::{BTreeMap, HashMap};

use entities::{
    ContractId, LedgerTransferKind, MilestoneId, PaymentId, PaymentKind, PaymentStatus, UnallocatedStatus,
    Usdc, UserId, chain_transfer, circle_payout, ledger_transfer, payment, unallocated_deposit,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};

use super::Check;
use crate::{
    error::Result,
    ledger::{Account, sum_of},
    payment::state::BOOKED,
};

/// Where money is under way: it is owed, and has not left.
const UNDER_WAY: [PaymentStatus; 4] =
    [PaymentStatus::Queued, PaymentStatus::OnHold, PaymentStatus::Submitted, PaymentStatus::Confirming];

/// All payments of a kind and a state on one milestone, or on a contract alone.
pub(super) struct Total {
    kind: PaymentKind,
    status: PaymentStatus,
    pub(super) milestone: Option<MilestoneId>,
    pub(super) contract: Option<ContractId>,
    amount: Usdc,
    fee: Usdc,
}

impl Total {
    /// What they put into escrow: less than nothing for what goes out of it.
    pub(super) fn escrow(&self) -> Result<Usdc> {
        Ok(match (self.kind, self.status) {
            (PaymentKind::Deposit, PaymentStatus::Completed) => self.amount,
            (PaymentKind::Deposit | PaymentKind::Return, _) | (_, PaymentStatus::Failed) => Usdc::ZERO,
            (PaymentKind::Release | PaymentKind::Refund | PaymentKind::Bonus, _) => self.amount.negated()?,
        })
    }

    /// What the platform earned by them.
    pub(super) fn fee(&self) -> Usdc {
        match (self.kind, self.status) {
            (PaymentKind::Deposit, _) | (_, PaymentStatus::Failed) => Usdc::ZERO,
            _ => self.fee,
        }
    }
}

type TotalRow =
    (PaymentKind, PaymentStatus, Option<MilestoneId>, Option<ContractId>, Option<i64>, Option<i64>);

pub(super) async fn totals(db: &impl ConnectionTrait) -> Result<Vec<Total>> {
    use payment::Column;
    let grouped = [Column::Kind, Column::Status, Column::MilestoneId, Column::ContractId];
    let mut select = payment::Entity::find().select_only();
    for column in grouped {
        select = select.column(column).group_by(column);
    }
    let rows: Vec<TotalRow> = select
        .expr(sum_of(payment::Entity, Column::Amount))
        .expr(sum_of(payment::Entity, Column::Fee))
        .into_tuple()
        .all(db)
        .await?;
    let total = |(kind, status, milestone, contract, amount, fee): TotalRow| Total {
        kind,
        status,
        milestone,
        contract,
        amount: Usdc(amount.unwrap_or(0)),
        fee: Usdc(fee.unwrap_or(0)),
    };
    Ok(rows.into_iter().map(total).collect())
}

/// What people are owed, by the keys of their accounts: what is under way to them, and what was to be returned and could
/// not be.
pub(super) async fn owed(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Usdc>> {
    use payment::Column;
    let tried_again = payment::Entity::find()
        .select_only()
        .column(Column::RetryOf)
        .filter(Column::RetryOf.is_not_null())
        .into_query();
    let under_way = Column::Kind.ne(PaymentKind::Deposit).and(Column::Status.is_in(UNDER_WAY));
    // What is returned stands on the account before and after: only being paid, or tried again, takes it off.
    let stuck = Column::Kind
        .eq(PaymentKind::Return)
        .and(Column::Status.eq(PaymentStatus::Failed))
        .and(Column::Id.not_in_subquery(tried_again));
    let rows: Vec<(Option<UserId>, Option<i64>)> = payment::Entity::find()
        .select_only()
        .column(Column::PayeeId)
        .expr(sum_of(payment::Entity, Column::Net))
        .filter(under_way.or(stuck))
        .group_by(Column::PayeeId)
        .into_tuple()
        .all(db)
        .await?;
    let owed = |(payee, sum): (Option<UserId>, Option<i64>)| {
        let key = payee.map_or_else(|| "PAYABLE:nobody".to_owned(), |payee| Account::Payable(payee).key());
        (key, Usdc(sum.unwrap_or(0)))
    };
    Ok(rows.into_iter().map(owed).collect())
}

/// What Circle took for the payouts that are complete.
pub(super) async fn costs(db: &impl ConnectionTrait) -> Result<Usdc> {
    use circle_payout::Column;
    let complete = payment::Entity::find()
        .select_only()
        .column(payment::Column::Id)
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .into_query();
    let sum: Option<Option<i64>> = circle_payout::Entity::find()
        .select_only()
        .expr(sum_of(circle_payout::Entity, Column::Fee))
        .filter(Column::PaymentId.in_subquery(complete))
        .into_tuple()
        .one(db)
        .await?;
    Ok(Usdc(sum.flatten().unwrap_or(0)))
}

/// What came to the treasury and neither paid for something nor went back; less than nothing for what a reorg took after it
/// was passed on, which stands on the loss account. Deposits that no transfer is known of, as those of the larger demo
/// market, are left out.
pub(super) async fn kept(db: &impl ConnectionTrait) -> Result<Usdc> {
    use chain_transfer::Column as In;
    use payment::Column;
    let booked = In::Status.is_in(BOOKED);
    let came: Option<Option<i64>> = chain_transfer::Entity::find()
        .select_only()
        .expr(sum_of(chain_transfer::Entity, In::Amount))
        .filter(booked)
        .into_tuple()
        .one(db)
        .await?;
    let paid_by = chain_transfer::Entity::find()
        .select_only()
        .column(In::PaymentId)
        .filter(In::PaymentId.is_not_null())
        .into_query();
    // What an administrator gave a deposit did not come for it.
    let given_to = unallocated_deposit::Entity::find()
        .select_only()
        .column(unallocated_deposit::Column::PaymentId)
        .filter(unallocated_deposit::Column::Status.eq(UnallocatedStatus::Assigned))
        .filter(unallocated_deposit::Column::PaymentId.is_not_null())
        .into_query();
    let spent = payment::Entity::find()
        .select_only()
        .expr(sum_of(payment::Entity, Column::Amount))
        .filter(Column::Kind.eq(PaymentKind::Deposit))
        .filter(Column::Status.eq(PaymentStatus::Completed))
        .filter(Column::Id.in_subquery(paid_by).or(Column::Id.in_subquery(given_to)))
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    let returned = payment::Entity::find()
        .select_only()
        .expr(sum_of(payment::Entity, Column::Net))
        .filter(Column::Kind.eq(PaymentKind::Return))
        // Another try is of the same money.
        .filter(Column::RetryOf.is_null())
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    // Our own, from another rail.
    let moved = unallocated_deposit::Entity::find()
        .select_only()
        .expr(sum_of(unallocated_deposit::Entity, unallocated_deposit::Column::Amount))
        .filter(unallocated_deposit::Column::Status.eq(UnallocatedStatus::Assigned))
        .filter(unallocated_deposit::Column::PaymentId.is_null())
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    let of = |sum: Option<Option<i64>>| Usdc(sum.flatten().unwrap_or(0));
    Ok(of(came).minus(of(spent))?.minus(of(returned))?.minus(of(moved))?)
}

/// How often each sort of transfer was posted for a payment.
#[derive(Default)]
struct Posted(HashMap<LedgerTransferKind, i64>);

impl Posted {
    fn of(&self, kind: LedgerTransferKind) -> i64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// What a payment in this state must have: how often, and how often by its postings.
    fn problem(&self, kind: PaymentKind, status: PaymentStatus) -> Option<String> {
        use LedgerTransferKind::{
            DepositCredited, DepositReversed, PayoutCompleted, PayoutQueued, PayoutReversed,
            PayoutUncompleted,
        };
        let completed = i64::from(status == PaymentStatus::Completed);
        let failed = i64::from(status == PaymentStatus::Failed);
        let wanted = match kind {
            PaymentKind::Deposit => {
                vec![("credited", completed, self.of(DepositCredited) - self.of(DepositReversed))]
            }
            _ => {
                // What is returned is owed before it is queued.
                let queued = i64::from(kind != PaymentKind::Return);
                vec![
                    ("queued", queued, self.of(PayoutQueued)),
                    ("completed", completed, self.of(PayoutCompleted) - self.of(PayoutUncompleted)),
                    ("reversed", failed * queued, self.of(PayoutReversed)),
                ]
            }
        };
        let wrong = wanted.into_iter().find(|(_, wanted, found)| wanted != found);
        wrong.map(|(what, wanted, found)| {
            format!("{} {}: {what} {found} times in the ledger, not {wanted}", kind.as_str(), status.as_str())
        })
    }
}

/// Every payment is in a state that its transfers allow.
pub(super) async fn states(db: &impl ConnectionTrait) -> Result<Check> {
    let rows: Vec<(PaymentId, LedgerTransferKind, i64)> = ledger_transfer::Entity::find()
        .select_only()
        .column(ledger_transfer::Column::PaymentId)
        .column(ledger_transfer::Column::Kind)
        .expr(Expr::col((ledger_transfer::Entity, ledger_transfer::Column::Id)).count())
        .filter(ledger_transfer::Column::PaymentId.is_not_null())
        .group_by(ledger_transfer::Column::PaymentId)
        .group_by(ledger_transfer::Column::Kind)
        .into_tuple()
        .all(db)
        .await?;
    let mut posted: HashMap<PaymentId, Posted> = HashMap::new();
    for (payment, kind, count) in rows {
        posted.entry(payment).or_default().0.insert(kind, count);
    }
    let payments: Vec<(PaymentId, PaymentKind, PaymentStatus)> = payment::Entity::find()
        .select_only()
        .columns([payment::Column::Id, payment::Column::Kind, payment::Column::Status])
        .into_tuple()
        .all(db)
        .await?;
    let none = Posted::default();
    let problems = payments.iter().filter_map(|(id, kind, status)| {
        let problem = posted.get(id).unwrap_or(&none).problem(*kind, *status)?;
        Some(format!("{id}: {problem}"))
    });
    Ok(Check::new("payments", payments.len().to_string(), problems.collect()))
}

#[cfg(test)]
mod tests;
