//! Finding reviews. Every finder takes the actor: until it is shown, a review is its author's and the admins'.

use entities::{ContractId, ReviewId, UserId, review};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{Actor, App, Error, error::Result, page::List};

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

/// One review that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: ReviewId) -> Result<review::Model> {
    visible(actor)
        .filter(review::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "review"))
}

/// What was said about a person and everybody may read, newest first: for profiles.
pub fn of_user(user: UserId) -> List<review::Entity> {
    let shown = review::Entity::find()
        .filter(review::Column::ShownAt.is_not_null())
        .filter(review::Column::SubjectId.eq(user));
    List::by_id(shown, review::Column::Id, true)
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
