//! Jobs by their ids, and the jobs about things, by one statement a level.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{
    Error,
    page::{Page, PageRequest},
    queue::{self, JobRow},
};

use super::Rows;

/// A job by its ULID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobNamed(pub String);

/// A page of the jobs about a thing (its public id), newest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobsAbout {
    /// Which thing.
    pub subject: String,
    /// Which page.
    pub page: PageRequest,
}

/// How many jobs there are about a thing (its public id).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobCountAbout(pub String);

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

impl Loader<JobNamed> for Rows {
    type Value = JobRow;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[JobNamed]) -> Loaded<JobNamed, JobRow> {
        let ids: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let rows = queue::find_many(&self.app, &ids).await?;
        Ok(rows.into_iter().map(|row| (JobNamed(row.id.clone()), row)).collect())
    }
}

impl Loader<JobsAbout> for Rows {
    type Value = Page<JobRow>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[JobsAbout]) -> Loaded<JobsAbout, Self::Value> {
        let mut by_page: HashMap<&PageRequest, Vec<&str>> = HashMap::new();
        for key in keys {
            by_page.entry(&key.page).or_default().push(&key.subject);
        }
        let mut loaded = HashMap::new();
        for (page, subjects) in by_page {
            let pages = queue::about(&self.app, &subjects, page).await?;
            let key = |subject| JobsAbout { subject, page: page.clone() };
            loaded.extend(pages.into_iter().map(|(subject, found)| (key(subject), found)));
        }
        Ok(loaded)
    }
}

impl Loader<JobCountAbout> for Rows {
    type Value = u64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[JobCountAbout]) -> Loaded<JobCountAbout, u64> {
        let subjects: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let counts = queue::count_about(&self.app, &subjects).await?;
        Ok(counts.into_iter().map(|(subject, count)| (JobCountAbout(subject), count)).collect())
    }
}
