//! The audit log: what administrators and the command line did. Append only, each entry bound to the one before it by
//! its hash; the head says where the chain ends. And what administrators need beside it: indexes for their lists and
//! figures, and fees that stay as they were set.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::helpers::{drop_tables, index, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// By what administrators look for things, and count them.
const INDEXES: &[(&str, &[&str])] = &[
    ("users", &["created_at", "role"]),
    ("users", &["suspended_at"]),
    ("users", &["display_name", "id"]),
    ("projects", &["published_at"]),
    ("proposals", &["created_at"]),
    ("contracts", &["accepted_at"]),
    ("contracts", &["ended_at"]),
    ("contracts", &["status", "id"]),
    ("payments", &["completed_at"]),
    ("payments", &["status", "id"]),
    ("disputes", &["created_at"]),
];

const SQLITE_UP: &[&str] = &[
    "CREATE TRIGGER fee_schedules_keep BEFORE UPDATE ON fee_schedules
     BEGIN SELECT RAISE(ABORT, 'fee schedules are never changed: add one'); END",
    "CREATE TRIGGER fee_schedules_stay BEFORE DELETE ON fee_schedules
     BEGIN SELECT RAISE(ABORT, 'fee schedules are never changed: add one'); END",
    "CREATE TRIGGER audit_entries_keep BEFORE UPDATE ON audit_entries
     BEGIN SELECT RAISE(ABORT, 'audit log: append only'); END",
    "CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
     BEGIN SELECT RAISE(ABORT, 'audit log: append only'); END",
];

const POSTGRES_UP: &[&str] = &[
    "CREATE FUNCTION fee_schedules_stay() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'fee schedules are never changed: add one'; END $$",
    "CREATE TRIGGER fee_schedules_keep BEFORE UPDATE OR DELETE ON fee_schedules
     FOR EACH ROW EXECUTE FUNCTION fee_schedules_stay()",
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'audit log: append only'; END $$",
    "CREATE TRIGGER audit_entries_keep BEFORE UPDATE OR DELETE ON audit_entries
     FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON audit_entries
     FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
];

const SQLITE_DOWN: &[&str] = &["DROP TRIGGER fee_schedules_stay", "DROP TRIGGER fee_schedules_keep"];

const POSTGRES_DOWN: &[&str] = &[
    "DROP TRIGGER fee_schedules_keep ON fee_schedules",
    "DROP FUNCTION fee_schedules_stay()",
    "DROP FUNCTION audit_append_only()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_entries")
                    .col(uuid("id").primary_key())
                    .col(big_integer("sequence"))
                    .col(uuid_null("actor_id"))
                    .col(string_len("action", 64))
                    .col(string_null("subject"))
                    .col(text("details"))
                    .col(string_len("previous_hash", 64))
                    .col(string_len("hash", 64))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(ForeignKey::create().from("audit_entries", "actor_id").to("users", "id"))
                    .to_owned(),
            )
            .await?;
        unique(manager, "audit_entries", &["sequence"]).await?;
        for column in ["actor_id", "subject", "action"] {
            index(manager, "audit_entries", &[column, "sequence"]).await?;
        }
        index(manager, "audit_entries", &["created_at"]).await?;
        manager
            .create_table(
                Table::create()
                    .table("audit_heads")
                    .col(integer("id").primary_key())
                    .col(big_integer("sequence"))
                    .col(string_len("hash", 64))
                    .check(Expr::cust("id = 1"))
                    .to_owned(),
            )
            .await?;
        // The chain begins at nothing: 64 zeros.
        let head = Query::insert()
            .into_table("audit_heads")
            .columns(["id", "sequence", "hash"])
            .values_panic([1.into(), 0_i64.into(), "0".repeat(64).into()])
            .to_owned();
        manager.execute(head).await?;
        for (table, columns) in INDEXES {
            index(manager, table, columns).await?;
        }
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES_UP,
            _ => SQLITE_UP,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        // Dropping a table drops its triggers; it is no deletion of rows.
        drop_tables(manager, &["audit_heads", "audit_entries"]).await?;
        for (table, columns) in INDEXES {
            conn.execute_unprepared(&format!("DROP INDEX ix_{table}_{}", columns.join("_"))).await?;
        }
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES_DOWN,
            _ => SQLITE_DOWN,
        };
        for statement in statements {
            conn.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
