//! `unallocated_deposits`: money that arrived and pays nothing, until an admin assigns or returns it.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{UnallocatedReason, UnallocatedStatus},
    ids::{ChainTransferId, PaymentId, UnallocatedId, UserId},
    money::Usdc,
};

/// Money that arrived and pays nothing, until an admin assigns or returns it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unallocated_deposits")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnallocatedId,
    /// The transfer that it is, or is the rest of.
    pub chain_transfer_id: ChainTransferId,
    /// That transfer's transaction, which a reorg may move but never change.
    pub transaction_hash: String,
    /// That transfer's sender, lower-case hex: where it goes when it is returned.
    pub from_address: String,
    /// How much.
    pub amount: Usdc,
    /// Whose wallet sent it, if it is somebody's.
    pub user_id: Option<UserId>,
    /// Why it pays nothing.
    pub reason: UnallocatedReason,
    /// What became of it.
    pub status: UnallocatedStatus,
    /// The deposit that it was assigned to, or the return that gives it back.
    pub payment_id: Option<PaymentId>,
    /// The admin who decided.
    pub resolved_by: Option<UserId>,
    /// When that was, or when a reorg undid it.
    pub resolved_at: Option<DateTimeUtc>,
    /// When it was set aside.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
