//! Finding amendments. Whoever may see a contract may see its amendments.

use entities::{AmendmentId, ContractId, amendment_change, contract, contract_amendment};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    Actor, App, Error,
    error::Result,
    page::List,
    policy::{self, Action},
};

/// One amendment, if the actor may see its contract.
pub async fn find(app: &App, actor: &Actor, id: AmendmentId) -> Result<contract_amendment::Model> {
    let missing = || Error::not_found("amendmentId", "amendment");
    let conn = app.db.reader();
    let row = contract_amendment::Entity::find_by_id(id).one(conn).await?.ok_or_else(missing)?;
    let contract = contract::Entity::find_by_id(row.contract_id).one(conn).await?.ok_or_else(missing)?;
    policy::authorise(actor, Action::ContractSee(&contract), "amendmentId", "amendment")?;
    Ok(row)
}

/// A contract's amendments, newest first. Whoever asks was let through to the contract before.
pub fn of_contract(contract: ContractId) -> List<contract_amendment::Entity> {
    let select =
        contract_amendment::Entity::find().filter(contract_amendment::Column::ContractId.eq(contract));
    List::by_id(select, contract_amendment::Column::Id, true)
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
