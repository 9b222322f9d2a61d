//! `categories`: a project category.

use sea_orm::entity::prelude::*;

use crate::ids::CategoryId;

/// A project category.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "categories")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    /// Its name.
    pub name: String,
    /// Its name in links, unique.
    pub slug: String,
    /// Order of display.
    pub position: i32,
    /// Since when new projects cannot take it.
    pub archived_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
