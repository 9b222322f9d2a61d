//! What a freelancer knows.

use async_graphql::Object;
use domain::entities::{skill, user_skill};

use crate::graphql::skill::Skill;

/// How well a freelancer knows a skill.
#[derive(Debug, Clone)]
pub struct UserSkill {
    pub(super) level: user_skill::Model,
    pub(super) skill: skill::Model,
}

/// How well a freelancer knows a skill.
#[Object]
impl UserSkill {
    /// Which skill.
    async fn skill(&self) -> Skill {
        Skill(self.skill.clone())
    }

    /// How well, from 1 (knows about it) to 5 (masters it).
    async fn proficiency(&self) -> i32 {
        self.level.proficiency
    }

    /// For how many years, 0 to 60.
    async fn years(&self) -> i32 {
        self.level.years
    }
}
