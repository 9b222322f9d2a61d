//! Deposits are watched until they are final, and what a reorg does to a transfer after it was booked is kept.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What each table got, column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, &'static str, ColumnDef); 4] {
    [
        ("payments", "final_at", timestamp_with_time_zone_null("final_at")),
        ("chain_transfers", "undone", integer("undone").default(0).to_owned()),
        ("chain_transfers", "moved_at", timestamp_with_time_zone_null("moved_at")),
        ("chain_transfers", "lost_at", timestamp_with_time_zone_null("lost_at")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        // Whether an old deposit is final, its first look finds out.
        let watched =
            "UPDATE payments SET due_at = updated_at WHERE kind = 'DEPOSIT' AND status = 'COMPLETED'";
        manager.get_connection().execute_unprepared(watched).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let unwatched = "UPDATE payments SET due_at = NULL WHERE kind = 'DEPOSIT' AND status = 'COMPLETED'";
        manager.get_connection().execute_unprepared(unwatched).await?;
        for (table, name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
