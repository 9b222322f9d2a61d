//! `project_skills`: a skill that a project asks for.

use sea_orm::entity::prelude::*;

use crate::ids::{ProjectId, SkillId};

/// A skill that a project asks for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_skills")]
pub struct Model {
    /// Which project.
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    /// Which skill.
    #[sea_orm(primary_key, auto_increment = false)]
    pub skill_id: SkillId,
    /// Order as given.
    pub position: i32,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
