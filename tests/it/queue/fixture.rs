//! An `App` with a database of its own, and a job that does what it is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    App, Clock, Db, Purpose, Result,
    page::PageRequest,
    ports::{
        PortError,
        chain::{EvmClient, EvmSettings},
        mail::{Mail, OutgoingMail},
        storage::{ObjectInfo, PresignedRequest, Storage},
    },
    queue::{self, Job, JobFilter, JobRow, JobState, Outcome},
};
use jobs::{Backoff, Limits, Registry};
use sea_orm::{ConnectionTrait, DbBackend};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::support::database;

/// A job that records that it ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Probe {
    pub(super) name: String,
}

impl Job for Probe {
    const QUEUE: &'static str = "probe";
    const MAX_ATTEMPTS: i32 = 4;
}

/// The names of the probes that ran, in order.
pub(super) type Log = Arc<Mutex<Vec<String>>>;

pub(super) struct Fixture {
    pub(super) app: App,
    pub(super) log: Log,
    folder: TempDir,
}

impl Fixture {
    /// With a clock that stands still at a round moment.
    pub(super) async fn frozen() -> Self {
        Self::new(Clock::frozen(DateTime::from_timestamp(1_800_000_000, 0).unwrap())).await
    }

    pub(super) async fn new(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = database::fresh(folder.path()).await;
        Self { app: app(db, clock), log: Log::default(), folder }
    }

    /// Another process, so to speak: the same database through its own connections.
    pub(super) async fn another(&self) -> App {
        App { db: Db::open(&self.url().await, Purpose::Serve).await.unwrap(), ..self.app.clone() }
    }

    /// Where the database is.
    pub(super) async fn url(&self) -> String {
        database::url(&self.app.db, self.folder.path()).await
    }

    pub(super) async fn finish(self) {
        self.app.db.close().await.unwrap();
    }

    pub(super) async fn enqueue(&self, name: &str, key: &str, due: DateTime<Utc>) {
        enqueue(&self.app, name, key, due).await;
    }

    pub(super) async fn drain(&self, registry: &Registry) -> u64 {
        jobs::drain_with(registry, &self.app).await.unwrap()
    }

    pub(super) fn ran(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// All jobs, the oldest first.
    pub(super) async fn jobs(&self) -> Vec<JobRow> {
        let all = PageRequest { first: Some(100), ..PageRequest::default() };
        let page = queue::list(&self.app, &JobFilter::default(), &all).await;
        page.unwrap().rows.into_iter().map(|(_, row)| row).rev().collect()
    }

    pub(super) async fn job(&self) -> JobRow {
        let mut jobs = self.jobs().await;
        assert_eq!(jobs.len(), 1, "{jobs:#?}");
        jobs.remove(0)
    }

    /// Waits in real time until there is as many jobs in that state.
    pub(super) async fn until(&self, state: JobState, count: u64) {
        let filter = JobFilter { state: Some(state), ..JobFilter::default() };
        for _ in 0..600 {
            if queue::count(&self.app, &filter).await.unwrap() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {count} {state:?}: {:#?}", self.jobs().await);
    }

    /// A registry with the probe's queue, whose handler records the name and then does as told.
    pub(super) fn probe<F, Fut>(&self, then: F) -> Registry
    where
        F: Fn(String) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome>> + Send + 'static,
    {
        probe(Arc::clone(&self.log), then)
    }

    /// Runs SQL in the words of the database at hand.
    pub(super) async fn sql(&self, sqlite: &str, postgres: &str) {
        let sql = if self.app.db.backend() == DbBackend::Postgres { postgres } else { sqlite };
        self.app.db.writer().execute_unprepared(sql).await.unwrap();
    }
}

pub(super) async fn enqueue(app: &App, name: &str, key: &str, due: DateTime<Utc>) {
    let tx = app.db.begin().await.unwrap();
    queue::enqueue(app, &*tx, &Probe { name: name.to_owned() }, key, due).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) fn probe<F, Fut>(log: Log, then: F) -> Registry
where
    F: Fn(String) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Outcome>> + Send + 'static,
{
    let backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(5) };
    let limits = Limits { concurrency: 3, time: Duration::from_secs(5), backoff };
    Registry::new().with(limits, move |_: App, job: Probe| {
        log.lock().unwrap().push(job.name.clone());
        then(job.name)
    })
}

pub(super) async fn done(_: String) -> Result<Outcome> {
    Ok(Outcome::Done)
}

pub(super) fn transient(reason: &str) -> domain::Error {
    PortError::Transient { port: "test", reason: reason.to_owned() }.into()
}

/// An `App` whose outside is not there.
pub(super) fn app(db: Db, clock: Clock) -> App {
    let settings = domain::Settings {
        public_url: "http://localhost:8080".parse().unwrap(),
        jwt_secret: "0123456789abcdef0123456789abcdef".to_owned().into(),
        access_token_ttl: Duration::from_secs(900),
        session_ttl: Duration::from_secs(86_400),
        confirmations: 3,
        approval_above: None,
        large_deposits: domain::settings::LargeDeposits::default(),
        wallet_rest: Duration::ZERO,
        chain_poll: Duration::from_secs(5),
        assistant_budget: domain::settings::AssistantBudget::default(),
        introspection: true,
        argon2_memory_kib: 8,
    };
    let chain = EvmClient::new(EvmSettings {
        rpc_url: "http://127.0.0.1:9".parse().unwrap(),
        chain_id: 31_337,
        usdc: "0x00000000000000000000000000000000000000aa".parse().unwrap(),
        treasury_key: "11".repeat(32).into(),
    });
    App {
        db,
        clock,
        settings: Arc::new(settings),
        chain: Arc::new(chain.unwrap()),
        witness: None,
        circle: None,
        storage: Arc::new(Nowhere),
        mail: Arc::new(Nowhere),
        assistant: None,
    }
}

/// An outside that is down.
struct Nowhere;

fn down<T>() -> Result<T, PortError> {
    Err(PortError::Transient { port: "test", reason: "down".to_owned() })
}

#[async_trait]
impl Mail for Nowhere {
    async fn send(&self, _: &OutgoingMail) -> Result<(), PortError> {
        down()
    }

    async fn verify(&self) -> Result<(), PortError> {
        down()
    }
}

#[async_trait]
impl Storage for Nowhere {
    async fn presign_put(
        &self,
        _: &str,
        _: &str,
        _: u64,
        _: Duration,
    ) -> Result<PresignedRequest, PortError> {
        down()
    }

    async fn presign_get(&self, _: &str, _: &str, _: Duration) -> Result<PresignedRequest, PortError> {
        down()
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectInfo>, PortError> {
        down()
    }

    async fn get(&self, _: &str, _: &str, _: u64) -> Result<Option<Vec<u8>>, PortError> {
        down()
    }

    async fn put(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), PortError> {
        down()
    }

    async fn delete(&self, _: &str) -> Result<(), PortError> {
        down()
    }

    async fn verify(&self) -> Result<(), PortError> {
        down()
    }
}
