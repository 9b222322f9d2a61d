//! `portfolio_items`: a piece of work that a freelancer shows; its pictures are uploads attached to it.

use sea_orm::entity::prelude::*;

use crate::ids::{PortfolioItemId, UserId};

/// A piece of work that a freelancer shows; its pictures are uploads attached to it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portfolio_items")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PortfolioItemId,
    /// Whose.
    pub user_id: UserId,
    /// What it is, in a line.
    pub title: String,
    /// More about it.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Where it can be seen.
    pub link: Option<String>,
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
