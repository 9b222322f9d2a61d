//! Matches of many projects or people, by as many statements as for one.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error,
    entities::{ProjectId, UserId},
    matching::{self, Match},
};

use super::Rows;

/// The best freelancers for a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FreelancersFor(pub ProjectId);

/// The best projects for a freelancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProjectsFor(pub UserId);

impl Loader<FreelancersFor> for Rows {
    type Value = Vec<Match<UserId>>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[FreelancersFor],
    ) -> Result<HashMap<FreelancersFor, Self::Value>, Self::Error> {
        let projects: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = matching::freelancers_for(&self.app, &projects).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(project, matches)| (FreelancersFor(project), matches)).collect())
    }
}

impl Loader<ProjectsFor> for Rows {
    type Value = Vec<Match<ProjectId>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProjectsFor]) -> Result<HashMap<ProjectsFor, Self::Value>, Self::Error> {
        let people: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = matching::projects_for(&self.app, &people).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(person, matches)| (ProjectsFor(person), matches)).collect())
    }
}
