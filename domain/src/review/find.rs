//! Finding reviews. Every finder takes the actor: until it is shown, a review is its author's and the admins'.

use entities::{ContractId, review};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    Actor,
    error::Result,
    page::{Below, List},
};

/// The reviews that the actor may see.
pub fn visible(actor: &Actor) -> Select<review::Entity> {
    let all = review::Entity::find();
    if actor.sees_all() {
        return all;
    }
    let shown = review::Column::ShownAt.is_not_null();
    match actor.user_id() {
        Some(user) => all.filter(Condition::any().add(shown).add(review::Column::AuthorId.eq(user))),
        None => all.filter(shown),
    }
}

/// What was said about people and everybody may read, newest first: for profiles.
pub fn of_users() -> Below<review::Entity> {
    let shown = review::Entity::find().filter(review::Column::ShownAt.is_not_null());
    List::by_id(shown, review::Column::Id, true).below([review::Column::SubjectId])
}

/// What stands about some contracts, oldest first. It decides nothing: who may see which is for the caller.
pub async fn of_contracts(
    conn: &impl ConnectionTrait,
    contracts: &[ContractId],
) -> Result<Vec<review::Model>> {
    Ok(review::Entity::find()
        .filter(review::Column::ContractId.is_in(contracts.iter().copied()))
        .order_by_asc(review::Column::Id)
        .all(conn)
        .await?)
}
