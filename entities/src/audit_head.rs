//! `audit_heads`: where the chain of the audit log ends: its one row is locked by who appends.

use sea_orm::entity::prelude::*;

/// Where the chain of the audit log ends: its one row is locked by who appends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The last sequence number.
    pub sequence: i64,
    /// The last hash.
    pub hash: String,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
