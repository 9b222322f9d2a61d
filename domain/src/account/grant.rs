//! Appointing administrators, from the command line only.

use entities::{Role, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};
use serde_json::json;

use super::input::email_key;
use crate::{
    Actor, App, audit,
    error::{Error, Result},
};

/// Makes the person with this e-mail address an administrator. There is no mutation for it: whoever can
/// run the binary against the database may do it. Doing it again changes nothing.
pub async fn grant_admin(app: &App, email: &str) -> Result<user::Model> {
    let tx = app.db.begin().await?;
    let person = user::Entity::find()
        .filter(user::Column::EmailKey.eq(email_key(email)))
        // The weakest that will do, as everywhere a person is locked.
        .lock(LockType::NoKeyUpdate)
        .one(&*tx)
        .await?
        .ok_or_else(|| Error::not_found("email", "user"))?;
    if person.role == Role::Admin {
        return Ok(person);
    }
    let before = json!({ "from": person.role.as_str() });
    let person = user::ActiveModel {
        id: Set(person.id),
        role: Set(Role::Admin),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    }
    .update(&*tx)
    .await?;
    audit::record(app, &tx, &Actor::System, "user.grantAdmin", Some(person.id.to_string()), before).await?;
    tx.commit().await?;
    Ok(person)
}
