//! `ledger_accounts`: an account of the double-entry ledger.

use sea_orm::entity::prelude::*;

use crate::{
    enums::LedgerAccountKind,
    ids::{ContractId, LedgerAccountId, MilestoneId, UserId},
};

/// An account of the double-entry ledger.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_accounts")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerAccountId,
    /// What sort.
    pub kind: LedgerAccountKind,
    /// Its natural key, unique: `ESCROW:mil_...`, `TREASURY:CHAIN`, `FEES`.
    pub key: String,
    /// Whose payable it is.
    pub user_id: Option<UserId>,
    /// Whose escrow it is.
    pub milestone_id: Option<MilestoneId>,
    /// Whose escrow for a bonus it is.
    pub contract_id: Option<ContractId>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
