//! `treasury_moves`: money that administrators moved between the rails, each move once.

use sea_orm::entity::prelude::*;

use crate::{enums::PaymentRail, ids::UserId, money::Usdc};

/// Money that an administrator moved between the rails.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "treasury_moves")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where it was. With the reference unique, whoever records it.
    pub from_rail: PaymentRail,
    /// Where it is.
    pub to_rail: PaymentRail,
    /// How much.
    pub amount: Usdc,
    /// What proves it: from the chain the transaction's hash, in lower case; from Circle its id of the transfer.
    pub reference: String,
    /// From the chain: in which block that transaction was when it was recorded.
    pub block_number: Option<i64>,
    /// From the chain, if the treasury's own key signed that transaction: its address then, lower-case hex.
    pub sender: Option<String>,
    /// Likewise: on which chain.
    pub chain_id: Option<i64>,
    /// Likewise: the nonce that it used, which our counter passes.
    pub nonce: Option<i64>,
    /// Who recorded it.
    pub recorded_by: UserId,
    /// When.
    pub recorded_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
