//! Finding proposals. Every finder takes the actor: a proposal is between its freelancer and its client.

use entities::{ProjectId, ProposalId, ProposalStatus, UserId, project, proposal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::{Actor, App, Error, error::Result, page::List};

/// Which proposals are wanted. What is empty or `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// On this project.
    pub project_id: Option<ProjectId>,
    /// By this freelancer.
    pub freelancer_id: Option<UserId>,
    /// In one of these states.
    pub status: Vec<ProposalStatus>,
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

/// The proposals that the actor may see, narrowed, newest first.
pub fn list(actor: &Actor, filter: &Filter) -> List<proposal::Entity> {
    use proposal::Column;
    let mut narrow = Condition::all()
        .add_option(filter.project_id.map(|project| Column::ProjectId.eq(project)))
        .add_option(filter.freelancer_id.map(|freelancer| Column::FreelancerId.eq(freelancer)));
    if !filter.status.is_empty() {
        narrow = narrow.add(Column::Status.is_in(filter.status.iter().copied()));
    }
    List::by_id(visible(actor).filter(narrow), Column::Id, true)
}
