//! `chain_cursors`: how far the deposit scanner has read.

use sea_orm::entity::prelude::*;

/// How far the deposit scanner has read.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chain_cursors")]
pub struct Model {
    /// Which chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: i64,
    /// Every block up to this one has been read.
    pub scanned_block: i64,
    /// Its hash then: another one now means a reorg.
    pub block_hash: String,
    /// Where the first scan began, after this block: nothing before it is ever read.
    pub first_block: i64,
    /// What is wrong with the second node.
    pub trouble: Option<String>,
    /// Since when.
    pub trouble_since: Option<DateTimeUtc>,
    /// When administrators were told.
    pub trouble_told_at: Option<DateTimeUtc>,
    /// Raised by each wake-up.
    pub look: i32,
    /// When it wants to read on.
    pub due_at: Option<DateTimeUtc>,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
