//! What stands below lists of people, by one statement a kind.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error, account,
    entities::{ProjectId, UserId, proposal, skill, user_skill, wallet},
    invitation, notification, saved, wallet as wallets,
};

use super::{Rows, market::grouped};

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
        Ok(grouped(rows.into_iter().map(|(level, skill)| (UserSkillsOf(level.user_id), (level, skill)))))
    }
}

/// Whether a person saved a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectSavedBy(pub UserId, pub ProjectId);

impl Loader<ProjectSavedBy> for Rows {
    type Value = bool;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProjectSavedBy]) -> Result<HashMap<ProjectSavedBy, bool>, Self::Error> {
        let mut found = HashMap::new();
        // A request has one viewer.
        for (viewer, ids) in grouped(keys.iter().map(|key| (key.0, key.1))) {
            let saved = saved::saved_projects(self.app.db.reader(), viewer, &ids).await.map_err(Arc::new)?;
            found.extend(saved.into_iter().map(|id| (ProjectSavedBy(viewer, id), true)));
        }
        Ok(found)
    }
}

/// Whether a person saved a freelancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FreelancerSavedBy(pub UserId, pub UserId);

impl Loader<FreelancerSavedBy> for Rows {
    type Value = bool;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[FreelancerSavedBy],
    ) -> Result<HashMap<FreelancerSavedBy, bool>, Self::Error> {
        let mut found = HashMap::new();
        for (viewer, ids) in grouped(keys.iter().map(|key| (key.0, key.1))) {
            let saved =
                saved::saved_freelancers(self.app.db.reader(), viewer, &ids).await.map_err(Arc::new)?;
            found.extend(saved.into_iter().map(|id| (FreelancerSavedBy(viewer, id), true)));
        }
        Ok(found)
    }
}

/// The proposal of a freelancer on a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProposalBy(pub ProjectId, pub UserId);

impl Loader<ProposalBy> for Rows {
    type Value = proposal::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProposalBy]) -> Result<HashMap<ProposalBy, Self::Value>, Self::Error> {
        let pairs = keys.iter().map(|key| (key.0, key.1)).collect();
        let rows = invitation::proposals_of(self.app.db.reader(), &pairs).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (ProposalBy(row.project_id, row.freelancer_id), row)).collect())
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
