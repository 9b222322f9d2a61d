//! `reconciliations`: what each comparison of the books with the chain, or with Circle, found.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{PaymentRail, ReconciliationOutcome},
    ids::ReconciliationId,
    money::Usdc,
};

/// What one comparison of the books with the chain, or with Circle, found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconciliations")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReconciliationId,
    /// Where the money is.
    pub rail: PaymentRail,
    /// What came of it.
    pub outcome: ReconciliationOutcome,
    /// At which block.
    pub block_number: Option<i64>,
    /// That block's hash.
    pub block_hash: Option<String>,
    /// What the treasury held there, by the chain; or what Circle says.
    pub on_chain: Option<Usdc>,
    /// What it should have held, by the books.
    pub expected: Option<Usdc>,
    /// What is there more.
    pub difference: Option<Usdc>,
    /// Why nothing could be compared.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Of LESS: an administrator let payments go on knowing of it.
    pub acknowledged: bool,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
