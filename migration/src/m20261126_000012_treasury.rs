//! The treasury: the switch that pauses all outgoing money (one row, made here), and what each comparison of the books with
//! the chain found.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("treasury_switch")
                    .col(integer("id").primary_key())
                    .col(timestamp_with_time_zone_null("paused_at"))
                    .col(uuid_null("paused_by"))
                    .col(text_null("reason"))
                    .col(integer("version"))
                    .foreign_key(&mut reference("treasury_switch", "paused_by", "users"))
                    .check(Expr::cust("id = 1"))
                    .check(Expr::cust("(paused_at IS NULL) = (reason IS NULL)"))
                    .to_owned(),
            )
            .await?;
        let open = Query::insert()
            .into_table("treasury_switch")
            .columns(["id", "version"])
            .values_panic([1.into(), 0.into()])
            .to_owned();
        manager.execute(open).await?;
        manager
            .create_table(
                Table::create()
                    .table("reconciliations")
                    .col(uuid("id").primary_key())
                    .col(string_len("outcome", 32))
                    .col(big_integer_null("block_number"))
                    .col(string_null("block_hash"))
                    .col(big_integer_null("on_chain"))
                    .col(big_integer_null("expected"))
                    .col(big_integer_null("difference"))
                    .col(text_null("reason"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        index(manager, "reconciliations", &["outcome", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["reconciliations", "treasury_switch"]).await
    }
}
