//! The database: a writer and a pool of readers, and the only place that opens a transaction.

use std::ops::Deref;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use crate::error::Result;

/// SQLite: one connection that writes (shared with apalis) and several that read. PostgreSQL: the same
/// pool twice.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
}

impl Db {
    /// From the two pools.
    pub const fn new(writer: DatabaseConnection, readers: DatabaseConnection) -> Self {
        Self { writer, readers }
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
