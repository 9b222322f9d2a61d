//! Everybody, for administrators.

use entities::{Role, user};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::{
    Actor,
    check::Check,
    error::Result,
    page::List,
    policy::{self, Action},
    search::any_contains,
};

/// Which people are wanted; what is `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// A piece of the name or of the e-mail address, whatever its case; at most 200 characters.
    pub search: Option<String>,
    /// With this role.
    pub role: Option<Role>,
    /// Suspended, or not.
    pub suspended: Option<bool>,
    /// With a proven e-mail address, or without.
    pub verified: Option<bool>,
}

/// By what people are ordered; ties go by when they registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserOrder {
    /// By when they registered.
    CreatedAt,
    /// By their public name.
    DisplayName,
}

/// Everybody with an account.
pub fn users(
    actor: &Actor,
    filter: &UserFilter,
    order: UserOrder,
    descending: bool,
) -> Result<List<user::Entity>> {
    use user::Column;
    policy::authorise(actor, Action::Administer, "", "user")?;
    let mut check = Check::new();
    let search = check.line("filter.search", filter.search.as_deref().unwrap_or_default(), 0..=200);
    check.done()?;
    let there = |column: Column, wanted: bool| if wanted { column.is_not_null() } else { column.is_null() };
    let mut narrow = Condition::all()
        .add_option(filter.role.map(|role| Column::Role.eq(role)))
        .add_option(filter.suspended.map(|wanted| there(Column::SuspendedAt, wanted)))
        .add_option(filter.verified.map(|wanted| there(Column::EmailVerifiedAt, wanted)));
    if !search.is_empty() {
        narrow = narrow.add(any_contains([Column::DisplayName, Column::Email], &search));
    }
    let select = user::Entity::find().filter(narrow);
    Ok(match order {
        UserOrder::CreatedAt => List::by_id(select, Column::Id, descending),
        UserOrder::DisplayName => List::by(select, Column::DisplayName, Column::Id, descending),
    })
}
