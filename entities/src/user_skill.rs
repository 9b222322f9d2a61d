//! `user_skills`: a freelancer's skill.

use sea_orm::entity::prelude::*;

use crate::ids::{SkillId, UserId};

/// A freelancer's skill.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_skills")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub skill_id: SkillId,
    /// 1 to 5.
    pub proficiency: i32,
    /// 0 to 60.
    pub years: i32,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
