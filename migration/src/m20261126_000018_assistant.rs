//! The assistant: what each of its services was asked today, and whether it rests. The rows are made here, so that whoever
//! asks finds one to lock.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::drop_tables;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "assistant_meters";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TABLE)
                    .col(string_len("service", 32).primary_key())
                    .col(big_integer("used"))
                    .col(timestamp_with_time_zone_null("resets_at"))
                    .col(integer("failures"))
                    .col(integer("rests"))
                    .col(timestamp_with_time_zone_null("rests_until"))
                    .check(Expr::cust("service IN ('EMBEDDINGS', 'DRAFTS')"))
                    .check(Expr::cust("used >= 0 AND failures >= 0 AND rests >= 0"))
                    .to_owned(),
            )
            .await?;
        let unused = Query::insert()
            .into_table(TABLE)
            .columns(["service", "used", "failures", "rests"])
            .values_panic(["EMBEDDINGS".into(), 0.into(), 0.into(), 0.into()])
            .values_panic(["DRAFTS".into(), 0.into(), 0.into(), 0.into()])
            .to_owned();
        manager.execute(unused).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}
