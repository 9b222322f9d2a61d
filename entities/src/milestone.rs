//! `milestones`: a part of a contract that is funded, done and paid by itself.

use sea_orm::entity::prelude::*;

use crate::{
    enums::MilestoneStatus,
    ids::{ContractId, MilestoneId},
    money::Usdc,
};

/// A part of a contract that is funded, done and paid by itself.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "milestones")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MilestoneId,
    /// Of which contract.
    pub contract_id: ContractId,
    /// Order, from 1.
    pub position: i32,
    /// 1 to 255 characters.
    pub title: String,
    /// What it pays, gross.
    pub amount: Usdc,
    /// Where in its life.
    pub status: MilestoneStatus,
    /// Where a refund under way came from.
    pub returns_to: Option<MilestoneStatus>,
    /// When it is due.
    pub due_at: Option<DateTimeUtc>,
    /// When an unanswered submission is paid.
    pub auto_release_at: Option<DateTimeUtc>,
    /// When both parties were told that it is about to be released by itself.
    pub release_reminded_at: Option<DateTimeUtc>,
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
