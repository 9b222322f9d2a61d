//! Matches of many projects or people, by as many statements as for one.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error,
    entities::{ProjectId, UserId},
    matching::{self, Match},
};

use super::Rows;

/// The best freelancers for a project, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FreelancersFor(pub ProjectId, pub Option<UserId>);

/// The best projects for a freelancer, and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectsFor(pub UserId, pub Option<UserId>);

impl Loader<FreelancersFor> for Rows {
    type Value = Vec<Match<UserId>>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[FreelancersFor],
    ) -> Result<HashMap<FreelancersFor, Self::Value>, Self::Error> {
        let projects: Vec<_> = keys.iter().map(|key| key.0).collect();
        // A loader is one request's, and so one person's.
        let asker = keys.first().and_then(|key| key.1);
        let found = matching::freelancers_for(&self.app, asker, &projects).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(project, matches)| (FreelancersFor(project, asker), matches)).collect())
    }
}

impl Loader<ProjectsFor> for Rows {
    type Value = Vec<Match<ProjectId>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProjectsFor]) -> Result<HashMap<ProjectsFor, Self::Value>, Self::Error> {
        let people: Vec<_> = keys.iter().map(|key| key.0).collect();
        let asker = keys.first().and_then(|key| key.1);
        let found = matching::projects_for(&self.app, asker, &people).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(person, matches)| (ProjectsFor(person, asker), matches)).collect())
    }
}
