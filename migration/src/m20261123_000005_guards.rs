//! What the database itself refuses, whoever asks: a ledger transfer that does not sum to zero, and any
//! change to what was posted.
//!
//! A posting's foreign key to its transfer is checked at commit only, so postings are written first and
//! the transfer row last: writing that row checks the sum, and seals the transfer. Both databases do the
//! same, each in its own words.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SQLITE_UP: &[&str] = &[
    "CREATE TRIGGER ledger_transfer_sums_to_zero BEFORE INSERT ON ledger_transfers
     WHEN (SELECT COUNT(*) < 2 OR SUM(amount) <> 0 FROM ledger_postings WHERE transfer_id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'ledger: the postings of a transfer must sum to zero'); END",
    "CREATE TRIGGER ledger_transfer_is_sealed BEFORE INSERT ON ledger_postings
     WHEN EXISTS (SELECT 1 FROM ledger_transfers WHERE id = NEW.transfer_id)
     BEGIN SELECT RAISE(ABORT, 'ledger: the transfer is sealed'); END",
    "CREATE TRIGGER ledger_postings_keep BEFORE UPDATE ON ledger_postings
     BEGIN SELECT RAISE(ABORT, 'ledger: append only'); END",
    "CREATE TRIGGER ledger_postings_stay BEFORE DELETE ON ledger_postings
     BEGIN SELECT RAISE(ABORT, 'ledger: append only'); END",
    "CREATE TRIGGER ledger_transfers_keep BEFORE UPDATE ON ledger_transfers
     BEGIN SELECT RAISE(ABORT, 'ledger: append only'); END",
    "CREATE TRIGGER ledger_transfers_stay BEFORE DELETE ON ledger_transfers
     BEGIN SELECT RAISE(ABORT, 'ledger: append only'); END",
];

const SQLITE_DOWN: &[&str] = &[
    "DROP TRIGGER ledger_transfer_sums_to_zero",
    "DROP TRIGGER ledger_transfer_is_sealed",
    "DROP TRIGGER ledger_postings_keep",
    "DROP TRIGGER ledger_postings_stay",
    "DROP TRIGGER ledger_transfers_keep",
    "DROP TRIGGER ledger_transfers_stay",
];

const POSTGRES_UP: &[&str] = &[
    "CREATE FUNCTION ledger_transfer_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF (SELECT COUNT(*) < 2 OR SUM(amount) <> 0 FROM ledger_postings WHERE transfer_id = NEW.id) THEN
         RAISE EXCEPTION 'ledger: the postings of a transfer must sum to zero';
       END IF;
       RETURN NEW;
     END $$",
    "CREATE FUNCTION ledger_transfer_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT 1 FROM ledger_transfers WHERE id = NEW.transfer_id) THEN
         RAISE EXCEPTION 'ledger: the transfer is sealed';
       END IF;
       RETURN NEW;
     END $$",
    "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'ledger: append only'; END $$",
    "CREATE TRIGGER ledger_transfer_sums_to_zero BEFORE INSERT ON ledger_transfers
     FOR EACH ROW EXECUTE FUNCTION ledger_transfer_sums_to_zero()",
    "CREATE TRIGGER ledger_transfer_is_sealed BEFORE INSERT ON ledger_postings
     FOR EACH ROW EXECUTE FUNCTION ledger_transfer_is_sealed()",
    "CREATE TRIGGER ledger_postings_keep BEFORE UPDATE OR DELETE ON ledger_postings
     FOR EACH ROW EXECUTE FUNCTION ledger_append_only()",
    "CREATE TRIGGER ledger_transfers_keep BEFORE UPDATE OR DELETE ON ledger_transfers
     FOR EACH ROW EXECUTE FUNCTION ledger_append_only()",
    "CREATE TRIGGER ledger_postings_stay BEFORE TRUNCATE ON ledger_postings
     FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
    "CREATE TRIGGER ledger_transfers_stay BEFORE TRUNCATE ON ledger_transfers
     FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
];

const POSTGRES_DOWN: &[&str] = &[
    "DROP TRIGGER ledger_transfer_sums_to_zero ON ledger_transfers",
    "DROP TRIGGER ledger_transfer_is_sealed ON ledger_postings",
    "DROP TRIGGER ledger_postings_keep ON ledger_postings",
    "DROP TRIGGER ledger_transfers_keep ON ledger_transfers",
    "DROP TRIGGER ledger_postings_stay ON ledger_postings",
    "DROP TRIGGER ledger_transfers_stay ON ledger_transfers",
    "DROP FUNCTION ledger_transfer_sums_to_zero()",
    "DROP FUNCTION ledger_transfer_is_sealed()",
    "DROP FUNCTION ledger_append_only()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, SQLITE_UP, POSTGRES_UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, SQLITE_DOWN, POSTGRES_DOWN).await
    }
}

async fn run(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
