//! Proposals.

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::entities::{proposal, proposed_milestone};

use super::{
    enums::{Availability, ProposalStatus},
    project::Project,
    scalars::Money,
    upload::{Upload, of_subject},
    user::User,
};
use crate::loaders::{PlanOf, load, load_or_default};

pub mod change;
pub mod list;

/// A freelancer's bid on a project. Only that freelancer, the project's client and admins see it.
#[derive(Debug, Clone)]
pub struct Proposal(pub proposal::Model);

/// A freelancer's bid on a project. Only that freelancer, the project's client and admins see it.
#[Object]
impl Proposal {
    /// The proposal's id, `ppl_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The project that it bids on.
    async fn project(&self, ctx: &Context<'_>) -> Result<Project> {
        load(ctx, self.0.project_id).await.map(Project)
    }

    /// Who bids.
    async fn freelancer(&self, ctx: &Context<'_>) -> Result<User> {
        load(ctx, self.0.freelancer_id).await.map(User)
    }

    /// Where it is in its life.
    async fn status(&self) -> ProposalStatus {
        self.0.status.into()
    }

    /// Why this freelancer.
    async fn cover_letter(&self) -> &str {
        &self.0.cover_letter
    }

    /// The whole price (a FIXED project) or the rate an hour (an HOURLY one).
    async fn bid(&self) -> Money {
        self.0.bid.into()
    }

    /// How many hours the freelancer expects; null on a FIXED project.
    async fn estimated_hours(&self) -> Option<i32> {
        self.0.estimated_hours
    }

    /// When the freelancer can start.
    async fn availability(&self) -> Availability {
        self.0.availability.into()
    }

    /// The milestones that it suggests, in order. Their amounts make the whole price; with none, a contract
    /// gets one milestone of the whole price.
    async fn milestones(&self, ctx: &Context<'_>) -> Result<Vec<ProposedMilestone>> {
        Ok(load_or_default(ctx, PlanOf(self.0.id)).await?.into_iter().map(ProposedMilestone).collect())
    }

    /// The files that go with it.
    #[graphql(complexity = "2 + 10 * child_complexity")]
    async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<Upload>> {
        of_subject(ctx, self.0.id).await
    }

    /// When it was submitted.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A milestone that a proposal suggests.
#[derive(Debug, Clone)]
pub struct ProposedMilestone(pub proposed_milestone::Model);

/// A milestone that a proposal suggests.
#[Object]
impl ProposedMilestone {
    /// What is delivered.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it pays.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// When it is due, if that was said.
    async fn due_at(&self) -> Option<DateTime<Utc>> {
        self.0.due_at
    }

    /// Its place in the plan, from 1.
    async fn position(&self) -> i32 {
        self.0.position
    }
}
