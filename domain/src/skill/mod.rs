//! Skills and categories: what work is about.

use entities::{CategoryId, SkillId, category, skill};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    App,
    check::Check,
    error::{Error, Result},
    page::List,
    search::any_contains,
};

/// Which skills are wanted; everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct SkillFilter {
    /// A piece of the name, whatever its case; at most 100 characters.
    pub search: Option<String>,
    /// Of this category.
    pub category_id: Option<CategoryId>,
}

/// The skills that everybody may use, by name. Withdrawn ones are not among them.
pub fn list(filter: &SkillFilter) -> Result<List<skill::Entity>> {
    let mut check = Check::new();
    let search = check.line("filter.search", filter.search.as_deref().unwrap_or_default(), 0..=100);
    check.done()?;
    let mut select = offered();
    if !search.is_empty() {
        select = select.filter(any_contains([skill::Column::NameKey], &search));
    }
    if let Some(category) = filter.category_id {
        select = select.filter(skill::Column::CategoryId.eq(category));
    }
    Ok(List::by(select, skill::Column::NameKey, skill::Column::Id, false))
}

/// A skill.
pub async fn find(app: &App, id: SkillId) -> Result<skill::Model> {
    offered()
        .filter(skill::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "skill"))
}

/// The skills that were not withdrawn: everybody may see them.
pub fn offered() -> Select<skill::Entity> {
    skill::Entity::find().filter(skill::Column::DeletedAt.is_null())
}

/// All categories, in their order of display.
pub async fn categories(app: &App) -> Result<Vec<category::Model>> {
    Ok(category::Entity::find().order_by_asc(category::Column::Position).all(app.db.reader()).await?)
}

/// A category.
pub async fn category(app: &App, id: CategoryId) -> Result<category::Model> {
    category::Entity::find_by_id(id)
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "category"))
}
