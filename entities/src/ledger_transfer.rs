//! `ledger_transfers`: postings that sum to zero; written once, never changed.

use sea_orm::entity::prelude::*;

use crate::{
    enums::LedgerTransferKind,
    ids::{LedgerTransferId, PaymentId},
};

/// Postings that sum to zero; written once, never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfers")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerTransferId,
    /// Why.
    pub kind: LedgerTransferKind,
    /// What makes it happen once only, unique.
    pub key: String,
    /// For which payment.
    pub payment_id: Option<PaymentId>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
