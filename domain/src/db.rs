//! The database: a writer and a pool of readers, and the only place that opens a transaction.

use std::{ops::Deref, str::FromStr, time::Duration};

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::error::Result;

/// SQLite: one connection that writes (shared with apalis) and several that read. PostgreSQL: the same
/// pool twice.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
}

/// Connections that read a SQLite file beside its one writer.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL: requests, workers and apalis' listener share them.
const POSTGRES_POOL: u32 = 20;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a PostgreSQL session is told: nothing of ours takes so long, and what hangs must not hold its locks.
const POSTGRES_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "30s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "60s")];

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Requests and jobs: statements that take long are stopped.
    Serve,
    /// Changes of tables: they may take their time.
    Migrate,
}

impl Db {
    /// Opens the database at a `sqlite:` or `postgres:` URL. A SQLite file is created when its URL says
    /// `?mode=rwc`.
    pub async fn open(url: &str, purpose: Purpose) -> Result<Self> {
        let cannot = |error: sqlx::Error| DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into()));
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(cannot)?
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                // KiB, negative by SQLite's convention.
                .pragma("cache_size", "-2048");
            // Money: what was answered is on the disk. Readers never block the writer.
            let writer =
                options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
            let pool =
                |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
            // One writer: no statement ever meets another's lock. It stays open, or the readers would lose the WAL.
            let writer =
                pool(1).min_connections(1).max_lifetime(None).idle_timeout(None).connect_with(writer);
            let writer = writer.await.map_err(cannot)?;
            let readers =
                pool(SQLITE_READERS).connect_lazy_with(options.read_only(true).pragma("query_only", "ON"));
            return Ok(Self {
                writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
                readers: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
            });
        }
        let mut options = PgConnectOptions::from_str(url).map_err(cannot)?.application_name("megilance");
        if purpose == Purpose::Serve {
            options = options.options(POSTGRES_LIMITS);
        }
        let pool = PgPoolOptions::new().max_connections(POSTGRES_POOL).acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await.map_err(cannot)?;
        let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Ok(Self { writer: pool.clone(), readers: pool })
    }

    /// From two pools that are open already: for tests that watch what is asked.
    pub const fn new(writer: DatabaseConnection, readers: DatabaseConnection) -> Self {
        Self { writer, readers }
    }

    /// Closes every connection, after the statements that run; SQLite then folds its WAL into the file.
    pub async fn close(&self) -> Result<()> {
        self.readers.close_by_ref().await?;
        Ok(self.writer.close_by_ref().await?)
    }

    /// Where reads go that need not see an open transaction.
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// The writer's pool, for apalis and for single statements that stand alone. Never use it while a
    /// [`Tx`] of the same task is open: on SQLite that is the one connection, and it would wait for itself.
    pub const fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Which database it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Opens a transaction. On SQLite it takes the write lock at once: a transaction that reads first and
    /// writes later would otherwise fail as "locked" under load.
    #[expect(clippy::disallowed_methods, reason = "the one place that opens transactions")]
    pub async fn begin(&self) -> Result<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(Tx(self.writer.begin_with_options(options).await?))
    }

    /// Opens a transaction that only reads, and sees the same moment in all its statements: for figures that have to
    /// fit each other. It locks nobody out. End it soon, by dropping it.
    #[expect(clippy::disallowed_methods, reason = "the one place that opens transactions")]
    pub async fn snapshot(&self) -> Result<Tx> {
        let options = match self.backend() {
            // By default each of its statements would see a moment of its own.
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..Default::default()
            },
            // Where a reader stands in the WAL from its first statement on.
            _ => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..Default::default()
            },
        };
        Ok(Tx(self.readers.begin_with_options(options).await?))
    }
}

/// An open transaction: dropped without [`Tx::commit`], it never was.
#[derive(Debug)]
pub struct Tx(DatabaseTransaction);

impl Tx {
    /// Makes everything in it true at once.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}
