//! `disputes`: a quarrel over a funded milestone, which an admin decides.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{DisputeKind, DisputeStatus},
    ids::{ContractId, DisputeId, MilestoneId, UserId},
    money::Usdc,
};

/// A quarrel over a funded milestone, which an admin decides.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "disputes")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DisputeId,
    /// On which contract.
    pub contract_id: ContractId,
    /// Over which milestone.
    pub milestone_id: MilestoneId,
    /// Which party opened it.
    pub opened_by: UserId,
    /// What it is about.
    pub kind: DisputeKind,
    /// Where in its life.
    pub status: DisputeStatus,
    /// At least 10 characters.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// The admin who took it.
    pub taken_by: Option<UserId>,
    /// Why it was escalated, for admins.
    #[sea_orm(column_type = "Text", nullable)]
    pub escalation_note: Option<String>,
    /// The admin who decided it.
    pub resolved_by: Option<UserId>,
    /// The admin's reasons.
    #[sea_orm(column_type = "Text", nullable)]
    pub resolution: Option<String>,
    /// How much goes back to the client.
    pub refund_amount: Option<Usdc>,
    /// How much is released, gross.
    pub release_amount: Option<Usdc>,
    /// Whether the contract ends with it.
    pub ends_contract: bool,
    /// When the milestone was about to be released by itself: its clock stands still meanwhile.
    pub auto_release_at: Option<DateTimeUtc>,
    /// Raised by each change of state.
    pub version: i32,
    /// When an admin took it.
    pub taken_at: Option<DateTimeUtc>,
    /// When it was escalated.
    pub escalated_at: Option<DateTimeUtc>,
    /// When it was resolved or withdrawn.
    pub ended_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
