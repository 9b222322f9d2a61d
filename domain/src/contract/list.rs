//! Every contract, for administrators.

use entities::contract;
use sea_orm::QueryFilter as _;

use super::find::{Filter, narrowed, visible};
use crate::{
    Actor,
    error::Result,
    page::List,
    policy::{self, Action},
};

/// By what contracts are ordered; ties go by when they were offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// By when they were offered.
    CreatedAt,
    /// By when they were last changed.
    UpdatedAt,
    /// By the sum of their milestones.
    Amount,
}

/// Every contract there is.
pub fn all(
    actor: &Actor,
    filter: &Filter,
    order: OrderField,
    descending: bool,
) -> Result<List<contract::Entity>> {
    use contract::Column;
    policy::authorise(actor, Action::Administer, "", "contract")?;
    let select = visible(actor).filter(narrowed(filter));
    Ok(match order {
        OrderField::CreatedAt => List::by_id(select, Column::Id, descending),
        OrderField::UpdatedAt => List::by(select, Column::UpdatedAt, Column::Id, descending),
        OrderField::Amount => List::by(select, Column::Amount, Column::Id, descending),
    })
}
