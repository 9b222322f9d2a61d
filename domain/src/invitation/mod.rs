//! Invitations: a client asks a freelancer to bid on an open project.

use entities::{
    InvitationId, InvitationStatus, ProjectId, Role, UserId, invitation, project, proposal, user,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Actor, App, Tx, account,
    check::Check,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    policy::{self, Action, authorise},
    project as projects,
};

mod find;
pub mod state;

pub use find::{of_projects, of_users, proposals_of, visible};
use state::Step;

/// How many freelancers are invited to a project at the most.
pub const MOST_A_PROJECT: u64 = 50;

/// Whom to ask for a bid on what.
#[derive(Debug, Clone)]
pub struct New {
    /// An open project of the actor's.
    pub project_id: ProjectId,
    /// Whom.
    pub freelancer_id: UserId,
    /// Up to 1,000 characters.
    pub message: String,
}

/// Invites a freelancer, once a project.
pub async fn send(app: &App, actor: &Actor, input: New) -> Result<invitation::Model> {
    let client_id = policy::enter(actor, &[Role::Client])?.id;
    let tx = app.db.begin().await?;
    let project = projects::locked(&tx, input.project_id, "projectId", "project").await?;
    authorise(actor, Action::InvitationSend(&project), "projectId", "project")?;
    let mut check = Check::new();
    let message = check.text("message", &input.message, 0..=1_000);
    check.done()?;
    projects::require_open(&project, "projectId")?;
    require_invitable(&tx, &project, input.freelancer_id).await?;

    let now = app.clock.now();
    let invitation = invitation::Model {
        id: app.clock.new_id(),
        project_id: project.id,
        client_id,
        freelancer_id: input.freelancer_id,
        status: InvitationStatus::Pending,
        message,
        version: 1,
        answered_at: None,
        created_at: now,
        updated_at: now,
    };
    invitation::Entity::insert(invitation.clone().into_active_model())
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| {
            Error::taken(error, "freelancerId", "You have invited them to this project already.")
        })?;
    projects::touch(app, &tx, project.id).await?;
    let client = account::display_name(&tx, client_id).await?;
    let notice = Notice::InvitationReceived { invitation: invitation.id, project: project.title, client };
    let event = format!("{}:{}", invitation.id, invitation.status.as_str());
    notify(app, &tx, invitation.freelancer_id, notice, &event).await?;
    tx.commit().await?;
    Ok(invitation)
}

/// The freelancer says no.
pub async fn decline(app: &App, actor: &Actor, id: InvitationId) -> Result<invitation::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let invitation = locked(&tx, id).await?;
    authorise(actor, Action::InvitationDecline(&invitation), "invitationId", "invitation")?;
    let invitation = moved(app, &tx, invitation, Step::Decline).await?;
    tx.commit().await?;
    Ok(invitation)
}

/// The client takes it back.
pub async fn withdraw(app: &App, actor: &Actor, id: InvitationId) -> Result<invitation::Model> {
    policy::enter(actor, &[Role::Client])?;
    let tx = app.db.begin().await?;
    let invitation = locked(&tx, id).await?;
    authorise(actor, Action::InvitationWithdraw(&invitation), "invitationId", "invitation")?;
    let invitation = moved(app, &tx, invitation, Step::Withdraw).await?;
    tx.commit().await?;
    Ok(invitation)
}

/// Notes that the freelancer did as they were invited to, within the transaction of their proposal. The project
/// is locked by then. Whoever was not invited, or said no before, may bid as well.
pub(crate) async fn accept(app: &App, tx: &Tx, proposal: &proposal::Model) -> Result<()> {
    let pending = invitation::Entity::find()
        .filter(invitation::Column::ProjectId.eq(proposal.project_id))
        .filter(invitation::Column::FreelancerId.eq(proposal.freelancer_id))
        .filter(invitation::Column::Status.eq(InvitationStatus::Pending))
        .lock_exclusive()
        .one(&**tx)
        .await?;
    if let Some(invitation) = pending {
        moved(app, tx, invitation, Step::Accept).await?;
    }
    Ok(())
}

/// Takes back what nobody answered, because the project takes no more proposals. The project is locked.
pub(crate) async fn close(app: &App, tx: &Tx, project: ProjectId) -> Result<()> {
    use invitation::Column;
    let now = app.clock.now();
    invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(InvitationStatus::Withdrawn.as_str()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::AnsweredAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::ProjectId.eq(project))
        .filter(Column::Status.eq(InvitationStatus::Pending))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// Whether one more freelancer can be invited, and this one. The project is locked.
async fn require_invitable(tx: &Tx, project: &project::Model, freelancer: UserId) -> Result<()> {
    let person = user::Entity::find_by_id(freelancer).one(&**tx).await?;
    if !person.is_some_and(|person| person.role == Role::Freelancer && person.suspended_at.is_none()) {
        return Err(Error::rejected("freelancerId", Code::NotFound, "There is no such freelancer."));
    }
    let bid = proposal::Entity::find()
        .filter(proposal::Column::ProjectId.eq(project.id))
        .filter(proposal::Column::FreelancerId.eq(freelancer));
    if bid.count(&**tx).await? > 0 {
        let message = "They have sent a proposal for this project already.";
        return Err(Error::rejected("freelancerId", Code::Taken, message));
    }
    let sent = invitation::Entity::find().filter(invitation::Column::ProjectId.eq(project.id));
    if sent.count(&**tx).await? >= MOST_A_PROJECT {
        let message = format!("At most {MOST_A_PROJECT} freelancers can be invited to a project.");
        return Err(Error::rejected("projectId", Code::LimitReached, message));
    }
    Ok(())
}

async fn locked(tx: &Tx, id: InvitationId) -> Result<invitation::Model> {
    let invitation = invitation::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?;
    invitation.ok_or_else(|| Error::not_found("invitationId", "invitation"))
}

async fn moved(app: &App, tx: &Tx, invitation: invitation::Model, step: Step) -> Result<invitation::Model> {
    let change = invitation::ActiveModel {
        id: Set(invitation.id),
        status: Set(state::next(invitation.status, step)?),
        version: Set(invitation.version + 1),
        answered_at: Set(Some(app.clock.now())),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    Ok(change.update(&**tx).await?)
}
