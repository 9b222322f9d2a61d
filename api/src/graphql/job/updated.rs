//! Hearing of jobs.

use async_graphql::{Context, Result, Subscription};
use domain::{
    entities::EventKind,
    policy::{self, Action},
    queue,
};
use futures::{Stream, StreamExt as _};
use ulid::Ulid;

use super::{Job, allow};
use crate::{
    error::fault,
    graphql::{
        events::EventFeed,
        support::{actor, app},
    },
};

/// Hearing of jobs.
#[derive(Debug, Default)]
pub struct JobSubscription;

#[Subscription]
impl JobSubscription {
    /// Each job when an attempt at it ends well or fails, and when an admin retries or cancels it, as it is then. Looks at
    /// the chain, which come back every few seconds, are told when they fail. For admins.
    async fn job_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only jobs of this queue; of all when left out.")] queue: Option<String>,
    ) -> Result<impl Stream<Item = Result<Job>> + use<>> {
        allow(ctx)?;
        let (app, actor) = (app(ctx)?.clone(), actor(ctx)?.clone());
        let events = ctx.data::<EventFeed>()?.subscribe();
        Ok(events.filter_map(move |event| {
            let (app, actor, wanted) = (app.clone(), actor.clone(), queue.clone());
            async move {
                let event = match event {
                    Err(lagged) => return Some(Err(lagged)),
                    Ok(event) if event.kind == EventKind::JobUpdated => event,
                    Ok(_) => return None,
                };
                if let Err(denied) = policy::authorise(&actor, Action::JobsManage, "", "queue") {
                    return Some(Err(fault(denied)));
                }
                let id = Ulid(event.subject_id.as_u128()).to_string();
                match queue::find(&app, &id).await {
                    // It may have been deleted meanwhile.
                    Ok(found) => found
                        .filter(|job| wanted.is_none_or(|queue| queue == job.queue))
                        .map(|job| Ok(Job(job))),
                    Err(error) => Some(Err(fault(error))),
                }
            }
        }))
    }
}
