//! Every payment, for administrators: what is held above all.

use entities::{ContractId, PaymentKind, PaymentRail, PaymentStatus, UserId, payment};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::{
    Actor,
    error::Result,
    page::List,
    policy::{self, Action},
};

/// Which payments are wanted; what is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states.
    pub status: Vec<PaymentStatus>,
    /// For this.
    pub kind: Option<PaymentKind>,
    /// On this.
    pub rail: Option<PaymentRail>,
    /// Of this contract.
    pub contract_id: Option<ContractId>,
    /// Whose money is this person's.
    pub payer_id: Option<UserId>,
    /// That this person gets.
    pub payee_id: Option<UserId>,
}

/// By what payments are ordered; ties go by when they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// By when they were made.
    CreatedAt,
    /// By when they were last changed.
    UpdatedAt,
    /// By their gross.
    Amount,
}

/// Every payment there is.
pub fn list(
    actor: &Actor,
    filter: &Filter,
    order: OrderField,
    descending: bool,
) -> Result<List<payment::Entity>> {
    use payment::Column;
    policy::authorise(actor, Action::Administer, "", "payment")?;
    let mut narrow = Condition::all()
        .add_option(filter.kind.map(|kind| Column::Kind.eq(kind)))
        .add_option(filter.rail.map(|rail| Column::Rail.eq(rail)))
        .add_option(filter.contract_id.map(|contract| Column::ContractId.eq(contract)))
        .add_option(filter.payer_id.map(|payer| Column::PayerId.eq(payer)))
        .add_option(filter.payee_id.map(|payee| Column::PayeeId.eq(payee)));
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    let select = payment::Entity::find().filter(narrow);
    Ok(match order {
        OrderField::CreatedAt => List::by_id(select, Column::Id, descending),
        OrderField::UpdatedAt => List::by(select, Column::UpdatedAt, Column::Id, descending),
        OrderField::Amount => List::by(select, Column::Amount, Column::Id, descending),
    })
}
