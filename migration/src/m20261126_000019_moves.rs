//! A move that the treasury's own key signed used a nonce of it: which, so that no payout is signed with it again. Of moves of
//! before nobody noted it: the counter is past them, or the next payout fails for the last of them, once.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "treasury_moves";

/// Column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, ColumnDef); 3] {
    [
        ("sender", string_len_null("sender", 42)),
        ("chain_id", big_integer_null("chain_id")),
        ("nonce", big_integer_null("nonce")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (_, column) in columns() {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(TABLE).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
