//! Work that comes back by the clock: projects expire, offers lapse, sessions of suspended people end.
//!
//! A task is a row of `scheduled_tasks`, whose `due_at` wakes one job. Whoever runs that job first moves the row on
//! to its next time in one transaction, and only then works: a tick is run once, whatever the number of processes; ticks
//! that passed while nobody worked are one; and a run that dies keeps nobody from the next tick.
//!
//! To add a task: write its function beside what it is about (find what is due in bounded batches by [`each`], deal with
//! each thing in a transaction of its own, so that running it twice does nothing twice); add it to [`TASKS`]; test it by
//! moving the clock. To take one out: its line here, and a migration that deletes its row.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::{DateTime, Utc};
use entities::scheduled_task;
use futures::{FutureExt, future::BoxFuture};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Actor, App, Code, Error, Tx, audit,
    error::Result,
    policy::{self, Action},
    queue::{self, Due, Job, Outcome},
};

mod batches;
mod tasks;

pub use batches::{BATCH, each};
pub use tasks::TASKS;

/// How long one run may take. What it did not get to is found by the next.
const LIMIT: Duration = Duration::from_secs(240);
/// How long a process leaves a task to others that it does not know: there are newer ones beside it.
const LEAVE: Duration = Duration::from_secs(60);

/// Work that comes back by the clock.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Its name: `projects-expire`.
    pub name: &'static str,
    /// When it runs: a cron expression that begins with the seconds, in UTC.
    pub schedule: &'static str,
    /// What it does, for operators.
    pub description: &'static str,
    /// Does it; how many things it dealt with.
    pub run: fn(App) -> BoxFuture<'static, Result<u64>>,
}

impl Task {
    /// The first time after a moment.
    ///
    /// # Errors
    ///
    /// When its expression is none, or no time is left: a bug either way.
    pub fn next(&self, after: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let schedule: cron::Schedule = self
            .schedule
            .parse()
            .map_err(|error| Error::bug(format!("the schedule of {}: {error}", self.name)))?;
        let next = schedule.after(&after).next();
        next.ok_or_else(|| Error::bug(format!("{} never runs again", self.name)))
    }
}

/// Runs a task whose time has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TaskRun {
    /// Which.
    pub name: String,
    /// The row's look number when this was queued: with another one, another job runs it.
    pub look: i32,
}

impl Job for TaskRun {
    const QUEUE: &'static str = "task-run";
}

impl Due for scheduled_task::Entity {
    const DUE_AT: scheduled_task::Column = scheduled_task::Column::DueAt;

    fn key(row: &scheduled_task::Model) -> String {
        queue::key(format!("task-{}", row.name), 0, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &scheduled_task::Model, due: DateTime<Utc>) -> Result<()> {
        wake(app, tx, row, due).await.map(drop)
    }
}

/// Makes every task's row, and queues its next run where none is. Again without harm, in every process.
///
/// # Errors
///
/// When the database fails.
pub async fn start(app: &App) -> Result<()> {
    start_with(app, TASKS).await
}

/// [`start`] with tasks of one's own: for tests.
///
/// # Errors
///
/// As [`start`].
pub async fn start_with(app: &App, tasks: &[Task]) -> Result<()> {
    let now = app.clock.now();
    for task in tasks {
        let tx = app.db.begin().await?;
        let row = scheduled_task::Model {
            name: task.name.to_owned(),
            look: 0,
            due_at: None,
            last_started_at: None,
            last_finished_at: None,
            last_count: None,
            last_error: None,
            runs: 0,
            updated_at: now,
        };
        let once = OnConflict::column(scheduled_task::Column::Name).do_nothing().to_owned();
        let insert = scheduled_task::Entity::insert(scheduled_task::ActiveModel::from(row));
        insert.on_conflict(once).exec_without_returning(&*tx).await?;
        let row = locked(&tx, task.name).await?.ok_or_else(|| Error::bug("a task's row is gone"))?;
        let next = task.next(now)?;
        // Later than that it cannot be, unless its schedule changed.
        if row.due_at.is_none_or(|due| due > next) {
            wake(app, &tx, &row, next).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Runs a task if it is due and nobody else took it.
///
/// # Errors
///
/// When the database fails; an error of the task itself is written to its row.
pub async fn run(app: &App, job: &TaskRun) -> Result<Outcome> {
    run_with(app, TASKS, job).await
}

/// [`run`] with tasks of one's own: for tests.
///
/// # Errors
///
/// As [`run`].
pub async fn run_with(app: &App, tasks: &[Task], job: &TaskRun) -> Result<Outcome> {
    let Some(task) = tasks.iter().find(|task| task.name == job.name) else {
        return Ok(Outcome::RetryIn(LEAVE));
    };
    let tx = app.db.begin().await?;
    let now = app.clock.now();
    let Some(row) = locked(&tx, task.name).await?.filter(|row| row.look == job.look) else {
        return Ok(Outcome::Done);
    };
    let Some(due) = row.due_at else { return Ok(Outcome::Done) };
    if due > now {
        return Ok(Outcome::RetryIn((due - now).to_std().unwrap_or_default()));
    }
    let row = wake(app, &tx, &row, task.next(now)?).await?;
    let run = row.runs + 1;
    let change = scheduled_task::ActiveModel {
        name: Set(row.name),
        last_started_at: Set(Some(now)),
        runs: Set(run),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    tx.commit().await?;

    let ended = tokio::time::timeout(LIMIT, AssertUnwindSafe((task.run)(app.clone())).catch_unwind()).await;
    let ended = match ended {
        Ok(Ok(Ok(count))) => Ok(count),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(_)) => Err("it panicked: the log says where".to_owned()),
        Err(_) => Err(format!("took longer than {LIMIT:?}")),
    };
    if let Err(error) = &ended {
        tracing::error!(task = task.name, error, "a scheduled task failed; its next tick tries again");
    }
    record(app, task, run, ended).await?;
    Ok(Outcome::Done)
}

/// The tasks with their rows, by name. For admins.
///
/// # Errors
///
/// When the actor is no admin, or the database fails.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<(&'static Task, scheduled_task::Model)>> {
    policy::authorise(actor, Action::JobsManage, "", "task")?;
    let rows = scheduled_task::Entity::find().all(app.db.reader()).await?;
    let row =
        |task: &'static Task| rows.iter().find(|row| row.name == task.name).map(|row| (task, row.clone()));
    let mut tasks: Vec<_> = TASKS.iter().filter_map(row).collect();
    tasks.sort_by_key(|(task, _)| task.name);
    Ok(tasks)
}

/// Makes a task due now: a worker runs it in a moment, and then at its next tick as ever. For admins.
///
/// # Errors
///
/// When the actor is no admin, there is no such task, or the database fails.
pub async fn run_now(app: &App, actor: &Actor, name: &str) -> Result<(&'static Task, scheduled_task::Model)> {
    policy::authorise(actor, Action::JobsManage, "name", "task")?;
    let missing = || {
        let message = "There is no such task: `scheduledTasks` names them.";
        Error::rejected("name", Code::NotFound, message)
    };
    let task = TASKS.iter().find(|task| task.name == name).ok_or_else(missing)?;
    let tx = app.db.begin().await?;
    let row = locked(&tx, task.name).await?.ok_or_else(missing)?;
    let row = wake(app, &tx, &row, app.clock.now()).await?;
    audit::record(app, &tx, actor, "scheduledTask.run", None, json!({ "name": task.name })).await?;
    tx.commit().await?;
    Ok((task, row))
}

/// Makes a task due at a moment, and queues its run.
async fn wake(
    app: &App,
    tx: &Tx,
    row: &scheduled_task::Model,
    due: DateTime<Utc>,
) -> Result<scheduled_task::Model> {
    let change = scheduled_task::ActiveModel {
        name: Set(row.name.clone()),
        look: Set(row.look + 1),
        due_at: Set(Some(due)),
        updated_at: Set(app.clock.now()),
        ..Default::default()
    };
    let row = change.update(&**tx).await?;
    let key = <scheduled_task::Entity as Due>::key(&row);
    let job = TaskRun { name: row.name.clone(), look: row.look };
    queue::enqueue(app, &**tx, &job, &key, due).await?;
    Ok(row)
}

/// Writes down how a run ended, unless a later one has begun meanwhile: that one is the last.
async fn record(app: &App, task: &Task, run: i64, ended: Result<u64, String>) -> Result<()> {
    use scheduled_task::Column;
    let now = app.clock.now();
    let update = scheduled_task::Entity::update_many()
        .col_expr(Column::LastFinishedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Name.eq(task.name))
        .filter(Column::Runs.eq(run));
    let update = match ended {
        Ok(count) => update
            .col_expr(Column::LastCount, Expr::value(i64::try_from(count).unwrap_or(i64::MAX)))
            .col_expr(Column::LastError, Expr::value(None::<String>)),
        Err(error) => update.col_expr(Column::LastError, Expr::value(error)),
    };
    update.exec(app.db.writer()).await?;
    Ok(())
}

async fn locked(tx: &Tx, name: &str) -> Result<Option<scheduled_task::Model>> {
    Ok(scheduled_task::Entity::find_by_id(name).lock_exclusive().one(&**tx).await?)
}
