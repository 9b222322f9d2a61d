//! Scheduled work, for admins: what comes back by the clock, and when.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::scheduled_task,
    schedule::{self, Task},
};

use super::support::{actor, app};
use crate::error::{UserError, answer, fault};

/// Work that comes back by the clock. Each tick is run once, whatever the number of processes; ticks that passed while
/// nobody worked are run as one.
#[derive(Debug, Clone)]
pub struct ScheduledTask(&'static Task, scheduled_task::Model);

/// Work that comes back by the clock. Each tick is run once, whatever the number of processes; ticks that passed while
/// nobody worked are run as one.
#[Object]
impl ScheduledTask {
    /// The task's name.
    async fn name(&self) -> &str {
        self.0.name
    }

    /// What it does.
    async fn description(&self) -> &str {
        self.0.description
    }

    /// When it runs: a cron expression of seconds, minutes, hours, days of the month, months and days of the week, in UTC.
    async fn schedule(&self) -> &str {
        self.0.schedule
    }

    /// When its latest run began; null when it has not run yet.
    async fn last_started_at(&self) -> Option<DateTime<Utc>> {
        self.1.last_started_at
    }

    /// When a run last ended, in whatever way.
    async fn last_finished_at(&self) -> Option<DateTime<Utc>> {
        self.1.last_finished_at
    }

    /// How many things the latest run that ended well dealt with.
    async fn last_count(&self) -> Option<i64> {
        self.1.last_count
    }

    /// What went wrong in the latest run; null when nothing did.
    async fn last_error(&self) -> Option<&str> {
        self.1.last_error.as_deref()
    }

    /// How often it has begun.
    async fn runs(&self) -> i64 {
        self.1.runs
    }

    /// When it is due next.
    async fn next_run_at(&self) -> Option<DateTime<Utc>> {
        self.1.due_at
    }
}

/// Reading scheduled work: admins only.
#[derive(Debug, Default)]
pub struct ScheduledTaskQuery;

#[Object]
impl ScheduledTaskQuery {
    /// What comes back by the clock, by name. For admins.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn scheduled_tasks(&self, ctx: &Context<'_>) -> Result<Vec<ScheduledTask>> {
        let tasks = schedule::list(app(ctx)?, actor(ctx)?).await.map_err(fault)?;
        Ok(tasks.into_iter().map(|(task, row)| ScheduledTask(task, row)).collect())
    }
}

/// Which task to run.
#[derive(Debug, InputObject)]
pub struct ScheduledTaskRunInput {
    /// Its name, one of `scheduledTasks`.
    pub name: String,
}

/// The task, or why it does not run.
#[derive(Debug, SimpleObject)]
pub struct ScheduledTaskPayload {
    /// The task; null when something has to be mended first.
    pub scheduled_task: Option<ScheduledTask>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What an admin can do with scheduled work.
#[derive(Debug, Default)]
pub struct ScheduledTaskMutation;

#[Object]
impl ScheduledTaskMutation {
    /// Makes a task due now: a worker runs it in a moment, and after that at its next time as ever. For admins.
    async fn scheduled_task_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which task.")] input: ScheduledTaskRunInput,
    ) -> Result<ScheduledTaskPayload> {
        let (task, user_errors) = answer(schedule::run_now(app(ctx)?, actor(ctx)?, &input.name).await)?;
        Ok(ScheduledTaskPayload {
            scheduled_task: task.map(|(task, row)| ScheduledTask(task, row)),
            user_errors,
        })
    }
}
