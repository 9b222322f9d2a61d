//! What hangs below a person: lists of what they made, saved, were told and were paid.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use domain::{
    account, contract as domain_contract, entities::UserId, invitation as domain_invitation,
    ledger as domain_ledger, notification as domain_notification, payment as domain_payment,
    portfolio as domain_portfolio, project as domain_project, proposal as domain_proposal,
    review as domain_review, saved,
};

use super::{User, is_open};
use crate::{
    error::fault,
    graphql::{
        connection::{Listing, connect_below, list_cost, page},
        contract::{Contract, UserContractFilter},
        enums::InvitationStatus,
        invitation::{Invitation, statuses},
        ledger::{LedgerEntry, LedgerStatement},
        matching::ProjectMatch,
        notification::Notification,
        payment::Payment,
        portfolio::PortfolioItem,
        project::{Project, list::UserProjectFilter},
        proposal::{Proposal, list::ProposalFilter},
        review::Review,
        session::open::UserSession,
        support::{actor, app},
        wallet::Wallet,
    },
    loaders::{FreelancerSavedBy, ProjectsFor, WalletsOf, load_or_default},
};

/// The fields of [`User`] that are lists, and what is like one. A type of its own in the code alone.
#[derive(Debug, Clone, Copy)]
pub struct UserLists(pub(super) UserId);

impl UserLists {
    fn is_open(self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        is_open(ctx, self.0)
    }
}

#[Object]
impl UserLists {
    /// The work that a freelancer shows, the newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn portfolio(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<PortfolioItem>> {
        let list = domain_portfolio::of_users();
        connect_below(ctx, list, self.0.0, page(first, after, last, before), PortfolioItem).await
    }

    /// Whether you saved them; false when you are not signed in.
    async fn is_saved(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        let Some(viewer) = actor(ctx)?.user_id() else { return Ok(false) };
        load_or_default(ctx, FreelancerSavedBy(viewer, self.0)).await
    }

    /// The projects that they saved and that you may see, the newest saved first. Null unless they are you, or you
    /// are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn saved_projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<Project>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = saved::projects_of_users(actor(ctx)?);
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Project).await.map(Some)
    }

    /// The freelancers whom they saved, the newest saved first, without those who are suspended. Null unless they
    /// are you, or you are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn saved_freelancers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<User>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = saved::freelancers_of_users();
        connect_below(ctx, list, self.0.0, page(first, after, last, before), User).await.map(Some)
    }

    /// The invitations to bid that they got or sent, the newest first. Null unless they are you, or you are an
    /// administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those in one of these states.")] status: Option<Vec<InvitationStatus>>,
    ) -> async_graphql::Result<Option<Listing<Invitation>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_invitation::of_users(actor(ctx)?, &statuses(status));
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Invitation).await.map(Some)
    }

    /// The open projects that fit a freelancer, the best first: up to ten whose score is above 0.3. Looked at are the
    /// newest 500 of clients who are not suspended, without those they bid on. Empty for who is no freelancer. Null
    /// unless they are you, or you are an administrator. It works by itself, without OPENAI_API_KEY; with it the thirty
    /// best by score are put in order by what their texts mean, as `rankedBy` says.
    #[graphql(complexity = "100 + 10 * child_complexity")]
    async fn matches(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Vec<ProjectMatch>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let found = load_or_default(ctx, ProjectsFor(self.0, actor(ctx)?.user_id())).await?;
        Ok(Some(found.into_iter().map(ProjectMatch).collect()))
    }

    /// The projects they posted that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<UserProjectFilter>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Project>> {
        let list = domain_project::of_clients(actor(ctx)?, &filter.unwrap_or_default().states());
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Project).await
    }

    /// The proposals they sent that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<ProposalFilter>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Proposal>> {
        let filter = filter.map(Into::into).unwrap_or_default();
        let list = domain_proposal::of_freelancers(actor(ctx)?, &filter);
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Proposal).await
    }

    /// The contracts they are a party of that you may see, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn contracts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<UserContractFilter>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Contract>> {
        let filter = filter.map(Into::into).unwrap_or_default();
        let list = domain_contract::of_users(actor(ctx)?, &filter);
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Contract).await
    }

    /// What was said about them and everybody may read, newest first.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Listing<Review>> {
        let list = domain_review::of_users();
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Review).await
    }

    /// Their wallets, the first one first. Null unless they are your own, or you are an administrator.
    #[graphql(complexity = "1 + 2 * child_complexity")]
    async fn wallets(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Vec<Wallet>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let rows = load_or_default(ctx, WalletsOf(self.0)).await?;
        Ok(Some(rows.into_iter().map(Wallet).collect()))
    }

    /// The payments they make and get, newest first. Null unless they are your own, or you are an
    /// administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<Payment>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_payment::of_users(actor(ctx)?);
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Payment).await.map(Some)
    }

    /// Their account with the platform, entry by entry, newest first. Null unless it is your own, or you
    /// are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<LedgerEntry>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_ledger::statements();
        connect_below(ctx, list, self.0.0, page(first, after, last, before), LedgerEntry).await.map(Some)
    }

    /// Their account in a period of 366 days at the most: balances, sums and entries, also as a file. Null unless it is your
    /// own, or you are an administrator.
    #[graphql(complexity = "5 + child_complexity")]
    async fn ledger_statement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its beginning: what was posted at this very moment is in it.")] from: DateTime<Utc>,
        #[graphql(desc = "Its end: what was posted at this very moment is not in it.")] to: DateTime<Utc>,
    ) -> async_graphql::Result<Option<LedgerStatement>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let period = domain_ledger::statement::Period::new(from, to).map_err(fault)?;
        Ok(Some(LedgerStatement::new(self.0, period)))
    }

    /// What they were told, newest first. Null unless they are you, or you are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only what is not read yet.", default)] unread_only: bool,
    ) -> async_graphql::Result<Option<Listing<Notification>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = domain_notification::of_users(unread_only);
        connect_below(ctx, list, self.0.0, page(first, after, last, before), Notification).await.map(Some)
    }

    /// Their open sessions: where somebody is signed in to the account, the newest first. Null unless they are you, or
    /// you are an administrator.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Option<Listing<UserSession>>> {
        if !self.is_open(ctx)? {
            return Ok(None);
        }
        let list = account::session::of_users(app(ctx)?).map_err(fault)?;
        connect_below(ctx, list, self.0.0, page(first, after, last, before), UserSession).await.map(Some)
    }
}
