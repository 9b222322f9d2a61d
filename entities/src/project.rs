//! `projects`: a posted project.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{BudgetType, ExperienceLevel, ProjectStatus},
    ids::{CategoryId, ProjectId, UserId},
    money::Usdc,
};

/// A posted project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectId,
    /// Who posted it.
    pub client_id: UserId,
    /// 5 to 200 characters.
    pub title: String,
    /// 30 to 10,000 characters.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Its category.
    pub category_id: CategoryId,
    /// How it pays.
    pub budget_type: BudgetType,
    /// Least.
    pub budget_min: Usdc,
    /// Most.
    pub budget_max: Usdc,
    /// The experience asked for.
    pub experience_level: ExperienceLevel,
    /// Where in its life.
    pub status: ProjectStatus,
    /// Raised by each change of state.
    pub version: i32,
    /// When it was first opened.
    pub published_at: Option<DateTimeUtc>,
    /// When something last happened on it: sixty days later it expires.
    pub active_at: DateTimeUtc,
    /// When its owner was told that it is about to expire.
    pub expiry_warned_at: Option<DateTimeUtc>,
    /// Why its client gave it up, if they said.
    #[sea_orm(column_type = "Text", nullable)]
    pub cancel_reason: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
