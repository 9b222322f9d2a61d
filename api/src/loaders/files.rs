//! Files, by what they belong to.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::{Error, entities::upload, upload::of_subject};

use super::Rows;

/// The files that belong to a thing (its public id), in the order they were made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FilesOf(pub String);

impl Loader<FilesOf> for Rows {
    type Value = Vec<upload::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[FilesOf]) -> Result<HashMap<FilesOf, Self::Value>, Self::Error> {
        let subjects: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let rows = of_subject(self.app.db.reader(), &subjects).await.map_err(Arc::new)?;
        let mut files: HashMap<FilesOf, Self::Value> = HashMap::new();
        for row in rows {
            if let Some(subject) = row.attached_to.clone() {
                files.entry(FilesOf(subject)).or_default().push(row);
            }
        }
        Ok(files)
    }
}
