//! `chain_transactions`: a transaction that the treasury signed: stored before it is broadcast.

use sea_orm::entity::prelude::*;

use crate::{
    enums::ChainTransactionStatus,
    ids::{ChainTransactionId, PaymentId},
    money::Usdc,
};

/// A transaction that the treasury signed: stored before it is broadcast.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chain_transactions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChainTransactionId,
    /// For which intent.
    pub payment_id: PaymentId,
    /// On which chain.
    pub chain_id: i64,
    /// The treasury's nonce.
    pub nonce: i64,
    /// Its hash, known since signing.
    pub hash: String,
    /// The signed bytes, RLP.
    pub raw: Vec<u8>,
    /// Who receives the USDC, lower-case hex.
    pub to_address: String,
    /// How much.
    pub amount: Usdc,
    /// Wei.
    pub max_fee_per_gas: i64,
    /// Wei.
    pub max_priority_fee_per_gas: i64,
    /// Gas.
    pub gas_limit: i64,
    /// Where in its life.
    pub status: ChainTransactionStatus,
    /// Where it was mined.
    pub block_number: Option<i64>,
    /// That block's hash.
    pub block_hash: Option<String>,
    /// What the gas cost in wei, decimal.
    pub gas_fee_wei: Option<String>,
    /// When first sent.
    pub broadcast_at: Option<DateTimeUtc>,
    /// When signed.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
