//! Appointing administrators, from the command line only.

use entities::{Role, contract, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::ExprTrait,
};
use serde_json::json;

use super::{find::locked_by_email, input::email_key};
use crate::{
    Actor, App, audit,
    contract::state::LIVE,
    error::{Code, Error, Result},
};

/// Makes the person with this e-mail address an administrator. There is no mutation for it: whoever can
/// run the binary against the database may do it. Doing it again changes nothing.
///
/// An administrator is no client and no freelancer any more, so nobody becomes one whose contracts still run: they could
/// neither be worked on nor paid.
pub async fn grant_admin(app: &App, email: &str) -> Result<user::Model> {
    let tx = app.db.begin().await?;
    let person = locked_by_email(&tx, &email_key(email)).await?;
    let person = person.ok_or_else(|| Error::not_found("email", "user"))?;
    if person.role == Role::Admin {
        return Ok(person);
    }
    let (client, freelancer) = (contract::Column::ClientId, contract::Column::FreelancerId);
    let running = contract::Entity::find()
        .filter(client.eq(person.id).or(freelancer.eq(person.id)))
        .filter(contract::Column::Status.is_in(LIVE))
        .count(&*tx)
        .await?;
    if running > 0 {
        let message = format!(
            "They are a party to contracts that have not ended: {running}. End those first, or register another address."
        );
        return Err(Error::rejected("email", Code::IllegalState, message));
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
