//! `object_deletions`: a stored object that has to go.

use sea_orm::entity::prelude::*;

use crate::ids::ObjectDeletionId;

/// A stored object that has to go.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "object_deletions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectDeletionId,
    /// Where it lies in the bucket.
    pub object_key: String,
    /// When it was gone.
    pub done_at: Option<DateTimeUtc>,
    /// Raised by each wake-up.
    pub look: i32,
    /// When it wants to be looked at next.
    pub due_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
