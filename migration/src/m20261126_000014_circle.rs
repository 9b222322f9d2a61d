//! Circle's rail: its address book, what it is asked to pay, and which of its notifications came.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        recipients(manager).await?;
        payouts(manager).await?;
        notifications(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["circle_notifications", "circle_payouts", "circle_recipients"]).await
    }
}

async fn recipients(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("circle_recipients")
                .col(string("chain"))
                .col(string("address"))
                .col(uuid("idempotency_key"))
                .col(string_null("circle_id"))
                .col(string_null("status"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .primary_key(Index::create().col("chain").col("address"))
                .to_owned(),
        )
        .await?;
    unique(manager, "circle_recipients", &["idempotency_key"]).await?;
    unique(manager, "circle_recipients", &["circle_id"]).await
}

async fn payouts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("circle_payouts")
                .col(uuid("payment_id").primary_key())
                .col(uuid("idempotency_key"))
                .col(string("recipient_id"))
                .col(big_integer("amount"))
                .col(string_null("circle_id"))
                .col(string_null("status"))
                .col(string_null("error_code"))
                .col(text_null("trouble"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("circle_payouts", "payment_id", "payments"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "circle_payouts", &["idempotency_key"]).await?;
    unique(manager, "circle_payouts", &["circle_id"]).await
}

async fn notifications(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("circle_notifications")
                .col(uuid("id").primary_key())
                .col(timestamp_with_time_zone("received_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "circle_notifications", &["received_at"]).await
}
