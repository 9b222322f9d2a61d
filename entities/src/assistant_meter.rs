//! `assistant_meters`: what the assistant was asked today, and whether it rests: a row a service of it.

use sea_orm::entity::prelude::*;

/// What one service of the assistant was asked today, and whether it rests. All processes share it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assistant_meters")]
pub struct Model {
    /// Which: EMBEDDINGS or DRAFTS.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service: String,
    /// How many texts or drafts it was asked for since its budget last began anew.
    pub used: i64,
    /// When its budget begins anew; empty before the first question.
    pub resets_at: Option<DateTimeUtc>,
    /// How often it failed in a row.
    pub failures: i32,
    /// How often it rested in a row: how long it rests the next time.
    pub rests: i32,
    /// Until when nobody asks it: it rests, or somebody tries whether it is well again.
    pub rests_until: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
