//! `circle_recipients`: an address in Circle's address book.

use sea_orm::entity::prelude::*;

/// An address in Circle's address book. Its key is stored before Circle is asked.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "circle_recipients")]
pub struct Model {
    /// Circle's name of the chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain: String,
    /// `0x` and 40 lower-case hex digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    /// What the entry is asked for with, each time.
    #[sea_orm(unique)]
    pub idempotency_key: Uuid,
    /// Circle's id of it; empty before Circle has answered.
    #[sea_orm(unique)]
    pub circle_id: Option<String>,
    /// Circle's word for where it stood when last asked.
    pub status: Option<String>,
    /// When first wanted.
    pub created_at: DateTimeUtc,
    /// When last asked for.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
