//! `wallets`: an EVM address that its owner has proven.

use sea_orm::entity::prelude::*;

use crate::ids::{UserId, WalletId};

/// An EVM address that its owner has proven.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallets")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WalletId,
    /// Whose.
    pub user_id: UserId,
    /// `0x` and 40 lower-case hex digits, unique.
    pub address: String,
    /// The chain named in the proof.
    pub chain_id: i64,
    /// Whether payouts go here.
    pub is_payout: bool,
    /// When its rest ends.
    pub payouts_from: DateTimeUtc,
    /// When proven.
    pub verified_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
