//! `circle_notifications`: which of Circle's notifications came already.

use sea_orm::entity::prelude::*;

/// A notification of Circle that came already: each counts once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "circle_notifications")]
pub struct Model {
    /// Circle's id of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When it came first.
    pub received_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
