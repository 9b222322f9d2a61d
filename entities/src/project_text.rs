//! `project_texts`: what a project says, cut into words for the search.

use sea_orm::entity::prelude::*;

use crate::ids::ProjectId;

/// What a project says, cut into words for the search. The words themselves are indexed beside it: by a virtual table on
/// SQLite, by a column that is no part of this row on PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_texts")]
pub struct Model {
    /// What the index knows the row by.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// Whose words, once each.
    #[sea_orm(unique)]
    pub project_id: ProjectId,
    /// The words of its title, in order, each between two spaces.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// Every word, once, with one space between two: the title's and the description's.
    #[sea_orm(column_type = "Text")]
    pub text: String,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
