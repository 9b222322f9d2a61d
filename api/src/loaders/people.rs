//! What stands below lists of people, by one statement a kind.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error, account,
    entities::{UserId, skill, user_skill},
};

use super::Rows;

/// A person's skills, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserSkillsOf(pub UserId);

impl Loader<UserSkillsOf> for Rows {
    type Value = Vec<(user_skill::Model, skill::Model)>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UserSkillsOf]) -> Result<HashMap<UserSkillsOf, Self::Value>, Self::Error> {
        let users = keys.iter().map(|key| key.0);
        let rows = account::skills_of(self.app.db.reader(), users).await.map_err(Arc::new)?;
        let mut skills: HashMap<UserSkillsOf, Self::Value> = HashMap::new();
        for (level, skill) in rows {
            skills.entry(UserSkillsOf(level.user_id)).or_default().push((level, skill));
        }
        Ok(skills)
    }
}
