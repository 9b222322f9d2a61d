//! Finding proposals. Every finder takes the actor: a proposal is between its freelancer and its client.

use entities::{ProposalId, ProposalStatus, project, proposal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::{
    Actor, App, Error,
    error::Result,
    page::{Below, List},
};

/// Which proposals are wanted. What is empty does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In one of these states.
    pub status: Vec<ProposalStatus>,
}

/// What a list of proposals is sorted by; ties go by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// When it was submitted.
    CreatedAt,
    /// The whole price or the rate an hour.
    Bid,
}

/// How a list of proposals is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub field: OrderField,
    /// Largest or newest first.
    pub descending: bool,
}

impl Default for Order {
    /// Newest first.
    fn default() -> Self {
        Self { field: OrderField::CreatedAt, descending: true }
    }
}

/// The proposals that the actor may see: their own, and those on their projects.
pub fn visible(actor: &Actor) -> Select<proposal::Entity> {
    let all = proposal::Entity::find();
    if actor.sees_all() {
        return all;
    }
    let Some(user) = actor.user_id() else {
        return all.filter(proposal::Column::Id.is_in([] as [ProposalId; 0]));
    };
    let on_own_projects = project::Entity::find()
        .select_only()
        .column(project::Column::Id)
        .filter(project::Column::ClientId.eq(user))
        .into_query();
    all.filter(
        Condition::any()
            .add(proposal::Column::FreelancerId.eq(user))
            .add(proposal::Column::ProjectId.in_subquery(on_own_projects)),
    )
}

/// One proposal that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: ProposalId) -> Result<proposal::Model> {
    visible(actor)
        .filter(proposal::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("id", "proposal"))
}

/// The proposals on projects that the actor may see, narrowed and sorted.
pub fn of_projects(actor: &Actor, filter: &Filter, order: Order) -> Below<proposal::Entity> {
    sorted(actor, filter, order).below([proposal::Column::ProjectId])
}

/// The proposals of freelancers that the actor may see, narrowed, newest first.
pub fn of_freelancers(actor: &Actor, filter: &Filter) -> Below<proposal::Entity> {
    sorted(actor, filter, Order::default()).below([proposal::Column::FreelancerId])
}

fn sorted(actor: &Actor, filter: &Filter, order: Order) -> List<proposal::Entity> {
    use proposal::Column;
    let mut select = visible(actor);
    if !filter.status.is_empty() {
        select = select.filter(Column::Status.is_in(filter.status.iter().copied()));
    }
    match order.field {
        // Ids rise as time does.
        OrderField::CreatedAt => List::by_id(select, Column::Id, order.descending),
        OrderField::Bid => List::by(select, Column::Bid, Column::Id, order.descending),
    }
}
