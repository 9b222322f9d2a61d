//! Finding proposals. Every finder takes the actor: a proposal is between its freelancer and its client.

use entities::{ProposalId, project, proposal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::{
    Actor, App, Error,
    error::Result,
    page::{Below, List},
};

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

/// The proposals on projects that the actor may see, newest first.
pub fn of_projects(actor: &Actor) -> Below<proposal::Entity> {
    newest_first(actor).below([proposal::Column::ProjectId])
}

/// The proposals of freelancers that the actor may see, newest first.
pub fn of_freelancers(actor: &Actor) -> Below<proposal::Entity> {
    newest_first(actor).below([proposal::Column::FreelancerId])
}

fn newest_first(actor: &Actor) -> List<proposal::Entity> {
    List::by_id(visible(actor), proposal::Column::Id, true)
}
