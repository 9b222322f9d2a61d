//! `dispute_evidence`: what a party brought forward in a dispute; its files are uploads attached to it.

use sea_orm::entity::prelude::*;

use crate::ids::{DisputeId, EvidenceId, UserId};

/// What a party brought forward in a dispute; its files are uploads attached to it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dispute_evidence")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvidenceId,
    /// In which dispute.
    pub dispute_id: DisputeId,
    /// Who brought it forward.
    pub author_id: UserId,
    /// What they say about it.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
