//! Project categories.

use async_graphql::{Context, ID, Object};
use domain::{entities::category, skill};

use super::support::app;
use crate::error::fault;

/// A field of work that projects and skills belong to.
#[derive(Debug, Clone)]
pub struct Category(pub category::Model);

/// A field of work that projects and skills belong to.
#[Object]
impl Category {
    /// Which category.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its name in links: stable, lower case.
    async fn slug(&self) -> &str {
        &self.0.slug
    }
}

/// Reads of categories.
#[derive(Debug, Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// All categories, in their order of display.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn categories(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Category>> {
        let rows = skill::categories(app(ctx)?).await.map_err(fault)?;
        Ok(rows.into_iter().map(Category).collect())
    }
}
