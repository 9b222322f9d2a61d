//! `saved_freelancers`: a freelancer whom a person wants to find again.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// A freelancer whom a person wants to find again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "saved_freelancers")]
pub struct Model {
    /// Who saved them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Which freelancer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub freelancer_id: UserId,
    /// When, in microseconds since 1970: what the list of saved things is sorted by.
    pub saved_micros: i64,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
