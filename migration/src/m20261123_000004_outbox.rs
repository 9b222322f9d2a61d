//! Files, notifications, mails and events.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        uploads(manager).await?;
        object_deletions(manager).await?;
        notifications(manager).await?;
        mails(manager).await?;
        events(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["events", "mails", "notifications", "object_deletions", "uploads"]).await
    }
}

async fn uploads(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("uploads")
                .col(uuid("id").primary_key())
                .col(uuid("owner_id"))
                .col(string_len("purpose", 32))
                .col(string("filename"))
                .col(string("content_type"))
                .col(big_integer("byte_size"))
                .col(string_len("status", 32))
                .col(string_null("rejection_reason"))
                .col(string("object_key"))
                .col(string_null("etag"))
                .col(string_null("attached_to"))
                .col(integer("version"))
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("uploads", "owner_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "uploads", &["object_key"]).await?;
    index(manager, "uploads", &["owner_id", "id"]).await?;
    index(manager, "uploads", &["attached_to"]).await?;
    index(manager, "uploads", &["due_at"]).await
}

async fn object_deletions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("object_deletions")
                .col(uuid("id").primary_key())
                .col(string("object_key"))
                .col(timestamp_with_time_zone_null("done_at"))
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "object_deletions", &["due_at"]).await
}

async fn notifications(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("notifications")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(string_len("kind", 32))
                .col(string_len("priority", 32))
                .col(string("title"))
                .col(text("body"))
                .col(string_null("subject"))
                .col(string("event_key"))
                .col(timestamp_with_time_zone_null("read_at"))
                .col(timestamp_with_time_zone_null("expires_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("notifications", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "notifications", &["event_key"]).await?;
    index(manager, "notifications", &["user_id", "id"]).await
}

async fn mails(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("mails")
                .col(uuid("id").primary_key())
                .col(uuid_null("user_id"))
                .col(string("to_address"))
                .col(string_len("kind", 32))
                .col(string("subject"))
                .col(text("html"))
                .col(text("text"))
                .col(string("message_id"))
                .col(string_len("status", 32))
                .col(string_null("last_error"))
                .col(integer("attempts"))
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone_null("sent_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("mails", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "mails", &["message_id"]).await?;
    index(manager, "mails", &["due_at"]).await
}

async fn events(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("events")
                .col(big_integer("id").auto_increment().primary_key())
                .col(string_len("kind", 32))
                .col(uuid("subject_id"))
                .col(uuid_null("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("events", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "events", &["created_at"]).await
}
