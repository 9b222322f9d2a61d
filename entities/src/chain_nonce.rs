//! `chain_nonces`: the treasury's own nonce counter.

use sea_orm::entity::prelude::*;

/// The treasury's own nonce counter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chain_nonces")]
pub struct Model {
    /// The treasury, lower-case hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    /// On which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: i64,
    /// The next one to be given out.
    pub next_nonce: i64,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
