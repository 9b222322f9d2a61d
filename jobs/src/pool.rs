//! The pool: a supervised worker for each queue, which comes back when the database was away, and lets its
//! jobs end when it is told to stop.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{App, clock::random_bytes, queue};
use sea_orm::DbBackend;
use sqlx::postgres::PgListener;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    registry::{Queue, Registry},
    runner, worker,
};

/// How long running jobs are given when the process is told to stop.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often the pool looks for jobs that are due: SQLite tells of no new one, PostgreSQL only of those that
/// are due when they are queued. One query for all queues, of some ten microseconds.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));
/// The first and the longest wait before a worker is started again.
const RESTART: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Runs a worker for each queue until it is told to stop.
pub(crate) async fn run(registry: Registry, app: App, shutdown: CancellationToken) {
    let abort = CancellationToken::new();
    let wakes: HashMap<&'static str, Arc<Notify>> =
        registry.iter().map(|queue| (queue.name, Arc::default())).collect();
    let settling = TaskTracker::new();
    // A task each, so that one busy worker does not keep another from beating.
    let mut supervisors = JoinSet::new();
    for queue in registry.iter() {
        let supervisor = Supervisor {
            app: app.clone(),
            queue: Arc::clone(queue),
            wake: wakes.get(queue.name).map(Arc::clone).unwrap_or_default(),
            shutdown: shutdown.clone(),
            abort: abort.clone(),
            settling: settling.clone(),
        };
        supervisors.spawn(supervisor.run());
    }
    let patience = async {
        shutdown.cancelled().await;
        sleep(PATIENCE).await;
        tracing::warn!("jobs still run after {PATIENCE:?}: they are ended, and done again later");
        abort.cancel();
        std::future::pending::<()>().await;
    };
    let ended = async {
        while supervisors.join_next().await.is_some() {}
        settling.close();
        settling.wait().await;
    };
    tokio::select! {
        () = ended => (),
        () = patience => (),
        () = listen(&app, &wakes) => (),
        () = look(&app, &wakes) => (),
    }
}

/// What runs the worker of one queue.
struct Supervisor {
    app: App,
    queue: Arc<Queue>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
    /// Ends jobs in the middle.
    abort: CancellationToken,
    /// Former workers whose jobs have not ended.
    settling: TaskTracker,
}

impl Supervisor {
    async fn run(self) {
        let mut wait = RESTART.0;
        while !self.shutdown.is_cancelled() {
            let started = Instant::now();
            let random = match random_bytes::<16>() {
                Ok(random) => random,
                Err(error) => {
                    tracing::error!(queue = self.queue.name, %error, "no worker can be named: the queue stands still");
                    return;
                }
            };
            // A fresh name each time: apalis refuses one that beat a moment ago.
            let name = format!("{}-{}", self.queue.name, ulid::Ulid::from(u128::from_be_bytes(random)));
            let held = TaskTracker::new();
            let lost = CancellationToken::new();
            let why = tokio::select! {
                () = self.shutdown.cancelled() => None,
                () = lost.cancelled() => Some("the end of a job was not written down".to_owned()),
                result = self.work(&name, &held, &lost) => result.err(),
            };
            self.settling.spawn(settle(self.app.clone(), name, held));
            let Some(why) = why else { break };
            if started.elapsed() > RESTART.1 {
                wait = RESTART.0;
            }
            tracing::warn!(queue = self.queue.name, why, ?wait, "a worker ended and is started again");
            tokio::select! {
                () = self.shutdown.cancelled() => (),
                () = sleep(wait) => (),
            }
            wait = (wait * 2).min(RESTART.1);
        }
    }

    /// Runs jobs in tasks of their own, which outlive the worker: when it ends, they end in good order.
    async fn work(&self, name: &str, held: &TaskTracker, lost: &CancellationToken) -> Result<(), String> {
        let (app, queue, abort) = (self.app.clone(), Arc::clone(&self.queue), self.abort.clone());
        let (worker, held, lost) = (name.to_owned(), held.clone(), lost.clone());
        let run = move |id: String| {
            let (app, queue, abort) = (app.clone(), Arc::clone(&queue), abort.clone());
            let (worker, lost) = (worker.clone(), lost.clone());
            let given_up = lost.clone();
            let job = held.spawn(async move {
                let ended = tokio::select! {
                    ended = runner::attempt(&app, &queue, &id, &worker) => ended,
                    () = abort.cancelled() => return,
                };
                if let Err(error) = ended {
                    tracing::error!(job = id, %error, "a job's row could not be read or written");
                    lost.cancel();
                }
            });
            async move {
                // Handlers' panics are caught inside; ours would show here. The row stays taken, so this worker gives it up.
                if let Err(error) = job.await {
                    tracing::error!(%error, "a job's task ended badly");
                    given_up.cancel();
                }
            }
        };
        let (queue, limits) = (self.queue.name, self.queue.limits);
        worker::work(&self.app, queue, limits.concurrency, name, Arc::clone(&self.wake), run).await
    }
}

/// Beats for a worker that takes no more jobs until those that it has are ended, then gives back the rest.
async fn settle(app: App, name: String, held: TaskTracker) {
    held.close();
    loop {
        tokio::select! {
            () = held.wait() => break,
            () = sleep(worker::BEAT) => {
                if let Err(error) = queue::beat(&app, &name).await {
                    tracing::warn!(worker = name, %error, "a former worker could not beat");
                }
            }
        }
    }
    // Without the database: others take the rows over when this name has been silent long enough.
    if let Err(error) = queue::release(&app, &name).await {
        tracing::warn!(worker = name, %error, "a former worker could not give its jobs back");
    }
}

/// Wakes workers of the jobs that are due, again and again while they are: no wake-up can be lost.
async fn look(app: &App, wakes: &HashMap<&'static str, Arc<Notify>>) {
    let queues: Vec<&'static str> = wakes.keys().copied().collect();
    let every = if app.db.backend() == DbBackend::Postgres { LOOK.1 } else { LOOK.0 };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match queue::ready(app, &queues).await {
            Ok(ready) => {
                ready.iter().filter_map(|queue| wakes.get(queue.as_str())).for_each(|wake| wake.notify_one())
            }
            Err(error) => {
                tracing::warn!(%error, "the queues cannot be looked at");
                sleep(worker::BEAT).await;
            }
        }
    }
}

/// Wakes workers of the jobs that PostgreSQL tells of. Without it they would hear of them a look later.
async fn listen(app: &App, wakes: &HashMap<&'static str, Arc<Notify>>) {
    if app.db.backend() != DbBackend::Postgres {
        return std::future::pending().await;
    }
    let pool = app.db.writer().get_postgres_connection_pool();
    loop {
        let heard = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(worker::CHANNEL).await?;
            loop {
                let notification = listener.recv().await?;
                let queue = queue::queue_of(notification.payload());
                if let Some(wake) = queue.and_then(|queue| wakes.get(queue.as_str())) {
                    wake.notify_one();
                }
            }
        };
        let ended: Result<(), sqlx::Error> = heard.await;
        if let Err(error) = ended {
            tracing::warn!(%error, "PostgreSQL cannot be listened to; polling goes on");
        }
        sleep(RESTART.1).await;
    }
}
