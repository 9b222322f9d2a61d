//! Keeping the skills: for admins.

use entities::{CategoryId, SkillId, skill};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::json;

use crate::{
    Actor, App, Tx, audit, category,
    check::Check,
    error::{Code, Error, Result},
    policy::{Action, authorise},
};

/// A skill to be.
#[derive(Debug, Clone)]
pub struct New {
    /// 1 to 100 characters, unique whatever their case.
    pub name: String,
    /// Where it belongs, if anywhere in particular.
    pub category_id: Option<CategoryId>,
}

/// What to change of a skill: `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// 1 to 100 characters, unique whatever their case.
    pub name: Option<String>,
    /// Where it belongs; `Some(None)`: nowhere in particular.
    pub category_id: Option<Option<CategoryId>>,
}

/// Makes a skill that everybody may use. It is not verified by that.
pub async fn create(app: &App, actor: &Actor, input: New) -> Result<skill::Model> {
    authorise(actor, Action::Administer, "", "skill")?;
    let name = checked_name(&input.name)?;
    let tx = app.db.begin().await?;
    if let Some(category) = input.category_id {
        category::usable(&tx, category, "categoryId").await?;
    }
    let skill = skill::Model {
        id: app.clock.new_id(),
        name_key: key(&name),
        name,
        category_id: input.category_id,
        verified_at: None,
        deleted_at: None,
        created_at: app.clock.now(),
    };
    require_free(&tx, &skill.name_key, skill.id).await?;
    skill::Entity::insert(skill.clone().into_active_model())
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| Error::taken(error, "name", TAKEN))?;
    record(app, &tx, actor, "skill.create", &skill).await?;
    tx.commit().await?;
    Ok(skill)
}

/// Changes a skill's name or its category.
pub async fn update(app: &App, actor: &Actor, id: SkillId, input: Change) -> Result<skill::Model> {
    authorise(actor, Action::Administer, "", "skill")?;
    let name = input.name.as_deref().map(checked_name).transpose()?;
    let tx = app.db.begin().await?;
    let skill = live(&tx, id).await?;
    let mut change = skill::ActiveModel { id: Set(skill.id), ..Default::default() };
    if let Some(category) = input.category_id {
        // One that it has already may be archived by now.
        if let Some(category) = category.filter(|category| skill.category_id != Some(*category)) {
            category::usable(&tx, category, "categoryId").await?;
        }
        change.category_id = Set(category);
    }
    if let Some(name) = name {
        require_free(&tx, &key(&name), id).await?;
        change.name_key = Set(key(&name));
        change.name = Set(name);
    }
    let skill = change.update(&*tx).await.map_err(|error| Error::taken(error, "name", TAKEN))?;
    record(app, &tx, actor, "skill.update", &skill).await?;
    tx.commit().await?;
    Ok(skill)
}

/// Confirms that a skill is what people call it, or takes that back. Doing it again changes nothing.
pub async fn verify(app: &App, actor: &Actor, id: SkillId, verified: bool) -> Result<skill::Model> {
    authorise(actor, Action::Administer, "", "skill")?;
    let tx = app.db.begin().await?;
    let mut skill = live(&tx, id).await?;
    if skill.verified_at.is_some() != verified {
        let since = verified.then(|| app.clock.now());
        let change = skill::ActiveModel { id: Set(id), verified_at: Set(since), ..Default::default() };
        skill = change.update(&*tx).await?;
        record(app, &tx, actor, "skill.verify", &skill).await?;
    }
    tx.commit().await?;
    Ok(skill)
}

/// Withdraws a skill: nobody can name it anew, and profiles no longer show it. Doing it again changes nothing.
pub async fn delete(app: &App, actor: &Actor, id: SkillId) -> Result<skill::Model> {
    withdrawn(app, actor, id, true).await
}

/// Brings a withdrawn skill back, also to the profiles that had it. Doing it again changes nothing.
pub async fn restore(app: &App, actor: &Actor, id: SkillId) -> Result<skill::Model> {
    withdrawn(app, actor, id, false).await
}

async fn withdrawn(app: &App, actor: &Actor, id: SkillId, withdraw: bool) -> Result<skill::Model> {
    authorise(actor, Action::Administer, "", "skill")?;
    let tx = app.db.begin().await?;
    let mut skill = locked(&tx, id).await?;
    if skill.deleted_at.is_some() != withdraw {
        let since = withdraw.then(|| app.clock.now());
        let change = skill::ActiveModel { id: Set(id), deleted_at: Set(since), ..Default::default() };
        skill = change.update(&*tx).await?;
        let action = if withdraw { "skill.delete" } else { "skill.restore" };
        record(app, &tx, actor, action, &skill).await?;
    }
    tx.commit().await?;
    Ok(skill)
}

/// Puts a change on the record: how the skill is now.
async fn record(app: &App, tx: &Tx, actor: &Actor, action: &str, skill: &skill::Model) -> Result<()> {
    let facts = json!({
        "name": skill.name, "categoryId": skill.category_id, "verified": skill.verified_at.is_some(),
    });
    audit::record(app, tx, actor, action, Some(skill.id.to_string()), facts).await.map(drop)
}

async fn locked(tx: &Tx, id: SkillId) -> Result<skill::Model> {
    let skill = skill::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    skill.ok_or_else(|| Error::not_found("skillId", "skill"))
}

/// A skill that is not withdrawn, locked.
async fn live(tx: &Tx, id: SkillId) -> Result<skill::Model> {
    let skill = locked(tx, id).await?;
    if skill.deleted_at.is_some() {
        return Err(Error::rejected(
            "skillId",
            Code::IllegalState,
            "The skill is deleted: restore it first.",
        ));
    }
    Ok(skill)
}

fn checked_name(given: &str) -> Result<String> {
    let mut check = Check::new();
    let name = check.line("name", given, 1..=100);
    check.done()?;
    Ok(name)
}

/// What is compared: upper and lower case are the same.
fn key(name: &str) -> String {
    name.to_lowercase()
}

/// Refuses a name that another skill has, be it withdrawn.
async fn require_free(tx: &Tx, key: &str, by: SkillId) -> Result<()> {
    let holder = skill::Entity::find()
        .filter(skill::Column::NameKey.eq(key))
        .filter(skill::Column::Id.ne(by))
        .one(&**tx)
        .await?;
    match holder {
        None => Ok(()),
        Some(skill) if skill.deleted_at.is_some() => {
            let message = format!("There was a skill of this name: restore {} instead.", skill.id);
            Err(Error::rejected("name", Code::Taken, message))
        }
        Some(_) => Err(Error::rejected("name", Code::Taken, TAKEN)),
    }
}

const TAKEN: &str = "There is a skill of this name.";
