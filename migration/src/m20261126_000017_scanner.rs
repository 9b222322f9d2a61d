//! Where the scanner began, because it reads some blocks again at each look and nothing before; and what is wrong with the
//! second node, as long as it is.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "chain_cursors";

/// Column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, ColumnDef); 4] {
    [
        ("first_block", big_integer("first_block").default(0).to_owned()),
        ("trouble", string_null("trouble")),
        ("trouble_since", timestamp_with_time_zone_null("trouble_since")),
        ("trouble_told_at", timestamp_with_time_zone_null("trouble_told_at")),
    ]
}

/// A scanner that runs already began before the first transfer that is known, or has found nothing so far.
const BEGUN: &str = "UPDATE chain_cursors SET first_block = COALESCE( \
     (SELECT MIN(t.block_number) - 1 FROM chain_transfers t \
      WHERE t.chain_id = chain_cursors.chain_id AND t.block_number <= chain_cursors.scanned_block), \
     scanned_block)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (_, column) in columns() {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).to_owned()).await?;
        }
        manager.get_connection().execute_unprepared(BEGUN).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(TABLE).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
