//! `proposals`: a freelancer's bid on a project.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{Availability, ProposalStatus},
    ids::{ProjectId, ProposalId, UserId},
    money::Usdc,
};

/// A freelancer's bid on a project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposals")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProposalId,
    /// On what.
    pub project_id: ProjectId,
    /// By whom.
    pub freelancer_id: UserId,
    /// Where in its life.
    pub status: ProposalStatus,
    /// 50 to 5,000 characters.
    #[sea_orm(column_type = "Text")]
    pub cover_letter: String,
    /// The whole sum (fixed) or the rate an hour (hourly).
    pub bid: Usdc,
    /// Hours, for hourly projects.
    pub estimated_hours: Option<i32>,
    /// When they can start.
    pub availability: Availability,
    /// Raised by each change of state.
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
