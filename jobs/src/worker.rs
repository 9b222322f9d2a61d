//! apalis, and the only file that names it.
//!
//! It registers workers, beats for them, hands out rows and takes over those of dead workers. What it does
//! badly in 1.0.0 is done by us or kept from happening:
//!
//! - It fetches one row at a time. A worker that holds fetched rows back, because as many run as may, stops
//!   beating, and others take its jobs over.
//! - It neither locks nor acknowledges: an attempt's end is written by `domain::queue`, at once, and with
//!   the time of the next attempt. So nothing is lost when a worker stops or panics.
//! - It runs no handler in its own task: a handler that computes must not keep a worker from beating.
//! - It is woken by [`Wake`], which cannot sleep through a wake-up.
//! - It takes payloads for any JSON: one that it cannot decode would end the worker.
//! - A cron stream that is polled later than its next tick gives the same error for ever: [`tick`] takes a new one each
//!   time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use apalis::prelude::{
    BackendExt, BoxDynError, Monitor, PollSnapshot, PollStrategy, TaskId, WorkerBuilder, WorkerBuilderExt,
};
use apalis_cron::CronScheduler;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use domain::{App, Db, Error, Result, queue};
use futures::StreamExt;
use sea_orm::{DbBackend, DbErr};
use tokio::{
    sync::{Notify, futures::OwnedNotified},
    time::{Interval, MissedTickBehavior, sleep},
};

/// How often a worker says that it lives.
pub(crate) const BEAT: Duration = Duration::from_secs(5);
/// A worker that missed so many beats is dead, and its jobs are taken over.
const MISSED_BEATS: usize = 3;
/// How often a worker asks for jobs that nobody told it of. The pool looks for all of them far more often;
/// this is for the day when it cannot.
const POLL: Duration = Duration::from_secs(5);

/// Where PostgreSQL tells of new jobs.
pub(crate) const CHANNEL: &str = "apalis::job::insert";

/// Brings apalis' tables, and our index on them. Called after our own migrations, and again without harm.
///
/// # Errors
///
/// When a migration fails: on PostgreSQL the extensions hstore and pgcrypto have to be there, or the user
/// has to be allowed to create them.
pub async fn migrate(db: &Db) -> Result<()> {
    // Never `setup()`: on SQLite it switches fsync off.
    let done = match db.backend() {
        DbBackend::Postgres => {
            PostgresStorage::migrations().run(db.writer().get_postgres_connection_pool()).await
        }
        _ => SqliteStorage::migrations().run(db.writer().get_sqlite_connection_pool()).await,
    };
    done.map_err(|error| Error::Database(DbErr::Migration(format!("apalis: {error}"))))?;
    queue::index(db).await
}

/// What a worker does with each job: gets the row's id, and owns the row until it returns.
pub(crate) trait Run: Fn(String) -> Self::Future + Clone + Send + Sync + 'static {
    /// Ends when the job has ended.
    type Future: Future<Output = ()> + Send + 'static;
}

impl<F, Fut> Run for F
where
    F: Fn(String) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    type Future = Fut;
}

/// Works on a queue under a fresh name until the database fails; dropped, it stops at once and leaves the
/// rows to whoever calls [`queue::release`].
///
/// # Errors
///
/// Always: it has no other end.
pub(crate) async fn work(
    app: &App,
    queue: &'static str,
    concurrency: usize,
    name: &str,
    wake: Arc<Notify>,
    run: impl Run,
) -> Result<(), String> {
    let handler = move |_: serde_json::Value, id: TaskId| {
        let job = run(id.to_string());
        async move {
            job.await;
            Ok::<(), BoxDynError>(())
        }
    };
    let name = name.to_owned();
    let monitor = if app.db.backend() == DbBackend::Postgres {
        let config = apalis_postgres::Config::default()
            .queue(queue)
            .batch_size(1)
            .heartbeat_interval(BEAT)
            .missed_heartbeats(MISSED_BEATS)
            .lock_tasks(false)
            .persist_results(false);
        let storage =
            PostgresStorage::new(app.db.writer().get_postgres_connection_pool()).with_config(config);
        Monitor::new().register(move |_| {
            let wake = Wake::new(Arc::clone(&wake), POLL);
            WorkerBuilder::new(name.clone())
                .backend(storage.clone().poll_with_strategy(wake))
                .concurrency(concurrency)
                .build(handler.clone())
        })
    } else {
        let config = apalis_sqlite::Config::default()
            .queue(queue)
            .batch_size(1)
            .heartbeat_interval(BEAT)
            .missed_heartbeats(MISSED_BEATS)
            .lock_tasks(false)
            .persist_results(false);
        let storage = SqliteStorage::new(app.db.writer().get_sqlite_connection_pool()).with_config(config);
        Monitor::new().register(move |_| {
            let wake = Wake::new(Arc::clone(&wake), POLL);
            WorkerBuilder::new(name.clone())
                .backend(storage.clone().poll_with_strategy(wake))
                .concurrency(concurrency)
                .build(handler.clone())
        })
    };
    match monitor.run().await {
        Ok(()) => Err("the worker ended by itself".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns at the next time of a cron expression (which begins with the seconds), by the machine's clock.
pub(crate) async fn tick(expression: &str) {
    let why = match expression.parse::<cron::Schedule>() {
        Ok(schedule) => match std::pin::pin!(CronScheduler::new(schedule).into_stream()).next().await {
            Some(Ok(_)) => return,
            Some(Err(error)) => error.to_string(),
            None => "it never ticks again".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    tracing::error!(expression, why, "a cron expression does not tick");
    sleep(POLL).await;
}

/// When a worker asks for jobs: at intervals, and when it is told of one. Both are polled until they are
/// pending, so that each has the worker's waker; apalis' own strategies stop at the first that is ready.
struct Wake {
    interval: Interval,
    notify: Arc<Notify>,
    told: Pin<Box<OwnedNotified>>,
}

impl Wake {
    fn new(notify: Arc<Notify>, every: Duration) -> Self {
        let mut interval = tokio::time::interval(every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, told: Box::pin(Arc::clone(&notify).notified_owned()), notify }
    }
}

impl PollStrategy for Wake {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut woken = Poll::Pending;
        while self.interval.poll_tick(cx).is_ready() {
            woken = Poll::Ready(Some(()));
        }
        while self.told.as_mut().poll(cx).is_ready() {
            self.told = Box::pin(Arc::clone(&self.notify).notified_owned());
            woken = Poll::Ready(Some(()));
        }
        woken
    }
}
