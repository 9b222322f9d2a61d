//! `deposit_hints`: a transaction hash that a client reported: a hint, never proof.

use sea_orm::entity::prelude::*;

use crate::ids::{PaymentId, UserId};

/// A transaction hash that a client reported: a hint, never proof.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deposit_hints")]
pub struct Model {
    /// For which deposit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub payment_id: PaymentId,
    /// `0x` and 64 lower-case hex digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transaction_hash: String,
    /// By whom.
    pub reported_by: UserId,
    /// What the chain said of it, for people.
    pub outcome: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
