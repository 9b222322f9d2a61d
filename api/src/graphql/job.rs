//! The job queue, for admins: what waits, what failed, and the two things one may do about it.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    App, Code, Error,
    entities::AnyId,
    page::PageRequest,
    policy::{self, Action},
    queue::{self, JobRow, JobState, Order, QueueCounts},
};

use super::{
    connection::{Listing, connect_page, list_cost, page},
    node::{Node, resolve},
    support::{actor, app},
};
use crate::{
    error::{UserError, answer, fault},
    loaders::{JobCountAbout, JobsAbout, load_if_any, load_or_default},
};

mod updated;

pub use updated::JobSubscription;

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "JobState")]
pub enum JobStatus {
    /// Its time has not come.
    Scheduled,
    /// It waits for a worker.
    Ready,
    /// A worker has it.
    Running,
    /// It ended well.
    Done,
    /// It failed and will be tried again.
    Failed,
    /// It failed for good, or too often; an admin can try it again.
    Dead,
    /// An admin stopped it.
    Cancelled,
}

/// A piece of work in the queue. The queue is a wake-up, not the truth: what is due stands in the things
/// themselves, and a lost job is found again.
#[derive(Clone)]
pub struct Job(pub JobRow);

/// A piece of work in the queue. The queue is a wake-up, not the truth: what is due stands in the things
/// themselves, and a lost job is found again.
#[Object]
impl Job {
    /// The job's id, `job_...`.
    pub async fn id(&self) -> ID {
        format!("{PREFIX}{}", self.0.id).into()
    }

    /// The queue that it is in.
    async fn queue(&self) -> &str {
        &self.0.queue
    }

    /// Where it is in its life.
    async fn status(&self) -> JobStatus {
        self.0.state.into()
    }

    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        i32::try_from(self.0.attempts).unwrap_or(i32::MAX)
    }

    /// How often it is tried before it is DEAD.
    async fn max_attempts(&self) -> i32 {
        i32::try_from(self.0.max_attempts).unwrap_or(i32::MAX)
    }

    /// What it is told: JSON that holds ids only. For admins; others get `{}`.
    async fn payload(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(if manages(ctx)? { &self.0.payload } else { "{}" })
    }

    /// What the last attempt met; null when nothing went wrong. For admins; others get null.
    async fn last_error(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(if manages(ctx)? { self.0.last_error.as_deref() } else { None })
    }

    /// When it is due.
    async fn run_at(&self) -> DateTime<Utc> {
        self.0.run_at
    }

    /// When its latest attempt began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended for good.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// The thing that it is about, if it is one that has an id.
    #[graphql(complexity = "5 + child_complexity")]
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match &self.0.subject {
            Some(subject) if subject.parse::<AnyId>().is_ok() => resolve(ctx, subject).await,
            // The scanner's subject is the chain, which is no thing of ours.
            _ => Ok(None),
        }
    }
}

/// What jobs' public ids start with.
pub(super) const PREFIX: &str = "job_";

/// How much stands in a queue.
pub struct Queue(QueueCounts);

/// How much stands in a queue.
#[Object]
impl Queue {
    /// The queue's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Jobs whose time has not come.
    async fn scheduled(&self) -> u64 {
        self.0.of(JobState::Scheduled)
    }

    /// Jobs that wait for a worker.
    async fn ready(&self) -> u64 {
        self.0.of(JobState::Ready)
    }

    /// Jobs that a worker has.
    async fn running(&self) -> u64 {
        self.0.of(JobState::Running)
    }

    /// Jobs that ended well and are not yet pruned.
    async fn done(&self) -> u64 {
        self.0.of(JobState::Done)
    }

    /// Jobs that failed and will be tried again.
    async fn failed(&self) -> u64 {
        self.0.of(JobState::Failed)
    }

    /// Jobs that failed for good.
    async fn dead(&self) -> u64 {
        self.0.of(JobState::Dead)
    }

    /// Jobs that an admin stopped.
    async fn cancelled(&self) -> u64 {
        self.0.of(JobState::Cancelled)
    }

    /// For how many seconds the oldest ready job has been due; null when none is.
    async fn oldest_ready_seconds(&self) -> Option<i64> {
        self.0.oldest_ready.map(|age| age.num_seconds())
    }
}

/// Which jobs to list; what is left out does not matter.
#[derive(Debug, Default, InputObject)]
pub struct JobFilter {
    /// Of this queue.
    pub queue: Option<String>,
    /// In this state.
    pub status: Option<JobStatus>,
    /// About this thing: its id.
    pub subject_id: Option<ID>,
}

/// By what jobs are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum JobOrderField {
    /// By when they were queued.
    CreatedAt,
}

/// How jobs are sorted.
#[derive(Debug, InputObject)]
pub struct JobOrder {
    /// By what.
    pub field: JobOrderField,
    /// Which way; only DESC, the newest first, is offered.
    pub direction: super::enums::OrderDirection,
}

/// A page of the jobs about a thing that may stand in a list.
pub(super) async fn connect_about(
    ctx: &Context<'_>,
    subject: String,
    page: PageRequest,
) -> Result<Listing<Job>> {
    queue::check_page(&page).map_err(fault)?;
    let left_out = || fault(Error::bug("a batch left out a subject"));
    let found = load_if_any(ctx, JobsAbout { subject: subject.clone(), page }).await?.ok_or_else(left_out)?;
    let whole = JobCountAbout(subject);
    Ok(connect_page(found, move |ctx| Box::pin(load_or_default(ctx, whole.clone())), Job))
}

/// A page of jobs.
async fn connect_jobs(app: &App, filter: queue::JobFilter, request: PageRequest) -> Result<Listing<Job>> {
    let page = queue::list(app, &filter, &request).await.map_err(fault)?;
    let app = app.clone();
    let count = move || {
        let (app, filter) = (app.clone(), filter.clone());
        async move { queue::count(&app, &filter).await.map_err(fault) }
    };
    Ok(connect_page(page, move |_| Box::pin(count()), Job))
}

/// Reading the queue: admins only.
#[derive(Default)]
pub struct JobQuery;

#[Object]
impl JobQuery {
    /// The jobs, newest first. For admins.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection has four arguments of its own")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which jobs.")] filter: Option<JobFilter>,
        #[graphql(desc = "In which order; newest first when nothing is said.")] order_by: Option<JobOrder>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Job>> {
        allow(ctx)?;
        if order_by.is_some_and(|order| order.direction == super::enums::OrderDirection::Asc) {
            let message = "Jobs are listed newest first. Ask for the last ones to see the oldest.";
            return Err(fault(Error::rejected("orderBy", Code::Invalid, message)));
        }
        let filter = filter.unwrap_or_default();
        let filter = queue::JobFilter {
            queue: filter.queue,
            state: filter.status.map(JobState::from),
            subject: filter.subject_id.map(|id| id.to_string()),
        };
        connect_jobs(app(ctx)?, filter, page(first, after, last, before)).await
    }

    /// The queues, with how much stands in each. For admins.
    async fn queues(&self, ctx: &Context<'_>) -> Result<Vec<Queue>> {
        allow(ctx)?;
        let counts = queue::queues(app(ctx)?).await.map_err(fault)?;
        Ok(counts.into_iter().map(Queue).collect())
    }
}

/// A query has no userErrors: a missing role is an error with its code.
fn allow(ctx: &Context<'_>) -> Result<()> {
    policy::authorise(actor(ctx)?, Action::JobsManage, "", "queue").map_err(fault)
}

/// Whether the inside of a job is for who asks: a payment's jobs are shown to its parties too.
fn manages(ctx: &Context<'_>) -> Result<bool> {
    Ok(policy::can(actor(ctx)?, Action::JobsManage).is_ok())
}

/// Which job to try again.
#[derive(Debug, InputObject)]
pub struct JobRetryInput {
    /// A DEAD, FAILED or CANCELLED job, `job_...`.
    pub job_id: ID,
}

/// Which job to stop.
#[derive(Debug, InputObject)]
pub struct JobCancelInput {
    /// A SCHEDULED, READY or FAILED job, `job_...`.
    pub job_id: ID,
}

/// The job after the change, or why there was none.
#[derive(SimpleObject)]
pub struct JobPayload {
    /// The job; null when something has to be mended first.
    pub job: Option<Job>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What an admin can do with jobs.
#[derive(Default)]
pub struct JobMutation;

#[Object]
impl JobMutation {
    /// Makes a DEAD, FAILED or CANCELLED job READY again. For admins.
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobRetryInput,
    ) -> Result<JobPayload> {
        change(ctx, &input.job_id, Order::Retry).await
    }

    /// Stops a job that no worker has. What it was about waits until an admin tries the job again, or until it
    /// changes by itself. For admins.
    async fn job_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobCancelInput,
    ) -> Result<JobPayload> {
        change(ctx, &input.job_id, Order::Cancel).await
    }
}

async fn change(ctx: &Context<'_>, id: &ID, order: Order) -> Result<JobPayload> {
    let (app, actor) = (app(ctx)?, actor(ctx)?);
    let result = async {
        // Who may not hears that first, whatever id they try.
        policy::authorise(actor, Action::JobsManage, "jobId", "job")?;
        let ulid = id.strip_prefix(PREFIX).ok_or_else(|| {
            Error::rejected(
                "jobId",
                Code::InvalidId,
                "That is not the id of a job; such an id starts with \"job_\".",
            )
        })?;
        queue::manage(app, actor, ulid, id.to_string(), order).await
    };
    let (job, user_errors) = answer(result.await)?;
    Ok(JobPayload { job: job.map(Job), user_errors })
}
