//! `idempotency_keys`: what a money mutation answered, by the caller's key.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// What a money mutation answered, by the caller's key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// Whose key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: UserId,
    /// For which mutation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mutation: String,
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    /// SHA-256 of the input, hex.
    pub input_hash: String,
    /// The ids that were answered.
    pub result: Json,
    /// When; kept 30 days.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
