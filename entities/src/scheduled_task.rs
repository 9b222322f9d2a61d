//! `scheduled_tasks`: work that comes back by the clock: when it ran and when it runs next.

use sea_orm::entity::prelude::*;

/// Work that comes back by the clock: when it ran and when it runs next.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scheduled_tasks")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Raised by each wake-up: part of the job's key.
    pub look: i32,
    /// When it runs next.
    pub due_at: Option<DateTimeUtc>,
    /// When it last began.
    pub last_started_at: Option<DateTimeUtc>,
    /// When it last ended.
    pub last_finished_at: Option<DateTimeUtc>,
    /// How many things it last dealt with.
    pub last_count: Option<i64>,
    /// What went wrong last; empty when nothing did.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// How often it has run.
    pub runs: i64,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
