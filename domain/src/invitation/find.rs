//! Finding invitations. Every finder takes the actor: an invitation is between its client and its freelancer.

use std::collections::HashSet;

use entities::{InvitationId, InvitationStatus, ProjectId, UserId, invitation, proposal};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::{
    Actor,
    error::Result,
    page::{Below, List},
};

/// The invitations that the actor may see: those that they sent and those that they got.
pub fn visible(actor: &Actor) -> Select<invitation::Entity> {
    use invitation::{Column, Entity};
    match actor.user_id() {
        _ if actor.sees_all() => Entity::find(),
        Some(user) => Entity::find()
            .filter(Condition::any().add(Column::ClientId.eq(user)).add(Column::FreelancerId.eq(user))),
        None => none(),
    }
}

fn none() -> Select<invitation::Entity> {
    invitation::Entity::find().filter(invitation::Column::Id.is_in([] as [InvitationId; 0]))
}

/// The invitations that people got or sent and that the actor may see, the newest first.
pub fn of_users(actor: &Actor, status: &[InvitationStatus]) -> Below<invitation::Entity> {
    use invitation::Column;
    newest_first(visible(actor), status).below([Column::FreelancerId, Column::ClientId])
}

/// The invitations to bid on projects, the newest first: for the projects' clients and for admins.
pub fn of_projects(actor: &Actor, status: &[InvitationStatus]) -> Below<invitation::Entity> {
    use invitation::{Column, Entity};
    let select = match actor.user_id() {
        _ if actor.sees_all() => Entity::find(),
        Some(user) => Entity::find().filter(Column::ClientId.eq(user)),
        None => none(),
    };
    newest_first(select, status).below([Column::ProjectId])
}

fn newest_first(select: Select<invitation::Entity>, status: &[InvitationStatus]) -> List<invitation::Entity> {
    use invitation::Column;
    let select =
        if status.is_empty() { select } else { select.filter(Column::Status.is_in(status.iter().copied())) };
    List::by_id(select, Column::Id, true)
}

/// The proposals of some freelancers on some projects. It decides nothing: whoever sees an invitation is a party
/// of the proposal that came of it.
pub async fn proposals_of(
    conn: &impl ConnectionTrait,
    pairs: &HashSet<(ProjectId, UserId)>,
) -> Result<Vec<proposal::Model>> {
    use proposal::Column;
    // Two lists rather than many pairs, whose nesting SQLite limits; what matches crosswise is left out here.
    let rows = proposal::Entity::find()
        .filter(Column::ProjectId.is_in(pairs.iter().map(|pair| pair.0)))
        .filter(Column::FreelancerId.is_in(pairs.iter().map(|pair| pair.1)))
        .all(conn)
        .await?;
    Ok(rows.into_iter().filter(|row| pairs.contains(&(row.project_id, row.freelancer_id))).collect())
}
