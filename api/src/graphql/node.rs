//! `node` and `nodes`: any thing by its id, if the viewer may see it.
//!
//! A new kind gets a variant, an arm in [`resolve`] and a line in `loaders/seen.rs`, which says what an actor may
//! see of it: however many ids are asked for, each kind costs one statement.

use async_graphql::{Context, ID, Interface, Object, Result};
use domain::{
    Error,
    entities::AnyId,
    policy::{self, Action},
};

use super::{
    admin::AuditEntry,
    amendment::Amendment,
    category::Category,
    contract::Contract,
    dispute::Dispute,
    invitation::Invitation,
    job::{self, Job},
    milestone::Milestone,
    notification::Notification,
    payment::Payment,
    portfolio::PortfolioItem,
    project::Project,
    proposal::Proposal,
    review::Review,
    skill::Skill,
    support::actor,
    upload::Upload,
    user::User,
    wallet::Wallet,
};
use crate::{
    error::fault,
    loaders::{JobNamed, load_if_any, see},
};

/// Anything that has an id of its own and can be asked for by it.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id: opaque, unique over all kinds."))]
pub enum Node {
    /// A person.
    User(User),
    /// A category.
    Category(Category),
    /// A skill.
    Skill(Skill),
    /// A project.
    Project(Project),
    /// A proposal.
    Proposal(Proposal),
    /// A contract.
    Contract(Contract),
    /// An amendment.
    Amendment(Amendment),
    /// A milestone.
    Milestone(Milestone),
    /// A payment.
    Payment(Payment),
    /// A dispute.
    Dispute(Dispute),
    /// A wallet.
    Wallet(Wallet),
    /// An upload.
    Upload(Upload),
    /// A piece of work in a portfolio.
    PortfolioItem(PortfolioItem),
    /// An invitation to bid.
    Invitation(Invitation),
    /// A notification.
    Notification(Notification),
    /// A review.
    Review(Review),
    /// A job.
    Job(Job),
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
}

/// Reading anything by its id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any thing by its id; null when it is not there, or when you may not see it.
    #[graphql(complexity = "5 + child_complexity")]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The thing's id.")] id: ID,
    ) -> Result<Option<Node>> {
        resolve(ctx, &id).await
    }

    /// Several things by their ids, in that order; null in the place of what you may not see. At most 100.
    #[graphql(complexity = "ids.len() * (5 + child_complexity)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The things' ids, at most 100.", validator(max_items = 100))] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        futures::future::try_join_all(ids.iter().map(|id| resolve(ctx, id))).await
    }
}

/// The thing with this id, if the viewer may see it. An id of no kind is an error: it is a mistake.
pub(super) async fn resolve(ctx: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let actor = actor(ctx)?;
    if let Some(ulid) = id.strip_prefix(job::PREFIX) {
        // To everybody but admins no job is there.
        if policy::can(actor, Action::JobsManage).is_err() {
            return Ok(None);
        }
        return Ok(load_if_any(ctx, JobNamed(ulid.to_owned())).await?.map(|row| Node::Job(Job(row))));
    }
    let id: AnyId = id.parse().map_err(|error: domain::entities::InvalidId| fault(Error::from(error)))?;
    Ok(match id {
        AnyId::UserId(id) => see(ctx, id).await?.map(|row| Node::User(User(row))),
        AnyId::CategoryId(id) => see(ctx, id).await?.map(|row| Node::Category(Category(row))),
        AnyId::SkillId(id) => see(ctx, id).await?.map(|row| Node::Skill(Skill(row))),
        AnyId::ProjectId(id) => see(ctx, id).await?.map(|row| Node::Project(Project(row))),
        AnyId::ProposalId(id) => see(ctx, id).await?.map(|row| Node::Proposal(Proposal(row))),
        AnyId::ContractId(id) => see(ctx, id).await?.map(|row| Node::Contract(Contract(row))),
        AnyId::MilestoneId(id) => see(ctx, id).await?.map(|row| Node::Milestone(Milestone(row))),
        AnyId::PaymentId(id) => see(ctx, id).await?.map(|row| Node::Payment(Payment(row))),
        AnyId::AmendmentId(id) => see(ctx, id).await?.map(|row| Node::Amendment(Amendment(row))),
        AnyId::DisputeId(id) => see(ctx, id).await?.map(|row| Node::Dispute(Dispute(row))),
        AnyId::WalletId(id) => see(ctx, id).await?.map(|row| Node::Wallet(Wallet(row))),
        AnyId::UploadId(id) => see(ctx, id).await?.map(|row| Node::Upload(Upload(row))),
        AnyId::NotificationId(id) => {
            actor.signed_in().map_err(fault)?;
            see(ctx, id).await?.map(|row| Node::Notification(Notification(row)))
        }
        AnyId::PortfolioItemId(id) => see(ctx, id).await?.map(|row| Node::PortfolioItem(PortfolioItem(row))),
        AnyId::InvitationId(id) => see(ctx, id).await?.map(|row| Node::Invitation(Invitation(row))),
        AnyId::AuditEntryId(id) => see(ctx, id).await?.map(|row| Node::AuditEntry(AuditEntry(row))),
        AnyId::ReviewId(id) => see(ctx, id).await?.map(|row| Node::Review(Review(row))),
        // These have ids, but are shown only as part of something else.
        AnyId::SessionId(_)
        | AnyId::ProposedMilestoneId(_)
        | AnyId::SubmissionId(_)
        | AnyId::ChainTransferId(_)
        | AnyId::UnallocatedId(_)
        | AnyId::ChainTransactionId(_)
        | AnyId::ObjectDeletionId(_)
        | AnyId::MailId(_)
        | AnyId::LedgerAccountId(_)
        | AnyId::LedgerTransferId(_)
        | AnyId::LedgerPostingId(_)
        | AnyId::AccountTokenId(_)
        | AnyId::AmendmentChangeId(_)
        | AnyId::EvidenceId(_)
        | AnyId::ReconciliationId(_) => None,
    })
}
