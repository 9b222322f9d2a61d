//! The market: projects, proposals, contracts, milestones.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        projects(manager).await?;
        project_skills(manager).await?;
        proposals(manager).await?;
        proposed_milestones(manager).await?;
        fee_schedules(manager).await?;
        contracts(manager).await?;
        milestones(manager).await?;
        submissions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "submissions",
                "milestones",
                "contracts",
                "fee_schedules",
                "proposed_milestones",
                "proposals",
                "project_skills",
                "projects",
            ],
        )
        .await
    }
}

async fn projects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("projects")
                .col(uuid("id").primary_key())
                .col(uuid("client_id"))
                .col(string("title"))
                .col(text("description"))
                .col(uuid("category_id"))
                .col(string_len("budget_type", 32))
                .col(big_integer("budget_min"))
                .col(big_integer("budget_max"))
                .col(string_len("experience_level", 32))
                .col(string_len("status", 32))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("published_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("projects", "client_id", "users"))
                .foreign_key(&mut reference("projects", "category_id", "categories"))
                .check(Expr::cust("budget_min > 0"))
                .check(Expr::cust("budget_min <= budget_max"))
                .to_owned(),
        )
        .await?;
    index(manager, "projects", &["client_id", "id"]).await?;
    index(manager, "projects", &["status", "id"]).await?;
    index(manager, "projects", &["category_id", "id"]).await
}

async fn project_skills(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("project_skills")
                .col(uuid("project_id"))
                .col(uuid("skill_id"))
                .col(integer("position"))
                .primary_key(Index::create().col("project_id").col("skill_id"))
                .foreign_key(&mut reference("project_skills", "project_id", "projects"))
                .foreign_key(&mut reference("project_skills", "skill_id", "skills"))
                .to_owned(),
        )
        .await?;
    index(manager, "project_skills", &["skill_id"]).await
}

async fn proposals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("proposals")
                .col(uuid("id").primary_key())
                .col(uuid("project_id"))
                .col(uuid("freelancer_id"))
                .col(string_len("status", 32))
                .col(text("cover_letter"))
                .col(big_integer("bid"))
                .col(integer_null("estimated_hours"))
                .col(string_len("availability", 32))
                .col(integer("version"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("proposals", "project_id", "projects"))
                .foreign_key(&mut reference("proposals", "freelancer_id", "users"))
                .check(Expr::cust("bid > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "proposals", &["project_id", "freelancer_id"]).await?;
    index(manager, "proposals", &["freelancer_id", "id"]).await?;
    index(manager, "proposals", &["project_id", "id"]).await
}

async fn proposed_milestones(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("proposed_milestones")
                .col(uuid("id").primary_key())
                .col(uuid("proposal_id"))
                .col(integer("position"))
                .col(string("title"))
                .col(big_integer("amount"))
                .col(timestamp_with_time_zone_null("due_at"))
                .foreign_key(&mut reference("proposed_milestones", "proposal_id", "proposals"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "proposed_milestones", &["proposal_id", "position"]).await
}

async fn fee_schedules(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("fee_schedules")
                .col(integer("version").primary_key())
                .col(integer("basis_points"))
                .col(timestamp_with_time_zone("effective_at"))
                .check(Expr::cust("basis_points BETWEEN 0 AND 10000"))
                .to_owned(),
        )
        .await
}

async fn contracts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("contracts")
                .col(uuid("id").primary_key())
                .col(uuid("project_id"))
                .col(uuid("proposal_id"))
                .col(uuid("client_id"))
                .col(uuid("freelancer_id"))
                .col(string_len("status", 32))
                .col(text("description"))
                .col(big_integer("amount"))
                .col(integer("fee_schedule"))
                .col(timestamp_with_time_zone_null("start_at"))
                .col(timestamp_with_time_zone_null("end_at"))
                .col(timestamp_with_time_zone("lapses_at"))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("accepted_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("contracts", "project_id", "projects"))
                .foreign_key(&mut reference("contracts", "proposal_id", "proposals"))
                .foreign_key(&mut reference("contracts", "client_id", "users"))
                .foreign_key(&mut reference("contracts", "freelancer_id", "users"))
                .foreign_key(
                    ForeignKey::create().from("contracts", "fee_schedule").to("fee_schedules", "version"),
                )
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "contracts", &["proposal_id"]).await?;
    index(manager, "contracts", &["project_id"]).await?;
    index(manager, "contracts", &["status", "lapses_at"]).await?;
    index(manager, "contracts", &["client_id", "id"]).await?;
    index(manager, "contracts", &["freelancer_id", "id"]).await
}

async fn milestones(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("milestones")
                .col(uuid("id").primary_key())
                .col(uuid("contract_id"))
                .col(integer("position"))
                .col(string("title"))
                .col(big_integer("amount"))
                .col(string_len("status", 32))
                .col(string_len_null("returns_to", 32))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone_null("auto_release_at"))
                .col(integer("version"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("milestones", "contract_id", "contracts"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "milestones", &["contract_id", "position"]).await
}

async fn submissions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("submissions")
                .col(uuid("id").primary_key())
                .col(uuid("milestone_id"))
                .col(text("note"))
                .col(text_null("feedback"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("submissions", "milestone_id", "milestones"))
                .to_owned(),
        )
        .await?;
    index(manager, "submissions", &["milestone_id"]).await
}
