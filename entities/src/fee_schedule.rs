//! `fee_schedules`: a version of the platform's fee.

use sea_orm::entity::prelude::*;

/// A version of the platform's fee.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fee_schedules")]
pub struct Model {
    /// Which version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Hundredths of a percent of the gross.
    pub basis_points: i32,
    /// Since when new contracts take it.
    pub effective_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
