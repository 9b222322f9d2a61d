//! `skills`: a skill.

use sea_orm::entity::prelude::*;

use crate::ids::{CategoryId, SkillId};

/// A skill.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "skills")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SkillId,
    /// Its name.
    pub name: String,
    /// Lower-cased, unique.
    pub name_key: String,
    /// Where it belongs.
    pub category_id: Option<CategoryId>,
    /// When an admin confirmed it.
    pub verified_at: Option<DateTimeUtc>,
    /// Soft deletion.
    pub deleted_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
