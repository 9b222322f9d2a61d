//! Finding amendments. Whoever may see a contract may see its amendments.

use entities::{AmendmentId, amendment_change, contract, contract_amendment};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use crate::{
    Actor, contract as contracts,
    error::Result,
    page::{Below, List},
};

/// The amendments that the actor may see.
pub fn visible(actor: &Actor) -> Select<contract_amendment::Entity> {
    let theirs = contracts::visible(actor).select_only().column(contract::Column::Id).into_query();
    contract_amendment::Entity::find().filter(contract_amendment::Column::ContractId.in_subquery(theirs))
}

/// The amendments of contracts that the actor may see, newest first.
pub fn of_contracts(actor: &Actor) -> Below<contract_amendment::Entity> {
    List::by_id(visible(actor), contract_amendment::Column::Id, true)
        .below([contract_amendment::Column::ContractId])
}

/// The lines of some amendments, in order.
pub async fn changes_of(
    conn: &impl ConnectionTrait,
    amendments: impl IntoIterator<Item = AmendmentId> + Send,
) -> Result<Vec<amendment_change::Model>> {
    Ok(amendment_change::Entity::find()
        .filter(amendment_change::Column::AmendmentId.is_in(amendments))
        .order_by_asc(amendment_change::Column::AmendmentId)
        .order_by_asc(amendment_change::Column::Position)
        .all(conn)
        .await?)
}
