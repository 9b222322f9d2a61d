//! Opening the database, and bringing its tables up to date.

use std::collections::HashSet;

use domain::{Db, Purpose, queue, search};
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use secrecy::{ExposeSecret as _, SecretString};

use crate::Result;

/// The tables that no entity stands for and that yet belong here: the queue's, the migrations' own, and SQLite's
/// index of words, whose virtual tables keep their data in others.
const OTHERS: [&str; 12] = [
    "seaql_migrations",
    "_sqlx_migrations",
    "jobs",
    "workers",
    "project_words",
    "project_words_config",
    "project_words_data",
    "project_words_idx",
    "user_words",
    "user_words_config",
    "user_words_data",
    "user_words_idx",
];

/// Opens the database, and refuses one that is somebody else's.
pub(crate) async fn open(url: &SecretString, purpose: Purpose) -> Result<Db> {
    let db =
        Db::open(url.expose_secret(), purpose).await.map_err(|error| format!("DATABASE_URL: {error}"))?;
    refuse_foreign(&db).await?;
    Ok(db)
}

/// Closes all connections; SQLite then folds its WAL into the file.
pub(crate) async fn close(db: &Db) -> Result<()> {
    Ok(db.close().await?)
}

/// Refuses a database with tables of somebody else: migrating there could only do harm.
async fn refuse_foreign(db: &Db) -> Result<()> {
    let tables = tables(db.writer()).await?;
    let ours = known_tables();
    let foreign: Vec<&str> =
        tables.iter().map(String::as_str).filter(|table| !ours.contains(&table.to_lowercase())).collect();
    if !foreign.is_empty() {
        return Err(format!(
            "the database of DATABASE_URL has tables that are not MegiLance's ({}): give it a database of its own",
            some(&foreign)
        )
        .into());
    }
    let known: HashSet<String> =
        Migrator::migrations().iter().map(|change| change.name().to_owned()).collect();
    let applied = applied(db.writer(), &tables).await?;
    let newer: Vec<&str> = applied.iter().map(String::as_str).filter(|name| !known.contains(*name)).collect();
    if newer.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the database has changes that this version does not know ({}): it belongs to a newer version",
        some(&newer)
    )
    .into())
}

fn some(names: &[&str]) -> String {
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{shown}, ...") } else { shown }
}

/// Every table that may be there, in lower case.
fn known_tables() -> HashSet<String> {
    domain::entities::tables().into_iter().chain(OTHERS).map(str::to_owned).collect()
}

async fn tables(conn: &DatabaseConnection) -> Result<Vec<String>> {
    let backend = conn.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            // What an extension brought is not foreign; apalis' tables have a schema of their own.
            "SELECT c.relname::text AS name FROM pg_class c WHERE c.relkind IN ('r', 'p')
             AND c.relnamespace = current_schema()::regnamespace
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        }
        _ => r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'",
    };
    let rows = conn.query_all_raw(Statement::from_string(backend, sql)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "name")?)).collect()
}

async fn applied(conn: &DatabaseConnection, tables: &[String]) -> Result<Vec<String>> {
    if !tables.iter().any(|table| table == "seaql_migrations") {
        return Ok(Vec::new());
    }
    let statement =
        Statement::from_string(conn.get_database_backend(), "SELECT version FROM seaql_migrations");
    let rows = conn.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}

/// Every change of this version, with whether the database has it.
pub(crate) async fn status(db: &Db) -> Result<Vec<(String, bool)>> {
    let changes = Migrator::get_migration_with_status_read_only(db.reader()).await?;
    let applied = migration::MigrationStatus::Applied;
    Ok(changes.iter().map(|change| (change.name().to_owned(), change.status() == applied)).collect())
}

/// The changes that the database does not have yet.
pub(crate) async fn pending(db: &Db) -> Result<Vec<String>> {
    Ok(status(db).await?.into_iter().filter(|(_, applied)| !applied).map(|(name, _)| name).collect())
}

/// Whether the queue's own tables are there.
pub(crate) async fn has_queue(db: &Db) -> bool {
    queue::last_beat(db).await.is_ok()
}

/// Refuses a database that this version cannot work with yet.
pub(crate) async fn require_migrated(db: &Db) -> Result<()> {
    let pending = pending(db).await?;
    if pending.is_empty() && has_queue(db).await {
        return Ok(());
    }
    Err("the database is not up to date: run `megilance migrate up` first (`megilance migrate status` shows more)".into())
}

/// Makes all changes, ours and the queue's, and has the search know everything that it does not know yet.
pub(crate) async fn migrate(db: &Db) -> Result<()> {
    Migrator::up(db.writer(), None).await?;
    jobs::migrate(db).await?;
    search::fill(db).await?;
    Ok(())
}

/// Takes back our newest changes, or all of them.
pub(crate) async fn migrate_down(db: &Db, steps: Option<u32>) -> Result<()> {
    Ok(Migrator::down(db.writer(), steps).await?)
}
