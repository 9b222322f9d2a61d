//! The database: a writer and a pool of readers, and the only place that opens a transaction.

use std::{ops::Deref, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

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
const POSTGRES_POOL: u32 = 16;

impl Db {
    /// Opens the database at a `sqlite:` or `postgres:` URL. A SQLite file is created when its URL says
    /// `?mode=rwc`.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            // The writer first: it switches the file to WAL, which the readers only find.
            let writer = Database::connect(sqlite(url, 1, false)).await?;
            let readers = Database::connect(sqlite(url, SQLITE_READERS, true)).await?;
            return Ok(Self { writer, readers });
        }
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(POSTGRES_POOL)
            .acquire_timeout(Duration::from_secs(10))
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|pg| {
                // A statement that hangs must not hold its locks for ever.
                pg.options([("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "60s")])
                    .application_name("megilance")
            });
        let pool = Database::connect(options).await?;
        Ok(Self { writer: pool.clone(), readers: pool })
    }

    /// Closes every connection, after the statements that run.
    pub async fn close(self) -> Result<()> {
        self.readers.close().await?;
        Ok(self.writer.close().await?)
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
}

/// Money is written: every commit reaches the disk (FULL), and readers never block the writer (WAL).
fn sqlite(url: &str, connections: u32, reads_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                // Two mebibytes a connection, and what does not fit is mapped from the file's cache.
                .pragma("cache_size", "-2000");
            if reads_only {
                sqlite.pragma("query_only", "on")
            } else {
                sqlite.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
            }
        });
    options
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
