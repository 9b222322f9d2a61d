//! What a client does with the life of a project: rests it, takes proposals again, gives it up, renews it.

use entities::{ProjectId, ProjectStatus, Role, project};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{Step, expiry, locked, moved, state};
use crate::{
    Actor, App, Tx,
    check::Check,
    contract as contracts,
    error::Result,
    invitation,
    policy::{self, Action, authorise},
    proposal as proposals,
};

/// Takes no proposals for a while: OPEN becomes ON_HOLD. Not while an offer waits for its answer, which could not be
/// accepted then.
pub async fn hold(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    let (tx, project) = enter(app, actor, id, |project| Action::ProjectHold(project)).await?;
    let status = state::next(project.status, Step::Hold)?;
    contracts::require_none_live(&tx, &project, status).await?;
    let project = moved(app, project, status).update(&*tx).await?;
    tx.commit().await?;
    Ok(project)
}

/// Takes proposals again: ON_HOLD becomes OPEN.
pub async fn reopen(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    let (tx, project) = enter(app, actor, id, |project| Action::ProjectReopen(project)).await?;
    let project = opened(app, &tx, project, Step::Reopen).await?;
    tx.commit().await?;
    Ok(project)
}

/// Offers an expired project again: EXPIRED becomes OPEN.
pub async fn renew(app: &App, actor: &Actor, id: ProjectId) -> Result<project::Model> {
    let (tx, project) = enter(app, actor, id, |project| Action::ProjectRenew(project)).await?;
    let project = opened(app, &tx, project, Step::Renew).await?;
    tx.commit().await?;
    Ok(project)
}

/// Gives a project up. An offer that waits for its answer is retracted, the live proposals are rejected, and all those
/// freelancers are told. Not while a contract runs on it: that has to end first.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    id: ProjectId,
    reason: Option<String>,
) -> Result<project::Model> {
    let (tx, project) = enter(app, actor, id, |project| Action::ProjectCancel(project)).await?;
    let mut check = Check::new();
    let reason = reason.map(|reason| check.text("reason", &reason, 0..=2_000)).filter(|r| !r.is_empty());
    check.done()?;
    let status = state::next(project.status, Step::Cancel)?;
    contracts::retract_pending(app, &tx, &project).await?;
    contracts::require_none_live(&tx, &project, status).await?;
    proposals::reject_live(app, &tx, &project, None).await?;
    invitation::close(app, &tx, project.id).await?;
    let mut change = moved(app, project, status);
    change.cancel_reason = Set(reason);
    let project = change.update(&*tx).await?;
    tx.commit().await?;
    Ok(project)
}

/// The way into each of these: the role, the transaction, the project under its lock, the right to it.
async fn enter(
    app: &App,
    actor: &Actor,
    id: ProjectId,
    action: impl for<'a> FnOnce(&'a project::Model) -> Action<'a>,
) -> Result<(Tx, project::Model)> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    authorise(actor, action(&project), "projectId", "project")?;
    Ok((tx, project))
}

async fn opened(app: &App, tx: &Tx, project: project::Model, step: Step) -> Result<project::Model> {
    let status = state::next(project.status, step)?;
    debug_assert_eq!(status, ProjectStatus::Open);
    let mut change = moved(app, project, status);
    expiry::awake(app, &mut change);
    Ok(change.update(&**tx).await?)
}
