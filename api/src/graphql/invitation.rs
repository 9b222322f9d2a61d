//! Invitations to bid.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{entities::invitation, invitation as invitations};

use super::{
    enums::InvitationStatus,
    project::Project,
    proposal::Proposal,
    support::{actor, app, parse_id},
    user::User,
};
use crate::{
    error::{UserError, answer},
    loaders::{ProposalBy, load, load_if_any},
};

/// A client's invitation to a freelancer to bid on a project. Only these two and admins see it.
#[derive(Debug, Clone)]
pub struct Invitation(pub invitation::Model);

/// A client's invitation to a freelancer to bid on a project. Only these two and admins see it.
#[Object]
impl Invitation {
    /// Which one, `inv_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What to bid on.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project> {
        load(ctx, self.0.project_id).await.map(Project)
    }

    /// Who invites.
    async fn client(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.client_id).await.map(User)
    }

    /// Who is invited.
    async fn freelancer(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.freelancer_id).await.map(User)
    }

    /// Where it is in its life.
    async fn status(&self) -> InvitationStatus {
        self.0.status.into()
    }

    /// What the client says; may be empty.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// When it was sent.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was accepted, declined or withdrawn; null while it is PENDING.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// The freelancer's proposal on the project, whether or not this invitation brought it; null when there is none.
    async fn proposal(&self, ctx: &Context<'_>) -> Result<Option<Proposal>> {
        let key = ProposalBy(self.0.project_id, self.0.freelancer_id);
        Ok(load_if_any(ctx, key).await?.map(Proposal))
    }
}

/// The states that a list is narrowed to; all of them when none is named.
pub(super) fn statuses(given: Option<Vec<InvitationStatus>>) -> Vec<domain::entities::InvitationStatus> {
    given.unwrap_or_default().into_iter().map(Into::into).collect()
}

/// Whom to ask for a bid on what.
#[derive(Debug, InputObject)]
pub struct InvitationSendInput {
    /// An OPEN project of yours, `prj_...`.
    pub project_id: ID,
    /// A freelancer who has no proposal on it, `usr_...`.
    pub freelancer_id: ID,
    /// What you want to say: up to 1,000 characters.
    #[graphql(default)]
    pub message: String,
}

impl InvitationSendInput {
    fn parse(self) -> domain::Result<invitations::New> {
        Ok(invitations::New {
            project_id: parse_id("projectId", &self.project_id)?,
            freelancer_id: parse_id("freelancerId", &self.freelancer_id)?,
            message: self.message,
        })
    }
}

/// Which invitation to decline.
#[derive(Debug, InputObject)]
pub struct InvitationDeclineInput {
    /// A PENDING invitation to you, `inv_...`.
    pub invitation_id: ID,
}

/// Which invitation to take back.
#[derive(Debug, InputObject)]
pub struct InvitationWithdrawInput {
    /// A PENDING invitation of yours, `inv_...`.
    pub invitation_id: ID,
}

/// The invitation after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct InvitationPayload {
    /// The invitation; null when something has to be mended first.
    pub invitation: Option<Invitation>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl InvitationPayload {
    fn of(result: domain::Result<invitation::Model>) -> Result<Self> {
        let (invitation, user_errors) = answer(result)?;
        Ok(Self { invitation: invitation.map(Invitation), user_errors })
    }
}

/// Inviting and answering.
#[derive(Debug, Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites a freelancer to bid on an OPEN project, once each and at most 50 a project. For its client. The
    /// freelancer is told; a proposal of theirs makes the invitation ACCEPTED.
    async fn invitation_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, to what.")] input: InvitationSendInput,
    ) -> Result<InvitationPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        InvitationPayload::of(async { invitations::send(app, actor, input.parse()?).await }.await)
    }

    /// Declines an invitation: PENDING becomes DECLINED. For its freelancer, who may bid all the same.
    async fn invitation_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: InvitationDeclineInput,
    ) -> Result<InvitationPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("invitationId", &input.invitation_id);
        InvitationPayload::of(async { invitations::decline(app, actor, id?).await }.await)
    }

    /// Takes an invitation back: PENDING becomes WITHDRAWN. For its client. The freelancer may bid all the same.
    async fn invitation_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: InvitationWithdrawInput,
    ) -> Result<InvitationPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("invitationId", &input.invitation_id);
        InvitationPayload::of(async { invitations::withdraw(app, actor, id?).await }.await)
    }
}
