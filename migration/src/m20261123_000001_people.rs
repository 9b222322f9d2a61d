//! Accounts: people, their sessions, wallets and skills.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        users(manager).await?;
        account_tokens(manager).await?;
        sessions(manager).await?;
        wallets(manager).await?;
        wallet_challenges(manager).await?;
        categories(manager).await?;
        skills(manager).await?;
        user_skills(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "user_skills",
                "skills",
                "categories",
                "wallet_challenges",
                "wallets",
                "sessions",
                "account_tokens",
                "users",
            ],
        )
        .await
    }
}

async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("users")
                .col(uuid("id").primary_key())
                .col(string("email"))
                .col(string("email_key"))
                .col(string("password_hash"))
                .col(string("display_name"))
                .col(string_len("role", 32))
                .col(string_null("headline"))
                .col(text_null("bio"))
                .col(string_null("location"))
                .col(string_null("time_zone"))
                .col(big_integer_null("hourly_rate"))
                .col(uuid_null("avatar_id"))
                .col(timestamp_with_time_zone_null("email_verified_at"))
                .col(timestamp_with_time_zone_null("suspended_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
    unique(manager, "users", &["email_key"]).await
}

async fn account_tokens(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("account_tokens")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(string_len("purpose", 32))
                .col(string("token_hash"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("account_tokens", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "account_tokens", &["token_hash"]).await?;
    index(manager, "account_tokens", &["user_id"]).await
}

async fn sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("sessions")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(string("refresh_hash"))
                .col(string_null("previous_refresh_hash"))
                .col(string_null("user_agent"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("refreshed_at"))
                .foreign_key(&mut reference("sessions", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "sessions", &["refresh_hash"]).await?;
    index(manager, "sessions", &["user_id"]).await?;
    index(manager, "sessions", &["previous_refresh_hash"]).await
}

async fn wallets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("wallets")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(string("address"))
                .col(big_integer("chain_id"))
                .col(boolean("is_payout"))
                .col(timestamp_with_time_zone("payouts_from"))
                .col(timestamp_with_time_zone("verified_at"))
                .foreign_key(&mut reference("wallets", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "wallets", &["address"]).await?;
    index(manager, "wallets", &["user_id"]).await
}

async fn wallet_challenges(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("wallet_challenges")
                .col(string("nonce").primary_key())
                .col(uuid("user_id"))
                .col(string("address"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("wallet_challenges", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "wallet_challenges", &["expires_at"]).await
}

async fn categories(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("categories")
                .col(uuid("id").primary_key())
                .col(string("name"))
                .col(string("slug"))
                .col(integer("position"))
                .to_owned(),
        )
        .await?;
    unique(manager, "categories", &["slug"]).await
}

async fn skills(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("skills")
                .col(uuid("id").primary_key())
                .col(string("name"))
                .col(string("name_key"))
                .col(uuid_null("category_id"))
                .col(timestamp_with_time_zone_null("deleted_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("skills", "category_id", "categories"))
                .to_owned(),
        )
        .await?;
    unique(manager, "skills", &["name_key"]).await
}

async fn user_skills(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("user_skills")
                .col(uuid("user_id"))
                .col(uuid("skill_id"))
                .col(integer("proficiency"))
                .col(integer("years"))
                .primary_key(Index::create().col("user_id").col("skill_id"))
                .foreign_key(&mut reference("user_skills", "user_id", "users"))
                .foreign_key(&mut reference("user_skills", "skill_id", "skills"))
                .check(Expr::cust("proficiency BETWEEN 1 AND 5"))
                .check(Expr::cust("years BETWEEN 0 AND 60"))
                .to_owned(),
        )
        .await?;
    index(manager, "user_skills", &["skill_id"]).await
}
