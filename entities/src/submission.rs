//! `submissions`: what a freelancer handed in for a milestone.

use sea_orm::entity::prelude::*;

use crate::ids::{MilestoneId, SubmissionId};

/// What a freelancer handed in for a milestone.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "submissions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SubmissionId,
    /// For what.
    pub milestone_id: MilestoneId,
    /// What they say about it.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// What the client wants changed.
    #[sea_orm(column_type = "Text", nullable)]
    pub feedback: Option<String>,
    /// When the client answered.
    pub answered_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
