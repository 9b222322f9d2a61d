//! Skills: what people can do and projects ask for.

use entities::{CategoryId, skill};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};

use crate::{
    Actor,
    check::Check,
    error::Result,
    page::List,
    policy::{Action, authorise, can},
    search::any_contains,
};

mod manage;

pub use manage::{Change, New, create, delete, restore, update, verify};

/// Which skills are wanted; everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct SkillFilter {
    /// A piece of the name, whatever its case; at most 100 characters.
    pub search: Option<String>,
    /// Of this category.
    pub category_id: Option<CategoryId>,
    /// Whether an admin confirmed it.
    pub verified: Option<bool>,
    /// The withdrawn ones instead: for admins.
    pub deleted: bool,
}

/// The skills that everybody may use, by name. Withdrawn ones are not among them.
pub fn list(actor: &Actor, filter: &SkillFilter) -> Result<List<skill::Entity>> {
    use skill::Column;
    if filter.deleted {
        authorise(actor, Action::Administer, "filter.deleted", "skill")?;
    }
    let mut check = Check::new();
    let search = check.line("filter.search", filter.search.as_deref().unwrap_or_default(), 0..=100);
    check.done()?;
    let given = |column: Column, given: bool| if given { column.is_not_null() } else { column.is_null() };
    let mut select = skill::Entity::find().filter(given(Column::DeletedAt, filter.deleted));
    if !search.is_empty() {
        select = select.filter(any_contains([Column::NameKey], &search));
    }
    if let Some(category) = filter.category_id {
        select = select.filter(Column::CategoryId.eq(category));
    }
    if let Some(verified) = filter.verified {
        select = select.filter(given(Column::VerifiedAt, verified));
    }
    Ok(List::by(select, Column::NameKey, Column::Id, false))
}

/// The skills that the actor may see. A withdrawn one is there for admins only.
pub fn visible(actor: &Actor) -> Select<skill::Entity> {
    let all = skill::Entity::find();
    match can(actor, Action::Administer) {
        Ok(()) => all,
        Err(_) => all.filter(skill::Column::DeletedAt.is_null()),
    }
}
