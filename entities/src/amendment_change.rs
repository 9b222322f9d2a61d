//! `amendment_changes`: one line of an amendment: a milestone that is added, changed or removed.

use sea_orm::entity::prelude::*;

use crate::{
    enums::AmendmentChangeKind,
    ids::{AmendmentChangeId, AmendmentId, MilestoneId},
    money::Usdc,
};

/// One line of an amendment: a milestone that is added, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "amendment_changes")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AmendmentChangeId,
    /// Of which amendment.
    pub amendment_id: AmendmentId,
    /// Order, from 1.
    pub position: i32,
    /// What it does.
    pub kind: AmendmentChangeKind,
    /// To which milestone; empty for one that is added.
    pub milestone_id: Option<MilestoneId>,
    /// The new title.
    pub title: Option<String>,
    /// The new amount, gross.
    pub amount: Option<Usdc>,
    /// The new due date.
    pub due_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
