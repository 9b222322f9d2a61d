//! What stands below lists of projects, proposals and contracts, by one statement a kind.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::{
    Context,
    dataloader::{DataLoader, Loader},
};
use domain::{
    Error, amendment,
    contract::state::FALLEN,
    entities::{
        AmendmentId, ContractId, ProjectId, ProposalId, amendment_change, contract, milestone, project_skill,
        proposal, proposed_milestone, review, skill,
    },
    review::of_contracts,
};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};

use super::{Rows, shared};

/// The skills that a project asks for, in its client's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SkillsOf(pub ProjectId);

/// How many proposals a project has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProposalCountOf(pub ProjectId);

/// A project's contract: the one offer that did not come to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContractOf(pub ProjectId);

/// What stands about a contract, oldest first: also what is not shown yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReviewsOf(pub ContractId);

/// The milestones that a proposal suggests, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanOf(pub ProposalId);

/// The milestones of a contract, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MilestonesOf(pub ContractId);

/// The lines of an amendment, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChangesOf(pub AmendmentId);

impl Loader<ChangesOf> for Rows {
    type Value = Vec<amendment_change::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ChangesOf]) -> Result<HashMap<ChangesOf, Self::Value>, Self::Error> {
        let rows = amendment::changes_of(self.app.db.reader(), keys.iter().map(|key| key.0)).await?;
        Ok(grouped(rows.into_iter().map(|row| (ChangesOf(row.amendment_id), row))))
    }
}

impl Loader<SkillsOf> for Rows {
    type Value = Vec<skill::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SkillsOf]) -> Result<HashMap<SkillsOf, Self::Value>, Self::Error> {
        let to_skill: RelationDef = project_skill::Entity::belongs_to(skill::Entity)
            .from(project_skill::Column::SkillId)
            .to(skill::Column::Id)
            .into();
        let rows = project_skill::Entity::find()
            .join(JoinType::InnerJoin, to_skill)
            .select_also(skill::Entity)
            .filter(project_skill::Column::ProjectId.is_in(keys.iter().map(|key| key.0)))
            .filter(skill::Column::DeletedAt.is_null())
            .order_by_asc(project_skill::Column::Position)
            .all(self.app.db.reader())
            .await
            .map_err(failed)?;
        Ok(grouped(rows.into_iter().filter_map(|(of, skill)| Some((SkillsOf(of.project_id), skill?)))))
    }
}

impl Loader<ProposalCountOf> for Rows {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProposalCountOf]) -> Result<HashMap<ProposalCountOf, i64>, Self::Error> {
        let counts: Vec<(ProjectId, i64)> = proposal::Entity::find()
            .select_only()
            .column(proposal::Column::ProjectId)
            .column_as(proposal::Column::Id.count(), "proposals")
            .filter(proposal::Column::ProjectId.is_in(keys.iter().map(|key| key.0)))
            .group_by(proposal::Column::ProjectId)
            .into_tuple()
            .all(self.app.db.reader())
            .await
            .map_err(failed)?;
        Ok(counts.into_iter().map(|(project, count)| (ProposalCountOf(project), count)).collect())
    }
}

impl Loader<ContractOf> for Rows {
    type Value = contract::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ContractOf]) -> Result<HashMap<ContractOf, Self::Value>, Self::Error> {
        let rows = contract::Entity::find()
            .filter(contract::Column::ProjectId.is_in(keys.iter().map(|key| key.0)))
            .filter(contract::Column::Status.is_not_in(FALLEN))
            // Of several, which only a project offered again can have, the newest is kept.
            .order_by_asc(contract::Column::Id)
            .all(self.app.db.reader())
            .await
            .map_err(failed)?;
        Ok(rows.into_iter().map(|row| (ContractOf(row.project_id), row)).collect())
    }
}

impl Loader<ReviewsOf> for Rows {
    type Value = Vec<review::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ReviewsOf]) -> Result<HashMap<ReviewsOf, Self::Value>, Self::Error> {
        let contracts: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = of_contracts(self.app.db.reader(), &contracts).await.map_err(Arc::new)?;
        Ok(grouped(rows.into_iter().map(|row| (ReviewsOf(row.contract_id), row))))
    }
}

impl Loader<PlanOf> for Rows {
    type Value = Vec<proposed_milestone::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PlanOf]) -> Result<HashMap<PlanOf, Self::Value>, Self::Error> {
        let rows = proposed_milestone::Entity::find()
            .filter(proposed_milestone::Column::ProposalId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(proposed_milestone::Column::Position)
            .all(self.app.db.reader())
            .await
            .map_err(failed)?;
        Ok(grouped(rows.into_iter().map(|row| (PlanOf(row.proposal_id), row))))
    }
}

impl Loader<MilestonesOf> for Rows {
    type Value = Vec<milestone::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MilestonesOf]) -> Result<HashMap<MilestonesOf, Self::Value>, Self::Error> {
        let rows = milestone::Entity::find()
            .filter(milestone::Column::ContractId.is_in(keys.iter().map(|key| key.0)))
            .order_by_asc(milestone::Column::Position)
            .all(self.app.db.reader())
            .await
            .map_err(failed)?;
        Ok(grouped(rows.into_iter().map(|row| (MilestonesOf(row.contract_id), row))))
    }
}

/// What belongs to a key, or the empty value when nothing does.
pub async fn load_or_default<K, V>(ctx: &Context<'_>, key: K) -> async_graphql::Result<V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Default + Send + Sync + Clone + 'static,
    Rows: Loader<K, Value = V, Error = Arc<Error>>,
{
    Ok(load_if_any(ctx, key).await?.unwrap_or_default())
}

/// What belongs to a key, if anything does.
pub async fn load_if_any<K, V>(ctx: &Context<'_>, key: K) -> async_graphql::Result<Option<V>>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Send + Sync + Clone + 'static,
    Rows: Loader<K, Value = V, Error = Arc<Error>>,
{
    ctx.data::<DataLoader<Rows>>()?.load_one(key).await.map_err(shared)
}

/// The values of each key, in their order.
pub(super) fn grouped<K: Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn failed(error: sea_orm::DbErr) -> Arc<Error> {
    Arc::new(error.into())
}
