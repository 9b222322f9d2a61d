//! What stands below lists of people, by one statement a kind.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error, account,
    entities::{UserId, skill, user_skill, wallet},
    notification, wallet as wallets,
};

use super::Rows;

/// A person's skills, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserSkillsOf(pub UserId);

/// A person's wallets, the first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WalletsOf(pub UserId);

/// How many notifications a person has not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnreadOf(pub UserId);

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

impl Loader<WalletsOf> for Rows {
    type Value = Vec<wallet::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[WalletsOf]) -> Result<HashMap<WalletsOf, Self::Value>, Self::Error> {
        let users = keys.iter().map(|key| key.0);
        let rows = wallets::of_users(self.app.db.reader(), users).await.map_err(Arc::new)?;
        let mut wallets: HashMap<WalletsOf, Self::Value> = HashMap::new();
        for row in rows {
            wallets.entry(WalletsOf(row.user_id)).or_default().push(row);
        }
        Ok(wallets)
    }
}

impl Loader<UnreadOf> for Rows {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UnreadOf]) -> Result<HashMap<UnreadOf, i64>, Self::Error> {
        let users = keys.iter().map(|key| key.0);
        let unread = notification::unread(self.app.db.reader(), users).await.map_err(Arc::new)?;
        Ok(unread.into_iter().map(|(user, count)| (UnreadOf(user), count)).collect())
    }
}
