//! `invitations`: a client's invitation to a freelancer to bid on a project.

use sea_orm::entity::prelude::*;

use crate::{
    enums::InvitationStatus,
    ids::{InvitationId, ProjectId, UserId},
};

/// A client's invitation to a freelancer to bid on a project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// To bid on what.
    pub project_id: ProjectId,
    /// Who invites.
    pub client_id: UserId,
    /// Whom.
    pub freelancer_id: UserId,
    /// Where in its life.
    pub status: InvitationStatus,
    /// What the client says.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// Raised by each change of state.
    pub version: i32,
    /// When it was answered or withdrawn.
    pub answered_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
