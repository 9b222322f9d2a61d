//! What people want to find again: projects and freelancers. Nobody else sees what somebody saved.

use std::collections::HashSet;

use entities::{ProjectId, Role, UserId, project, saved_freelancer, saved_project, user};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef,
    sea_query::{Expr, LockType, OnConflict},
};

use crate::{
    Actor, App, Tx,
    error::{Code, Error, Result},
    page::{Below, List},
    policy::{self, Action, authorise},
    project as projects,
};

/// Who may save: everybody who has proven their address.
const ANYBODY: [Role; 3] = [Role::Client, Role::Freelancer, Role::Admin];
/// By what the lists are sorted: the moment of saving, in microseconds.
const SAVED: &str = "saved";

/// Saves a project that the actor may see. Doing it again changes nothing.
pub async fn project_add(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    let user = policy::enter(actor, &ANYBODY)?.id;
    let tx = app.db.begin().await?;
    let project = seen_project(&tx, actor, id).await?;
    let now = app.clock.now();
    let row = saved_project::ActiveModel {
        user_id: Set(user),
        project_id: Set(id),
        saved_micros: Set(now.timestamp_micros()),
        created_at: Set(now),
    };
    let columns = [saved_project::Column::UserId, saved_project::Column::ProjectId];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    saved_project::Entity::insert(row).on_conflict(once).exec_without_returning(&*tx).await?;
    tx.commit().await?;
    Ok(project)
}

/// Forgets a saved project. Doing it again changes nothing.
pub async fn project_remove(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    let user = policy::enter(actor, &ANYBODY)?.id;
    let tx = app.db.begin().await?;
    let project = seen_project(&tx, actor, id).await?;
    saved_project::Entity::delete_by_id((user, id)).exec(&*tx).await?;
    tx.commit().await?;
    Ok(project)
}

/// Saves a freelancer. Doing it again changes nothing.
pub async fn freelancer_add(app: &App, actor: &Actor, id: UserId) -> Result<user::Model> {
    let user = policy::enter(actor, &ANYBODY)?.id;
    if user == id {
        return Err(Error::rejected("freelancerId", Code::Invalid, "You cannot save yourself."));
    }
    let tx = app.db.begin().await?;
    let freelancer = freelancer(&tx, id).await?;
    if freelancer.suspended_at.is_some() {
        return Err(no_freelancer());
    }
    let now = app.clock.now();
    let row = saved_freelancer::ActiveModel {
        user_id: Set(user),
        freelancer_id: Set(id),
        saved_micros: Set(now.timestamp_micros()),
        created_at: Set(now),
    };
    let columns = [saved_freelancer::Column::UserId, saved_freelancer::Column::FreelancerId];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    saved_freelancer::Entity::insert(row).on_conflict(once).exec_without_returning(&*tx).await?;
    tx.commit().await?;
    Ok(freelancer)
}

/// Forgets a saved freelancer, also one who was suspended meanwhile. Doing it again changes nothing.
pub async fn freelancer_remove(app: &App, actor: &Actor, id: UserId) -> Result<user::Model> {
    let user = policy::enter(actor, &ANYBODY)?.id;
    let tx = app.db.begin().await?;
    let freelancer = freelancer(&tx, id).await?;
    saved_freelancer::Entity::delete_by_id((user, id)).exec(&*tx).await?;
    tx.commit().await?;
    Ok(freelancer)
}

/// The projects that people saved and that the actor may still see, the newest saved first. Whose lists the
/// actor may read is for the caller to decide.
pub fn projects_of_users(actor: &Actor) -> Below<project::Entity> {
    use saved_project::{Column, Entity};
    let to_saved: RelationDef =
        project::Entity::belongs_to(Entity).from(project::Column::Id).to(Column::ProjectId).into();
    let select = projects::visible(actor).join(JoinType::InnerJoin, to_saved);
    let moment = Expr::col((Entity, Column::SavedMicros));
    List::by_number(select, SAVED, moment, project::Column::Id, true).below([Column::UserId])
}

/// The freelancers whom people saved, without those who are suspended, the newest saved first. Whose lists the
/// actor may read is for the caller to decide.
pub fn freelancers_of_users() -> Below<user::Entity> {
    use saved_freelancer::{Column, Entity};
    let to_saved: RelationDef =
        user::Entity::belongs_to(Entity).from(user::Column::Id).to(Column::FreelancerId).into();
    let select =
        user::Entity::find().filter(user::Column::SuspendedAt.is_null()).join(JoinType::InnerJoin, to_saved);
    let moment = Expr::col((Entity, Column::SavedMicros));
    List::by_number(select, SAVED, moment, user::Column::Id, true).below([Column::UserId])
}

/// Which of these projects a person saved.
pub async fn saved_projects(
    conn: &impl ConnectionTrait,
    user: UserId,
    ids: &[ProjectId],
) -> Result<HashSet<ProjectId>> {
    let rows = saved_project::Entity::find()
        .filter(saved_project::Column::UserId.eq(user))
        .filter(saved_project::Column::ProjectId.is_in(ids.iter().copied()))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.project_id).collect())
}

/// Which of these freelancers a person saved.
pub async fn saved_freelancers(
    conn: &impl ConnectionTrait,
    user: UserId,
    ids: &[UserId],
) -> Result<HashSet<UserId>> {
    let rows = saved_freelancer::Entity::find()
        .filter(saved_freelancer::Column::UserId.eq(user))
        .filter(saved_freelancer::Column::FreelancerId.is_in(ids.iter().copied()))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.freelancer_id).collect())
}

async fn seen_project(tx: &Tx, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    // It is not deleted meanwhile: the row that points to it would have nothing to point to.
    let project = project::Entity::find_by_id(id).lock(LockType::KeyShare).one(&**tx).await?;
    let project = project.ok_or_else(|| Error::not_found("projectId", "project"))?;
    authorise(actor, Action::ProjectSee(&project), "projectId", "project")?;
    Ok(project)
}

async fn freelancer(tx: &Tx, id: UserId) -> Result<user::Model> {
    let person = user::Entity::find_by_id(id).one(&**tx).await?;
    person.filter(|person| person.role == Role::Freelancer).ok_or_else(no_freelancer)
}

fn no_freelancer() -> Error {
    Error::rejected("freelancerId", Code::NotFound, "There is no such freelancer.")
}
