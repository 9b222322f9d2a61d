//! What hangs below disputes, and disputes below contracts, by one statement a level.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error, dispute as disputes,
    entities::{ContractId, DisputeId, MilestoneId, Usdc, dispute, dispute_evidence, payment},
    ledger,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::Rows;

/// The dispute on a contract that is not over, else the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DisputeOn(pub ContractId);

/// What was brought forward in a dispute, in the order it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvidenceIn(pub DisputeId);

/// The payments that carry out a dispute's resolution, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentsBy(pub DisputeId);

/// What a milestone holds in escrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EscrowOf(pub MilestoneId);

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

impl Loader<DisputeOn> for Rows {
    type Value = dispute::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[DisputeOn]) -> Loaded<DisputeOn, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = disputes::newest(self.app.db.reader(), &ids).await?;
        Ok(rows.into_iter().map(|row| (DisputeOn(row.contract_id), row)).collect())
    }
}

impl Loader<EvidenceIn> for Rows {
    type Value = Vec<dispute_evidence::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EvidenceIn]) -> Loaded<EvidenceIn, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut by_dispute: HashMap<_, Vec<_>> = HashMap::new();
        for row in disputes::evidence_of(self.app.db.reader(), &ids).await? {
            by_dispute.entry(EvidenceIn(row.dispute_id)).or_default().push(row);
        }
        Ok(by_dispute)
    }
}

impl Loader<PaymentsBy> for Rows {
    type Value = Vec<payment::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PaymentsBy]) -> Loaded<PaymentsBy, Self::Value> {
        let rows = payment::Entity::find()
            .filter(payment::Column::DisputeId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(payment::Column::Id)
            .all(self.app.db.reader())
            .await
            .map_err(Error::from)?;
        let mut by_dispute: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            if let Some(dispute) = row.dispute_id {
                by_dispute.entry(PaymentsBy(dispute)).or_default().push(row);
            }
        }
        Ok(by_dispute)
    }
}

impl Loader<EscrowOf> for Rows {
    type Value = Usdc;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EscrowOf]) -> Loaded<EscrowOf, Usdc> {
        let held = ledger::escrow(self.app.db.reader(), keys.iter().map(|key| key.0)).await?;
        Ok(held.into_iter().map(|(id, sum)| (EscrowOf(id), sum)).collect())
    }
}
