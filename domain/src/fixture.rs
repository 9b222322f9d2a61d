//! The smallest App that tests of this crate need: a migrated SQLite of its own, and an outside that does nothing but stand
//! still. What has to cross a network is tested in `tests`, against the sandbox.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entities::{LedgerTransferId, LedgerTransferKind, PaymentId, Usdc};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, SqlxSqliteConnector, Statement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::OnceCell;

use crate::{
    App, Clock, Db, Settings,
    ledger::{self, Account},
    settings::LargeDeposits,
};

mod chain;
mod circle;
mod nowhere;
pub(crate) mod rows;

pub(crate) use chain::{CHAIN, StillChain};
pub(crate) use circle::{StillCircle, down, told};
use nowhere::Nowhere;

/// When tests happen, unless they move the clock.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An App of its own for each test. Foreign keys are off: rows stand for themselves, without the rows that they name.
pub(crate) async fn app() -> App {
    app_with(StillChain::default(), |_| ()).await
}

/// The same beside another chain, with other settings.
pub(crate) async fn app_with(chain: StillChain, change: impl FnOnce(&mut Settings) + Send) -> App {
    let mut settings = Settings {
        public_url: "http://localhost:8080".parse().unwrap(),
        jwt_secret: "a secret that only the tests use, long enough".into(),
        access_token_ttl: Duration::from_secs(3600),
        session_ttl: Duration::from_secs(3600),
        confirmations: 3,
        approval_above: None,
        large_deposits: LargeDeposits::default(),
        wallet_rest: Duration::ZERO,
        chain_poll: Duration::from_secs(1),
        assistant_budget: crate::settings::AssistantBudget::default(),
        introspection: true,
        argon2_memory_kib: 64,
    };
    change(&mut settings);
    App {
        db: database().await,
        clock: Clock::frozen(noon()),
        settings: Arc::new(settings),
        chain: Arc::new(chain),
        witness: None,
        circle: None,
        storage: Arc::new(Nowhere),
        mail: Arc::new(Nowhere),
        assistant: None,
    }
}

/// apalis brings its own tables, and this crate must not know it: what `queue::enqueue` writes is all that is here.
const JOBS: &str = "CREATE TABLE Jobs (job, id TEXT PRIMARY KEY, job_type TEXT, status TEXT, attempts INTEGER, \
    max_attempts INTEGER, run_at INTEGER, priority INTEGER, metadata TEXT, idempotency_key TEXT, \
    UNIQUE (job_type, idempotency_key))";

/// A database, migrated once for all tests.
static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn template() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.db");
    let connection = open(&file).await;
    Migrator::up(&connection, None).await.unwrap();
    connection.execute_unprepared(JOBS).await.unwrap();
    connection.close().await.unwrap();
    std::fs::read(&file).unwrap()
}

/// A copy of it, over one connection that reads and writes: no test may read past its own open transaction. The file has
/// no name any more once it is open, and is gone with the connection.
async fn database() -> Db {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    std::fs::write(&file, TEMPLATE.get_or_init(template).await).unwrap();
    let connection = open(&file).await;
    Db::new(connection.clone(), connection)
}

async fn open(file: &Path) -> DatabaseConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off);
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.acquire_timeout(Duration::from_secs(5)).connect_with(options).await.unwrap();
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

/// Runs statements as nobody but a vandal would.
pub(crate) async fn vandalise(app: &App, statements: &[&str]) {
    for statement in statements {
        app.db.writer().execute_unprepared(statement).await.unwrap();
    }
}

/// Posts a transfer under a key of its own.
pub(crate) async fn post(
    app: &App,
    kind: LedgerTransferKind,
    payment: Option<PaymentId>,
    lines: &[(Account, Usdc)],
) {
    let key = app.clock.new_id::<LedgerTransferId>().to_string();
    let tx = app.db.begin().await.unwrap();
    assert!(ledger::post(app, &tx, kind, &key, payment, lines).await.unwrap());
    tx.commit().await.unwrap();
}

/// The jobs that were queued, by queue and key, in the order of queueing.
pub(crate) async fn queued(app: &App) -> Vec<(String, String)> {
    let rows = "SELECT job_type, idempotency_key FROM Jobs ORDER BY rowid";
    let rows = Statement::from_string(app.db.backend(), rows);
    let rows = app.db.reader().query_all_raw(rows).await.unwrap();
    let text = |row: &QueryResult, column: &str| row.try_get::<String>("", column).unwrap();
    rows.iter().map(|row| (text(row, "job_type"), text(row, "idempotency_key"))).collect()
}

/// Whole USDC.
pub(crate) fn usdc(whole: i64) -> Usdc {
    Usdc::whole(whole).unwrap()
}
