//! What one person asked of the assistant today, so that nobody uses up what is there for all; and an index of the transfers
//! that a reorg touched, which each look of the scanner asks for.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "assistant_shares";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TABLE)
                    // No foreign key: who writes here holds the service's meter, and waits for nobody's account.
                    .col(uuid("user_id").primary_key())
                    .col(big_integer("used"))
                    .col(timestamp_with_time_zone("resets_at"))
                    .check(Expr::cust("used >= 0"))
                    .to_owned(),
            )
            .await?;
        index(manager, TABLE, &["resets_at"]).await?;
        index(manager, "chain_transfers", &["moved_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moved = Index::drop().name("ix_chain_transfers_moved_at").table("chain_transfers").to_owned();
        manager.drop_index(moved).await?;
        drop_tables(manager, &[TABLE]).await
    }
}
