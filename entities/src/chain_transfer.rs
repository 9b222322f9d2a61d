//! `chain_transfers`: a USDC transfer to the treasury, counted once by (chain, transaction, log).

use sea_orm::entity::prelude::*;

use crate::{
    enums::ChainTransferStatus,
    ids::{ChainTransferId, PaymentId, UserId},
    money::Usdc,
};

/// A USDC transfer to the treasury, counted once by (chain, transaction, log).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chain_transfers")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChainTransferId,
    /// On which chain.
    pub chain_id: i64,
    /// `0x` and 64 lower-case hex digits.
    pub transaction_hash: String,
    /// Which log of that transaction's block.
    pub log_index: i32,
    /// Sender, lower-case hex.
    pub from_address: String,
    /// Receiver (the treasury), lower-case hex.
    pub to_address: String,
    /// How much.
    pub amount: Usdc,
    /// In which block.
    pub block_number: i64,
    /// The block's hash when seen.
    pub block_hash: String,
    /// The block's time.
    pub block_time: DateTimeUtc,
    /// What became of it.
    pub status: ChainTransferStatus,
    /// Whose wallet sent it, by the wallets verified by then.
    pub user_id: Option<UserId>,
    /// The deposit it went to.
    pub payment_id: Option<PaymentId>,
    /// How often a reorg undid what was booked for it: part of the ledger's keys.
    pub undone: i32,
    /// When a reorg touched it after it was booked: it was moved, or one of two nodes shows it no more. Empty again once all show
    /// it, deep enough, where it is now.
    pub moved_at: Option<DateTimeUtc>,
    /// When it was gone, and what it had paid for could not be taken back: then it stands in the loss account.
    pub lost_at: Option<DateTimeUtc>,
    /// When first seen.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
