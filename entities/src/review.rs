//! `reviews`: what one party of an ended contract says about the other.

use sea_orm::entity::prelude::*;

use crate::ids::{ContractId, ReviewId, UserId};

/// What one party of an ended contract says about the other.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reviews")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewId,
    /// About which contract.
    pub contract_id: ContractId,
    /// Who wrote it.
    pub author_id: UserId,
    /// About whom.
    pub subject_id: UserId,
    /// The whole, in tenths: 45 is 4.5.
    pub rating: i32,
    /// Skill, in tenths.
    pub skill: i32,
    /// Quality, in tenths.
    pub quality: i32,
    /// Communication, in tenths.
    pub communication: i32,
    /// Keeping deadlines, in tenths.
    pub deadline: i32,
    /// Cooperation, in tenths.
    pub cooperation: i32,
    /// In words.
    #[sea_orm(column_type = "Text")]
    pub comment: String,
    /// The reviewed person's public answer.
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
    /// When they answered.
    pub answered_at: Option<DateTimeUtc>,
    /// When it is shown at the latest.
    pub reveal_at: DateTimeUtc,
    /// Since when everybody sees it.
    pub shown_at: Option<DateTimeUtc>,
    /// Raised by each change.
    pub version: i32,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
