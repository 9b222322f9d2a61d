//! `proposed_milestones`: a milestone that a proposal suggests.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{ProposalId, ProposedMilestoneId},
    money::Usdc,
};

/// A milestone that a proposal suggests.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proposed_milestones")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProposedMilestoneId,
    /// Of which proposal.
    pub proposal_id: ProposalId,
    /// Order, from 1.
    pub position: i32,
    /// 1 to 255 characters.
    pub title: String,
    /// What it pays.
    pub amount: Usdc,
    /// When it is due.
    pub due_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
