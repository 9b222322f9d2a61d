//! `ledger_postings`: one line of a transfer: debit is positive, credit negative.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{LedgerAccountId, LedgerPostingId, LedgerTransferId},
    money::Usdc,
};

/// One line of a transfer: debit is positive, credit negative.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_postings")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerPostingId,
    /// Of which transfer.
    pub transfer_id: LedgerTransferId,
    /// On which account.
    pub account_id: LedgerAccountId,
    /// Signed micro-USDC.
    pub amount: Usdc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
