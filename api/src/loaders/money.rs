//! What hangs below payments and milestones, by one statement a level.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error,
    entities::{
        ContractId, MilestoneId, PaymentId, Usdc, UserId, chain_transaction, chain_transfer, milestone,
        payment, submission,
    },
    ledger,
    ledger::statement::{self, Period, Sums},
    milestone as milestones,
    payment::transfers,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::Rows;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub $inner);
    )*};
}

keys! {
    /// The transfers that arrived for a deposit.
    ArrivedFor(PaymentId);
    /// The transactions that were signed for a payout, newest first.
    SignedFor(PaymentId);
    /// The payments on a milestone, oldest first.
    PaymentsOn(MilestoneId);
    /// The newest submission of a milestone.
    SubmissionOf(MilestoneId);
    /// What a contract's milestones hold in escrow.
    EscrowOn(ContractId);
    /// What was paid out on a contract, gross.
    PaidOn(ContractId);
}

/// What a person's account came to in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatementOf(pub UserId, pub Period);

/// The newest block that the scanner has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHead;

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

impl Loader<ArrivedFor> for Rows {
    type Value = Vec<chain_transfer::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ArrivedFor]) -> Loaded<ArrivedFor, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = transfers::of_payments(self.app.db.reader(), &ids).await?;
        Ok(rows.into_iter().map(|(id, rows)| (ArrivedFor(id), rows)).collect())
    }
}

impl Loader<SignedFor> for Rows {
    type Value = Vec<chain_transaction::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SignedFor]) -> Loaded<SignedFor, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = transfers::signed_for(self.app.db.reader(), &ids).await?;
        Ok(rows.into_iter().map(|(id, rows)| (SignedFor(id), rows)).collect())
    }
}

impl Loader<PaymentsOn> for Rows {
    type Value = Vec<payment::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PaymentsOn]) -> Loaded<PaymentsOn, Self::Value> {
        let rows = payment::Entity::find()
            .filter(payment::Column::MilestoneId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(payment::Column::Id)
            .all(self.app.db.reader())
            .await
            .map_err(Error::from)?;
        let mut by_milestone: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            if let Some(milestone) = row.milestone_id {
                by_milestone.entry(PaymentsOn(milestone)).or_default().push(row);
            }
        }
        Ok(by_milestone)
    }
}

impl Loader<SubmissionOf> for Rows {
    type Value = submission::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SubmissionOf]) -> Loaded<SubmissionOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = milestones::newest_submissions(self.app.db.reader(), &ids).await?;
        Ok(rows.into_iter().map(|row| (SubmissionOf(row.milestone_id), row)).collect())
    }
}

impl Loader<EscrowOn> for Rows {
    type Value = Usdc;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EscrowOn]) -> Loaded<EscrowOn, Usdc> {
        let contracts: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows: Vec<milestone::Model> = milestones::of_contracts(self.app.db.reader(), &contracts).await?;
        let held: HashMap<_, _> =
            ledger::escrow(self.app.db.reader(), rows.iter().map(|row| row.id)).await?.into_iter().collect();
        let mut sums: HashMap<EscrowOn, Usdc> = HashMap::new();
        for row in rows {
            let sum = sums.entry(EscrowOn(row.contract_id)).or_default();
            *sum = sum.plus(held.get(&row.id).copied().unwrap_or_default()).map_err(Error::from)?;
        }
        Ok(sums)
    }
}

impl Loader<PaidOn> for Rows {
    type Value = Usdc;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PaidOn]) -> Loaded<PaidOn, Usdc> {
        let contracts: Vec<_> = keys.iter().map(|key| key.0).collect();
        let paid = transfers::paid_on(self.app.db.reader(), &contracts).await?;
        Ok(paid.into_iter().map(|(id, sum)| (PaidOn(id), sum)).collect())
    }
}

impl Loader<StatementOf> for Rows {
    type Value = Sums;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[StatementOf]) -> Loaded<StatementOf, Sums> {
        let mut by_period: HashMap<Period, Vec<UserId>> = HashMap::new();
        for StatementOf(user, period) in keys {
            by_period.entry(*period).or_default().push(*user);
        }
        let mut loaded = HashMap::new();
        for (period, users) in by_period {
            let sums = statement::sums(self.app.db.reader(), &users, period).await?;
            loaded.extend(sums.into_iter().map(|(user, sums)| (StatementOf(user, period), sums)));
        }
        Ok(loaded)
    }
}

impl Loader<ChainHead> for Rows {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, _: &[ChainHead]) -> Loaded<ChainHead, i64> {
        let head = transfers::head(&self.app, self.app.db.reader()).await?;
        Ok(head.map(|head| (ChainHead, head)).into_iter().collect())
    }
}
