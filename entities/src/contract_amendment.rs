//! `contract_amendments`: a change of a contract that one party proposes to the other.

use sea_orm::entity::prelude::*;

use crate::{
    enums::AmendmentStatus,
    ids::{AmendmentId, ContractId, UserId},
    money::Usdc,
};

/// A change of a contract that one party proposes to the other.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contract_amendments")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AmendmentId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Who proposes it.
    pub proposed_by: UserId,
    /// Where in its life.
    pub status: AmendmentStatus,
    /// Why, in the words of who proposes it.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// The contract's new description, if that changes.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// The contract's new planned end, if that changes.
    pub end_at: Option<DateTimeUtc>,
    /// The contract's amount when it was proposed.
    pub amount_before: Usdc,
    /// The contract's amount once it is accepted.
    pub amount: Usdc,
    /// Raised by each change of state.
    pub version: i32,
    /// When the other party answered, or it was withdrawn.
    pub answered_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
