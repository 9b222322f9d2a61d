//! What freelancers and clients do with proposals.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    contract::Terms,
    entities::{ProposalId, proposal},
    proposal as proposals,
};

use super::Proposal;
use crate::{
    error::{UserError, answer},
    graphql::{
        contract::Contract,
        enums::Availability,
        scalars::MoneyInput,
        support::{actor, app, parse_id, parse_ids},
    },
};

/// A milestone to suggest.
#[derive(Debug, InputObject)]
pub struct ProposedMilestoneInput {
    /// What is delivered: 1 to 255 characters.
    pub title: String,
    /// What it pays, more than 0.
    pub amount: MoneyInput,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
}

/// A bid on a project.
#[derive(Debug, InputObject)]
pub struct ProposalSubmitInput {
    /// An OPEN project, `prj_...`.
    pub project_id: ID,
    /// Why you: 50 to 5,000 characters.
    pub cover_letter: String,
    /// The whole price, 1 to 1,000,000 USDC (a FIXED project), or your rate an hour, 1 to 1,000 USDC (an
    /// HOURLY one).
    pub bid: MoneyInput,
    /// How many hours, 1 to 10,000: needed on an HOURLY project, refused on a FIXED one.
    pub estimated_hours: Option<i32>,
    /// When you can start.
    pub availability: Availability,
    /// A plan of at most 20 milestones whose amounts make the whole price exactly: the bid (FIXED), or rate
    /// times hours (HOURLY).
    pub milestones: Option<Vec<ProposedMilestoneInput>>,
    /// Files that go with it: your own uploads for PROPOSAL_ATTACHMENT, READY.
    pub upload_ids: Option<Vec<ID>>,
}

impl ProposalSubmitInput {
    fn parse(self) -> domain::Result<proposals::NewProposal> {
        Ok(proposals::NewProposal {
            project_id: parse_id("projectId", &self.project_id)?,
            bid: self.bid.parse("bid")?,
            milestones: planned(self.milestones.unwrap_or_default())?,
            upload_ids: parse_ids("uploadIds", &self.upload_ids.unwrap_or_default())?,
            cover_letter: self.cover_letter,
            estimated_hours: self.estimated_hours,
            availability: self.availability.into(),
        })
    }
}

/// What to change of a proposal. What is left out stays as it is.
#[derive(Debug, InputObject)]
pub struct ProposalUpdateInput {
    /// One of your own proposals, SUBMITTED, `ppl_...`.
    pub proposal_id: ID,
    /// Why you: 50 to 5,000 characters.
    pub cover_letter: Option<String>,
    /// The whole price, 1 to 1,000,000 USDC (a FIXED project), or your rate an hour, 1 to 1,000 USDC (an HOURLY one).
    /// With a plan the milestones have to make the new price too.
    pub bid: Option<MoneyInput>,
    /// How many hours, 1 to 10,000, on an HOURLY project.
    pub estimated_hours: Option<i32>,
    /// When you can start.
    pub availability: Option<Availability>,
    /// The whole plan anew, at most 20 milestones; an empty list takes the plan away.
    pub milestones: Option<Vec<ProposedMilestoneInput>>,
    /// Files to add: your own uploads for PROPOSAL_ATTACHMENT, READY; at most ten in all.
    pub upload_ids: Option<Vec<ID>>,
}

impl ProposalUpdateInput {
    fn parse(self) -> domain::Result<(ProposalId, proposals::Changes)> {
        let changes = proposals::Changes {
            cover_letter: self.cover_letter,
            bid: self.bid.map(|bid| bid.parse("bid")).transpose()?,
            estimated_hours: self.estimated_hours,
            availability: self.availability.map(Into::into),
            milestones: self.milestones.map(planned).transpose()?,
            upload_ids: parse_ids("uploadIds", &self.upload_ids.unwrap_or_default())?,
        };
        Ok((parse_id("proposalId", &self.proposal_id)?, changes))
    }
}

/// A plan as somebody sent it.
fn planned(milestones: Vec<ProposedMilestoneInput>) -> domain::Result<Vec<proposals::PlannedMilestone>> {
    let planned = |(index, milestone): (usize, ProposedMilestoneInput)| {
        Ok(proposals::PlannedMilestone {
            amount: milestone.amount.parse(&format!("milestones.{index}.amount"))?,
            title: milestone.title,
            due_at: milestone.due_at,
        })
    };
    milestones.into_iter().enumerate().map(planned).collect()
}

/// Whether a proposal is to be on the shortlist.
#[derive(Debug, InputObject)]
pub struct ProposalShortlistInput {
    /// A proposal on one of your projects, `ppl_...`.
    pub proposal_id: ID,
    /// True puts it on the shortlist, false takes it off.
    pub shortlisted: bool,
}

/// Which proposal to turn down.
#[derive(Debug, InputObject)]
pub struct ProposalRejectInput {
    /// A proposal on one of your projects, `ppl_...`.
    pub proposal_id: ID,
}

/// Which proposal to take back.
#[derive(Debug, InputObject)]
pub struct ProposalWithdrawInput {
    /// One of your own proposals, `ppl_...`.
    pub proposal_id: ID,
}

/// The proposal to accept, and what makes it a contract.
#[derive(Debug, InputObject)]
pub struct ProposalAcceptInput {
    /// A proposal on one of your projects, `ppl_...`.
    pub proposal_id: ID,
    /// What is agreed: 10 to 10,000 characters.
    pub description: String,
    /// When the work is to begin.
    pub start_at: Option<DateTime<Utc>>,
    /// When it is to be done: after `startAt`.
    pub end_at: Option<DateTime<Utc>>,
}

impl ProposalAcceptInput {
    fn terms(self) -> Terms {
        Terms { description: self.description, start_at: self.start_at, end_at: self.end_at }
    }
}

/// The proposal after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct ProposalPayload {
    /// The proposal; null when something has to be mended first.
    pub proposal: Option<Proposal>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl ProposalPayload {
    fn of(result: domain::Result<proposal::Model>) -> Result<Self> {
        let (proposal, user_errors) = answer(result)?;
        Ok(Self { proposal: proposal.map(Proposal), user_errors })
    }
}

/// The accepted proposal and the contract offered on it, or why there is none.
#[derive(Debug, SimpleObject)]
pub struct ProposalAcceptPayload {
    /// The proposal, ACCEPTED; null when something has to be mended first.
    pub proposal: Option<Proposal>,
    /// The contract, PENDING until the freelancer answers; null when something has to be mended first.
    pub contract: Option<Contract>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Changing proposals.
#[derive(Debug, Default)]
pub struct ProposalMutation;

#[Object]
impl ProposalMutation {
    /// Bids on an OPEN project, once. For freelancers with a proven e-mail address. The client is told.
    async fn proposal_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The bid.")] input: ProposalSubmitInput,
    ) -> Result<ProposalPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        ProposalPayload::of(async { proposals::submit(app, actor, input.parse()?).await }.await)
    }

    /// Changes your proposal while it is SUBMITTED: no longer once it is on the shortlist or decided on. For its
    /// freelancer.
    async fn proposal_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: ProposalUpdateInput,
    ) -> Result<ProposalPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            let (id, changes) = input.parse()?;
            proposals::update(app, actor, id, changes).await
        };
        ProposalPayload::of(result.await)
    }

    /// Puts a proposal on the shortlist (SUBMITTED becomes SHORTLISTED, and the freelancer is told), or takes
    /// it off again. For the project's client.
    async fn proposal_shortlist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and whether.")] input: ProposalShortlistInput,
    ) -> Result<ProposalPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("proposalId", &input.proposal_id);
        ProposalPayload::of(async { proposals::shortlist(app, actor, id?, input.shortlisted).await }.await)
    }

    /// Turns a proposal down: it becomes REJECTED, for good, and the freelancer is told. For the project's
    /// client.
    async fn proposal_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProposalRejectInput,
    ) -> Result<ProposalPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("proposalId", &input.proposal_id);
        ProposalPayload::of(async { proposals::reject(app, actor, id?).await }.await)
    }

    /// Takes your proposal back: it becomes WITHDRAWN, for good.
    async fn proposal_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ProposalWithdrawInput,
    ) -> Result<ProposalPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("proposalId", &input.proposal_id);
        ProposalPayload::of(async { proposals::withdraw(app, actor, id?).await }.await)
    }

    /// Accepts a proposal: its freelancer is offered a contract over its plan and has seven days to answer.
    /// A project has one such offer or contract at a time. For the project's client.
    async fn proposal_accept(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, on which terms.")] input: ProposalAcceptInput,
    ) -> Result<ProposalAcceptPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("proposalId", &input.proposal_id);
        let result = async { proposals::accept(app, actor, id?, input.terms()).await }.await;
        let (accepted, user_errors) = answer(result)?;
        let (proposal, contract) = accepted.unzip();
        Ok(ProposalAcceptPayload {
            proposal: proposal.map(Proposal),
            contract: contract.map(Contract),
            user_errors,
        })
    }
}
