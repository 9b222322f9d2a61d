//! Categories: the fields of work that projects and skills belong to. Admins keep them.

use chrono::{DateTime, Utc};
use entities::{CategoryId, category};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;

use crate::{
    Actor, App, Tx, audit,
    check::Check,
    error::{Code, Error, Result},
    policy::{Action, authorise},
};

/// The last place that a category can be given.
const LAST_PLACE: i32 = 10_000;

/// A category to be.
#[derive(Debug, Clone)]
pub struct New {
    /// 1 to 100 characters, unique whatever their case.
    pub name: String,
    /// Its name in links: lower-case letters, digits and single dashes. Made of the name when left out.
    pub slug: Option<String>,
    /// Its place in the order of display, from 1; at the end when left out.
    pub position: Option<i32>,
}

/// What to change of a category: `None` leaves it as it is. The slug stays, because links hold it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// 1 to 100 characters, unique whatever their case.
    pub name: Option<String>,
    /// Its place in the order of display, from 1.
    pub position: Option<i32>,
}

/// The categories in their order of display: the live ones, or for admins the archived ones too.
pub async fn list(app: &App, actor: &Actor, archived: bool) -> Result<Vec<category::Model>> {
    let mut select = category::Entity::find();
    if archived {
        authorise(actor, Action::Administer, "archived", "category")?;
    } else {
        select = select.filter(category::Column::ArchivedAt.is_null());
    }
    let ordered = select.order_by_asc(category::Column::Position).order_by_asc(category::Column::Name);
    Ok(ordered.all(app.db.reader()).await?)
}

/// A category, be it archived: projects that have it still show it.
pub async fn find(app: &App, id: CategoryId) -> Result<category::Model> {
    category::Entity::find_by_id(id)
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "category"))
}

/// Makes a category.
pub async fn create(app: &App, actor: &Actor, input: New) -> Result<category::Model> {
    authorise(actor, Action::Administer, "", "category")?;
    let mut check = Check::new();
    let name = check.line("name", &input.name, 1..=100);
    let slug = input.slug.unwrap_or_else(|| slug_of(&name));
    if slug.is_empty() && !name.is_empty() {
        check.problem("slug", Code::Required, format!("None can be made of this name. {SLUG}"));
    } else {
        check.ensure(is_slug(&slug), "slug", Code::Invalid, SLUG);
    }
    place(&mut check, input.position);
    check.done()?;

    let tx = app.db.begin().await?;
    let all = alone(&tx).await?;
    require_free(&all, &name, None)?;
    let last = all.iter().map(|category| category.position).max().unwrap_or_default();
    let category = category::Model {
        id: app.clock.new_id(),
        name,
        slug,
        position: input.position.unwrap_or_else(|| LAST_PLACE.min(last.saturating_add(1))),
        archived_at: None,
    };
    category::Entity::insert(category.clone().into_active_model())
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| Error::taken(error, "slug", "There is a category with this slug."))?;
    record(app, &tx, actor, "category.create", &category).await?;
    tx.commit().await?;
    Ok(category)
}

/// Changes a category's name or its place.
pub async fn update(app: &App, actor: &Actor, id: CategoryId, input: Change) -> Result<category::Model> {
    authorise(actor, Action::Administer, "", "category")?;
    let mut check = Check::new();
    let name = input.name.as_deref().map(|name| check.line("name", name, 1..=100));
    place(&mut check, input.position);
    check.done()?;

    let tx = app.db.begin().await?;
    let all = alone(&tx).await?;
    let category = locked(&tx, id).await?;
    if let Some(name) = &name {
        require_free(&all, name, Some(id))?;
    }
    let change = category::ActiveModel {
        id: Set(id),
        name: Set(name.unwrap_or(category.name)),
        position: Set(input.position.unwrap_or(category.position)),
        ..Default::default()
    };
    let category = change.update(&*tx).await?;
    record(app, &tx, actor, "category.update", &category).await?;
    tx.commit().await?;
    Ok(category)
}

/// Closes a category to new projects; those that have it keep it. Doing it again changes nothing.
pub async fn archive(app: &App, actor: &Actor, id: CategoryId) -> Result<category::Model> {
    archived(app, actor, id, Some(app.clock.now())).await
}

/// Opens an archived category again. Doing it again changes nothing.
pub async fn restore(app: &App, actor: &Actor, id: CategoryId) -> Result<category::Model> {
    archived(app, actor, id, None).await
}

/// Every category, read by one at a time: whoever is about to give a name waits here for others who do. None is ever
/// deleted, so the first one is always there to wait at.
async fn alone(tx: &Tx) -> Result<Vec<category::Model>> {
    category::Entity::find().order_by_asc(category::Column::Id).lock_exclusive().one(&**tx).await?;
    Ok(category::Entity::find().all(&**tx).await?)
}

async fn archived(
    app: &App,
    actor: &Actor,
    id: CategoryId,
    since: Option<DateTime<Utc>>,
) -> Result<category::Model> {
    authorise(actor, Action::Administer, "", "category")?;
    let tx = app.db.begin().await?;
    let mut category = locked(&tx, id).await?;
    if category.archived_at.is_some() != since.is_some() {
        let change = category::ActiveModel { id: Set(id), archived_at: Set(since), ..Default::default() };
        let action = if since.is_some() { "category.archive" } else { "category.restore" };
        category = change.update(&*tx).await?;
        record(app, &tx, actor, action, &category).await?;
    }
    tx.commit().await?;
    Ok(category)
}

/// A category that something new may take. `field` names what brought it.
pub(crate) async fn usable(tx: &Tx, id: CategoryId, field: &str) -> Result<category::Model> {
    let category = category::Entity::find_by_id(id).one(&**tx).await?;
    let category =
        category.ok_or_else(|| Error::rejected(field, Code::NotFound, "There is no such category."))?;
    if category.archived_at.is_some() {
        let message = format!("The category {} is archived: choose another one.", category.name);
        return Err(Error::rejected(field, Code::IllegalState, message));
    }
    Ok(category)
}

/// Puts a change on the record: how the category is now.
async fn record(app: &App, tx: &Tx, actor: &Actor, action: &str, category: &category::Model) -> Result<()> {
    let facts = json!({ "name": category.name, "slug": category.slug, "position": category.position });
    audit::record(app, tx, actor, action, Some(category.id.to_string()), facts).await.map(drop)
}

async fn locked(tx: &Tx, id: CategoryId) -> Result<category::Model> {
    let category = category::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    category.ok_or_else(|| Error::not_found("categoryId", "category"))
}

fn place(check: &mut Check, position: Option<i32>) {
    if let Some(position) = position {
        check.range("position", position, 1..=LAST_PLACE);
    }
}

/// There are few categories: all of them are looked at.
fn require_free(all: &[category::Model], name: &str, by: Option<CategoryId>) -> Result<()> {
    let key = name.to_lowercase();
    match all.iter().find(|other| other.name.to_lowercase() == key && Some(other.id) != by) {
        None => Ok(()),
        Some(other) if other.archived_at.is_some() => {
            let message = format!("An archived category has this name: restore {} instead.", other.id);
            Err(Error::rejected("name", Code::Taken, message))
        }
        Some(_) => Err(Error::rejected("name", Code::Taken, "There is a category of this name.")),
    }
}

/// A name as it can stand in a link: what is neither a letter nor a digit divides its words.
fn slug_of(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

fn is_slug(slug: &str) -> bool {
    (1..=100).contains(&slug.len()) && slug == slug_of(slug)
}

const SLUG: &str = "Give 1 to 100 lower-case letters and digits, in words divided by single dashes.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_a_name() {
        assert_eq!(slug_of(" Data & Analytics "), "data-analytics");
        assert_eq!(slug_of("3D"), "3d");
        for good in ["web", "data-analytics", "3d"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in ["", "Web", "a--b", "-a", "a-", "a b", "é"] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
