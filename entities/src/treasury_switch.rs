//! `treasury_switch`: whether outgoing money is paused: one row.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// Whether outgoing money is paused: one row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "treasury_switch")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Since when; empty while money goes out.
    pub paused_at: Option<DateTimeUtc>,
    /// Which administrator did it; empty for the system.
    pub paused_by: Option<UserId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Raised by each change: names the event.
    pub version: i32,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
