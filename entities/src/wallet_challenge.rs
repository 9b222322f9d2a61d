//! `wallet_challenges`: a nonce given out for an EIP-4361 message.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// A nonce given out for an EIP-4361 message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallet_challenges")]
pub struct Model {
    /// The nonce.
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce: String,
    /// Who asked.
    pub user_id: UserId,
    /// For which address, lower-case hex.
    pub address: String,
    /// Until when it is good.
    pub expires_at: DateTimeUtc,
    /// When it was used: once only.
    pub used_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
