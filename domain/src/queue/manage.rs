//! What an administrator may do to a job, on the record.

use serde_json::json;

use super::{JobRow, JobState, cancel, find, retry};
use crate::{
    Actor, App, audit,
    error::{Error, Result},
    events,
    policy::{self, Action},
};

/// What is to become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A dead, failed or cancelled one is ready again.
    Retry,
    /// One that no worker has is stopped.
    Cancel,
}

impl Order {
    const fn to(self) -> JobState {
        match self {
            Self::Retry => JobState::Ready,
            Self::Cancel => JobState::Cancelled,
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Retry => "job.retry",
            Self::Cancel => "job.cancel",
        }
    }
}

/// Retries or cancels a job; `public_id` is what the API calls it, for the audit log.
pub async fn manage(app: &App, actor: &Actor, id: &str, public_id: String, order: Order) -> Result<JobRow> {
    policy::authorise(actor, Action::JobsManage, "jobId", "job")?;
    let missing = || Error::not_found("jobId", "job");
    let before = find(app, id).await?.ok_or_else(missing)?;
    let tx = app.db.begin().await?;
    let changed = match order {
        Order::Retry => retry(app, &*tx, &before.id).await?,
        Order::Cancel => cancel(app, &*tx, &before.id).await?,
    };
    if !changed {
        return Err(Error::illegal("jobId", "job", before.state.as_str(), order.to().as_str()));
    }
    events::job_updated(app, &*tx, &before.id).await?;
    let facts = json!({ "queue": before.queue, "from": before.state.as_str(), "about": before.subject });
    audit::record(app, &tx, actor, order.action(), Some(public_id), facts).await?;
    tx.commit().await?;
    find(app, id).await?.ok_or_else(missing)
}
