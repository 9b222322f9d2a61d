//! What Circle took for each payout, and since when it has not known one that it had accepted.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::Statement};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "circle_payouts";

/// Column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, ColumnDef); 2] {
    [
        ("fee", big_integer("fee").default(0).to_owned()),
        ("missing_since", timestamp_with_time_zone_null("missing_since")),
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
        refuse_what_was_booked(manager).await?;
        for (name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(TABLE).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

/// Postings stay, and nothing before this change knows their account.
async fn refuse_what_was_booked(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let booked = "SELECT id FROM ledger_accounts WHERE kind = 'COSTS' LIMIT 1";
    let booked = Statement::from_string(manager.get_database_backend(), booked);
    match manager.get_connection().query_one_raw(booked).await? {
        None => Ok(()),
        Some(_) => Err(DbErr::Migration(
            "what Circle took for payouts stands in the ledger, which nothing before m20261126_000020_circle can read. Restore a \
             backup instead, or give up this database."
                .to_owned(),
        )),
    }
}
