//! Project categories.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{category as categories, entities::category};

use super::support::{actor, app, parse_id};
use crate::error::{UserError, answer, fault};

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

    /// Its name for people, unique whatever its case.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its name in links: stable, lower case.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its place in the order of display; of two in the same place the name decides.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// Since when new projects cannot take it; null while they can.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// Reads of categories.
#[derive(Debug, Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// The categories that a project can take, in their order of display.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "True adds those that are archived. For admins.", default)] archived: bool,
    ) -> Result<Vec<Category>> {
        let rows = categories::list(app(ctx)?, actor(ctx)?, archived).await.map_err(fault)?;
        Ok(rows.into_iter().map(Category).collect())
    }
}

/// A category to be.
#[derive(Debug, InputObject)]
pub struct CategoryCreateInput {
    /// Its name: 1 to 100 characters, unique whatever their case.
    pub name: String,
    /// Its name in links: up to 100 lower-case letters and digits, in words divided by single dashes, unique. Made
    /// of the name when left out; it never changes.
    pub slug: Option<String>,
    /// Its place in the order of display, 1 to 10,000; at the end when left out.
    pub position: Option<i32>,
}

/// What to change of a category. A field that is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct CategoryUpdateInput {
    /// Which one, `cat_...`.
    pub category_id: ID,
    /// Its name: 1 to 100 characters, unique whatever their case.
    pub name: Option<String>,
    /// Its place in the order of display, 1 to 10,000.
    pub position: Option<i32>,
}

/// Which category to close to new projects.
#[derive(Debug, InputObject)]
pub struct CategoryArchiveInput {
    /// Which one, `cat_...`.
    pub category_id: ID,
}

/// Which category to open again.
#[derive(Debug, InputObject)]
pub struct CategoryRestoreInput {
    /// Which one, `cat_...`.
    pub category_id: ID,
}

/// The category after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct CategoryPayload {
    /// The category; null when something has to be mended first.
    pub category: Option<Category>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl CategoryPayload {
    fn of(result: domain::Result<category::Model>) -> Result<Self> {
        let (category, user_errors) = answer(result)?;
        Ok(Self { category: category.map(Category), user_errors })
    }
}

/// Keeping the categories.
#[derive(Debug, Default)]
pub struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Makes a category. For admins.
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CategoryCreateInput,
    ) -> Result<CategoryPayload> {
        let input = categories::New { name: input.name, slug: input.slug, position: input.position };
        CategoryPayload::of(categories::create(app(ctx)?, actor(ctx)?, input).await)
    }

    /// Changes a category's name or its place. For admins.
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what.")] input: CategoryUpdateInput,
    ) -> Result<CategoryPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("categoryId", &input.category_id);
        let change = categories::Change { name: input.name, position: input.position };
        CategoryPayload::of(async { categories::update(app, actor, id?, change).await }.await)
    }

    /// Closes a category to new projects; those that have it keep it. Doing it again changes nothing. For admins.
    async fn category_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CategoryArchiveInput,
    ) -> Result<CategoryPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("categoryId", &input.category_id);
        CategoryPayload::of(async { categories::archive(app, actor, id?).await }.await)
    }

    /// Opens an archived category again. Doing it again changes nothing. For admins.
    async fn category_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CategoryRestoreInput,
    ) -> Result<CategoryPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("categoryId", &input.category_id);
        CategoryPayload::of(async { categories::restore(app, actor, id?).await }.await)
    }
}
