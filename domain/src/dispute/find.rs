//! Finding disputes. Every finder takes the actor: a dispute is between the two parties of its contract, and
//! for admins.

use entities::{
    ContractId, DisputeId, DisputeKind, DisputeStatus, UserId, contract, dispute, dispute_evidence,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use crate::{
    Actor, App, Error, contract as contracts,
    error::Result,
    page::{Below, List},
    policy::{Action, authorise},
};

/// Which disputes are wanted. What is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states.
    pub status: Vec<DisputeStatus>,
    /// About one of these.
    pub kind: Vec<DisputeKind>,
    /// Taken by this admin.
    pub taken_by: Option<UserId>,
}

/// What a list of disputes is sorted by; ties go by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// When it was opened.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

/// How a list of disputes is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub field: OrderField,
    /// Newest first.
    pub descending: bool,
}

impl Default for Order {
    /// Newest first.
    fn default() -> Self {
        Self { field: OrderField::CreatedAt, descending: true }
    }
}

/// The disputes that the actor may see: those on their contracts, or all for admins.
pub fn visible(actor: &Actor) -> Select<dispute::Entity> {
    let all = dispute::Entity::find();
    if actor.sees_all() {
        return all;
    }
    let theirs = contracts::visible(actor).select_only().column(contract::Column::Id).into_query();
    all.filter(dispute::Column::ContractId.in_subquery(theirs))
}

/// One dispute that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: DisputeId) -> Result<dispute::Model> {
    visible(actor)
        .filter(dispute::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "dispute"))
}

/// Everybody's disputes, narrowed and sorted: for admins.
pub fn list(actor: &Actor, filter: &Filter, order: Order) -> Result<List<dispute::Entity>> {
    use dispute::Column;
    authorise(actor, Action::DisputesManage, "", "dispute")?;
    let mut narrow = Condition::all().add_option(filter.taken_by.map(|admin| Column::TakenBy.eq(admin)));
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    if !filter.kind.is_empty() {
        narrow = narrow.add(Column::Kind.is_in(filter.kind.iter().copied()));
    }
    let by = match order.field {
        OrderField::CreatedAt => Column::CreatedAt,
        OrderField::UpdatedAt => Column::UpdatedAt,
    };
    Ok(List::by(visible(actor).filter(narrow), by, Column::Id, order.descending))
}

/// The disputes on contracts that the actor may see, newest first.
pub fn of_contracts(actor: &Actor) -> Below<dispute::Entity> {
    List::by_id(visible(actor), dispute::Column::Id, true).below([dispute::Column::ContractId])
}

/// The newest dispute of some contracts: the one that is not over, if there is one.
pub async fn newest(conn: &impl ConnectionTrait, contracts: &[ContractId]) -> Result<Vec<dispute::Model>> {
    let mut rows = dispute::Entity::find()
        .filter(dispute::Column::ContractId.is_in(contracts.iter().copied()))
        .order_by_desc(dispute::Column::Id)
        .all(conn)
        .await?;
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| seen.insert(row.contract_id));
    Ok(rows)
}

/// What was brought forward in some disputes, in the order it came.
pub async fn evidence_of(
    conn: &impl ConnectionTrait,
    disputes: &[DisputeId],
) -> Result<Vec<dispute_evidence::Model>> {
    Ok(dispute_evidence::Entity::find()
        .filter(dispute_evidence::Column::DisputeId.is_in(disputes.iter().copied()))
        .order_by_asc(dispute_evidence::Column::Id)
        .all(conn)
        .await?)
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    #[test]
    fn nobody_sees_what_is_on_others_contracts() {
        let sql = visible(&Actor::Anonymous).build(DbBackend::Sqlite).to_string();
        assert!(sql.contains(r#"WHERE "disputes"."contract_id" IN (SELECT "contracts"."id""#), "{sql}");
        assert!(!visible(&Actor::System).build(DbBackend::Sqlite).to_string().contains("WHERE"));
    }
}
