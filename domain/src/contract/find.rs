//! Finding contracts. Every finder takes the actor: a contract is between its two parties.

use entities::{ContractId, ContractStatus, ProjectId, UserId, contract};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

use crate::{
    Actor, App, Error,
    error::Result,
    page::{Below, List},
};

/// Which contracts are wanted. What is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whose client or freelancer is this person.
    pub party: Option<UserId>,
    /// On this project.
    pub project_id: Option<ProjectId>,
    /// In one of these states.
    pub status: Vec<ContractStatus>,
}

/// The contracts that the actor may see: those they are a party of.
pub fn visible(actor: &Actor) -> Select<contract::Entity> {
    let all = contract::Entity::find();
    if actor.sees_all() {
        return all;
    }
    match actor.user_id() {
        Some(user) => all.filter(party(user)),
        None => all.filter(contract::Column::Id.is_in([] as [ContractId; 0])),
    }
}

/// One contract that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: ContractId) -> Result<contract::Model> {
    visible(actor)
        .filter(contract::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "contract"))
}

/// The contracts of their two parties that the actor may see, narrowed, newest first.
pub fn of_users(actor: &Actor, filter: &Filter) -> Below<contract::Entity> {
    use contract::Column;
    List::by_id(visible(actor).filter(narrowed(filter)), Column::Id, true)
        .below([Column::ClientId, Column::FreelancerId])
}

/// What a filter narrows a list to.
pub(super) fn narrowed(filter: &Filter) -> Condition {
    use contract::Column;
    let mut narrow = Condition::all()
        .add_option(filter.party.map(party))
        .add_option(filter.project_id.map(|project| Column::ProjectId.eq(project)));
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    narrow
}

fn party(user: UserId) -> Condition {
    Condition::any().add(contract::Column::ClientId.eq(user)).add(contract::Column::FreelancerId.eq(user))
}
