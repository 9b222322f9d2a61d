//! `assistant_shares`: how many texts one person had the assistant compare today.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// How many texts one person had the assistant compare since the day's budget last began anew.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assistant_shares")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// How many texts.
    pub used: i64,
    /// When the budget that they are of begins anew.
    pub resets_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
