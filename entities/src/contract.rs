//! `contracts`: an agreement between a client and a freelancer.

use sea_orm::entity::prelude::*;

use crate::{
    enums::ContractStatus,
    ids::{ContractId, ProjectId, ProposalId, UserId},
    money::Usdc,
};

/// An agreement between a client and a freelancer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contracts")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContractId,
    /// On which project.
    pub project_id: ProjectId,
    /// From which proposal.
    pub proposal_id: ProposalId,
    /// Who pays.
    pub client_id: UserId,
    /// Who works.
    pub freelancer_id: UserId,
    /// Where in its life.
    pub status: ContractStatus,
    /// At least 10 characters.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// The sum of its milestones.
    pub amount: Usdc,
    /// The fee version it was made with.
    pub fee_schedule: i32,
    /// Planned start.
    pub start_at: Option<DateTimeUtc>,
    /// Planned end.
    pub end_at: Option<DateTimeUtc>,
    /// When an unanswered offer ends.
    pub lapses_at: DateTimeUtc,
    /// Raised by each change of state.
    pub version: i32,
    /// When the freelancer accepted.
    pub accepted_at: Option<DateTimeUtc>,
    /// When it ended.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it was terminated, in the words of who did it.
    #[sea_orm(column_type = "Text", nullable)]
    pub end_reason: Option<String>,
    /// Who terminated it; empty for the system.
    pub ended_by: Option<UserId>,
    /// Since when it rests.
    pub paused_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
