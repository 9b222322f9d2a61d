//! What two rails need to be safe from each other: whether Circle may still get an asking that nobody heard the answer of, each move
//! of money once, comparisons of both rails, and decisions that are approved as a whole.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::helpers::{drop_tables, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What each table got, column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, &'static str, ColumnDef); 5] {
    [
        ("payments", "decision_total", big_integer_null("decision_total")),
        ("circle_payouts", "asks", integer("asks").default(0).to_owned()),
        ("circle_payouts", "doubt_until", timestamp_with_time_zone_null("doubt_until")),
        ("reconciliations", "rail", string_len("rail", 32).default("CHAIN").to_owned()),
        ("reconciliations", "acknowledged", boolean("acknowledged").default(false).to_owned()),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        let redirected = "ALTER TABLE payments ADD COLUMN redirected_by uuid REFERENCES users (id)";
        // Nobody noted which askings were answered, and one may be under way just now: ten minutes is what a new one gets.
        let later = match manager.get_database_backend() {
            DbBackend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+10 minutes')",
            _ => "CURRENT_TIMESTAMP + INTERVAL '10 minutes'",
        };
        let doubted = format!("UPDATE circle_payouts SET doubt_until = {later} WHERE circle_id IS NULL");
        // Money that an administrator lets go although some is missing goes on.
        let known = "UPDATE reconciliations SET acknowledged = TRUE WHERE outcome = 'LESS'
            AND id = (SELECT id FROM reconciliations WHERE outcome <> 'SKIPPED' ORDER BY id DESC LIMIT 1)
            AND NOT EXISTS (SELECT 1 FROM treasury_switch WHERE paused_at IS NOT NULL)";
        for change in [redirected, &doubted, known] {
            manager.get_connection().execute_unprepared(change).await?;
        }
        treasury_moves(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["treasury_moves"]).await?;
        // Rows of the other rail would read as the chain's.
        let others = "DELETE FROM reconciliations WHERE rail <> 'CHAIN'";
        let redirected = "ALTER TABLE payments DROP COLUMN redirected_by";
        for change in [others, redirected] {
            manager.get_connection().execute_unprepared(change).await?;
        }
        for (table, name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

async fn treasury_moves(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const TABLE: &str = "treasury_moves";
    manager
        .create_table(
            Table::create()
                .table(TABLE)
                .col(uuid("id").primary_key())
                .col(string_len("from_rail", 32))
                .col(string_len("to_rail", 32))
                .col(big_integer("amount"))
                .col(string("reference"))
                .col(big_integer_null("block_number"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .foreign_key(&mut reference(TABLE, "recorded_by", "users"))
                .check(Expr::cust("amount > 0"))
                .check(Expr::cust("from_rail <> to_rail"))
                .to_owned(),
        )
        .await?;
    unique(manager, TABLE, &["from_rail", "reference"]).await
}
