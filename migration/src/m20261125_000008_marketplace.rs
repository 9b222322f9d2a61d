//! The rest of the marketplace: amendments, disputes, reviews, portfolios, invitations, saved things, the audit log
//! and the scheduled tasks.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What PostgreSQL calls it; SQLite keeps times as text, under the name that the schema builder gives them.
const TIME: &str = "timestamp with time zone";

/// Columns that tables of earlier migrations get: SQLite takes one a statement.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("users", "availability", "varchar(32)"),
    ("users", "rating", "integer NOT NULL DEFAULT 0"),
    ("users", "review_count", "integer NOT NULL DEFAULT 0"),
    ("users", "suspension_reason", "text"),
    ("skills", "verified_at", "timestamp with time zone"),
    ("categories", "archived_at", "timestamp with time zone"),
    ("projects", "active_at", "timestamp with time zone NOT NULL DEFAULT '2000-01-01 00:00:00+00:00'"),
    ("projects", "expiry_warned_at", "timestamp with time zone"),
    ("projects", "cancel_reason", "text"),
    ("contracts", "paused_at", "timestamp with time zone"),
    ("contracts", "end_reason", "text"),
    ("contracts", "ended_by", "uuid REFERENCES users (id)"),
    ("milestones", "release_reminded_at", "timestamp with time zone"),
    ("payments", "dispute_id", "uuid REFERENCES disputes (id)"),
    ("ledger_accounts", "contract_id", "uuid REFERENCES contracts (id)"),
];

/// At the most one of these states a contract: the database refuses a second one, whoever asks.
const ONE_OPEN: &[&str] = &[
    "CREATE UNIQUE INDEX ux_contract_amendments_open ON contract_amendments (contract_id) WHERE status = 'PROPOSED'",
    "CREATE UNIQUE INDEX ux_disputes_open ON disputes (contract_id) WHERE status IN ('OPEN', 'IN_REVIEW', 'ESCALATED')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        amendments(manager).await?;
        disputes(manager).await?;
        reviews(manager).await?;
        portfolio(manager).await?;
        saved(manager).await?;
        invitations(manager).await?;
        scheduled_tasks(manager).await?;
        let conn = manager.get_connection();
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        for (table, column, kind) in COLUMNS {
            let kind =
                if sqlite { kind.replace(TIME, "timestamp_with_timezone_text") } else { (*kind).to_owned() };
            conn.execute_unprepared(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}")).await?;
        }
        conn.execute_unprepared("UPDATE projects SET active_at = updated_at").await?;
        for statement in ONE_OPEN {
            conn.execute_unprepared(statement).await?;
        }
        index(manager, "projects", &["status", "active_at"]).await?;
        index(manager, "milestones", &["status", "auto_release_at"]).await?;
        index(manager, "payments", &["dispute_id"]).await?;
        index(manager, "users", &["role", "rating", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        for name in [
            "ix_projects_status_active_at",
            "ix_milestones_status_auto_release_at",
            "ix_payments_dispute_id",
            "ix_users_role_rating_id",
        ] {
            conn.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        for (table, column, _) in COLUMNS.iter().rev() {
            conn.execute_unprepared(&format!("ALTER TABLE {table} DROP COLUMN {column}")).await?;
        }
        drop_tables(
            manager,
            &[
                "scheduled_tasks",
                "invitations",
                "saved_freelancers",
                "saved_projects",
                "portfolio_items",
                "reviews",
                "dispute_evidence",
                "disputes",
                "amendment_changes",
                "contract_amendments",
            ],
        )
        .await
    }
}

async fn amendments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("contract_amendments")
                .col(uuid("id").primary_key())
                .col(uuid("contract_id"))
                .col(uuid("proposed_by"))
                .col(string_len("status", 32))
                .col(text("reason"))
                .col(text_null("description"))
                .col(timestamp_with_time_zone_null("end_at"))
                .col(big_integer("amount_before"))
                .col(big_integer("amount"))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("contract_amendments", "contract_id", "contracts"))
                .foreign_key(&mut reference("contract_amendments", "proposed_by", "users"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    index(manager, "contract_amendments", &["contract_id", "id"]).await?;
    manager
        .create_table(
            Table::create()
                .table("amendment_changes")
                .col(uuid("id").primary_key())
                .col(uuid("amendment_id"))
                .col(integer("position"))
                .col(string_len("kind", 32))
                .col(uuid_null("milestone_id"))
                .col(string_null("title"))
                .col(big_integer_null("amount"))
                .col(timestamp_with_time_zone_null("due_at"))
                .foreign_key(&mut reference("amendment_changes", "amendment_id", "contract_amendments"))
                .foreign_key(&mut reference("amendment_changes", "milestone_id", "milestones"))
                .check(Expr::cust("amount IS NULL OR amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "amendment_changes", &["amendment_id", "position"]).await
}

async fn disputes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("disputes")
                .col(uuid("id").primary_key())
                .col(uuid("contract_id"))
                .col(uuid("milestone_id"))
                .col(uuid("opened_by"))
                .col(string_len("kind", 32))
                .col(string_len("status", 32))
                .col(text("description"))
                .col(uuid_null("taken_by"))
                .col(text_null("escalation_note"))
                .col(uuid_null("resolved_by"))
                .col(text_null("resolution"))
                .col(big_integer_null("refund_amount"))
                .col(big_integer_null("release_amount"))
                .col(boolean("ends_contract"))
                .col(timestamp_with_time_zone_null("auto_release_at"))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("taken_at"))
                .col(timestamp_with_time_zone_null("escalated_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("disputes", "contract_id", "contracts"))
                .foreign_key(&mut reference("disputes", "milestone_id", "milestones"))
                .foreign_key(&mut reference("disputes", "opened_by", "users"))
                .foreign_key(&mut reference("disputes", "taken_by", "users"))
                .foreign_key(&mut reference("disputes", "resolved_by", "users"))
                .check(Expr::cust("refund_amount IS NULL OR refund_amount >= 0"))
                .check(Expr::cust("release_amount IS NULL OR release_amount >= 0"))
                .to_owned(),
        )
        .await?;
    index(manager, "disputes", &["contract_id", "id"]).await?;
    index(manager, "disputes", &["milestone_id"]).await?;
    index(manager, "disputes", &["status", "id"]).await?;
    manager
        .create_table(
            Table::create()
                .table("dispute_evidence")
                .col(uuid("id").primary_key())
                .col(uuid("dispute_id"))
                .col(uuid("author_id"))
                .col(text("note"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("dispute_evidence", "dispute_id", "disputes"))
                .foreign_key(&mut reference("dispute_evidence", "author_id", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "dispute_evidence", &["dispute_id", "id"]).await
}

async fn reviews(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("reviews")
        .col(uuid("id").primary_key())
        .col(uuid("contract_id"))
        .col(uuid("author_id"))
        .col(uuid("subject_id"));
    // Tenths: 45 is 4.5.
    for score in ["rating", "skill", "quality", "communication", "deadline", "cooperation"] {
        table.col(integer(score)).check(Expr::cust(format!("{score} BETWEEN 10 AND 50 AND {score} % 5 = 0")));
    }
    table
        .col(text("comment"))
        .col(text_null("answer"))
        .col(timestamp_with_time_zone_null("answered_at"))
        .col(timestamp_with_time_zone("reveal_at"))
        .col(timestamp_with_time_zone_null("shown_at"))
        .col(integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut reference("reviews", "contract_id", "contracts"))
        .foreign_key(&mut reference("reviews", "author_id", "users"))
        .foreign_key(&mut reference("reviews", "subject_id", "users"));
    manager.create_table(table.to_owned()).await?;
    unique(manager, "reviews", &["contract_id", "author_id"]).await?;
    index(manager, "reviews", &["subject_id", "id"]).await?;
    index(manager, "reviews", &["shown_at", "reveal_at"]).await
}

async fn portfolio(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("portfolio_items")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(string("title"))
                .col(text("description"))
                .col(string_null("link"))
                .col(integer("version"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("portfolio_items", "user_id", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "portfolio_items", &["user_id", "id"]).await
}

async fn saved(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for (name, column, parent) in
        [("saved_projects", "project_id", "projects"), ("saved_freelancers", "freelancer_id", "users")]
    {
        manager
            .create_table(
                Table::create()
                    .table(name)
                    .col(uuid("user_id"))
                    .col(uuid(column))
                    .col(big_integer("saved_micros"))
                    .col(timestamp_with_time_zone("created_at"))
                    .primary_key(Index::create().col("user_id").col(column))
                    .foreign_key(&mut reference(name, "user_id", "users"))
                    .foreign_key(&mut reference(name, column, parent))
                    .to_owned(),
            )
            .await?;
        index(manager, name, &[column]).await?;
    }
    Ok(())
}

async fn invitations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("invitations")
                .col(uuid("id").primary_key())
                .col(uuid("project_id"))
                .col(uuid("client_id"))
                .col(uuid("freelancer_id"))
                .col(string_len("status", 32))
                .col(text("message"))
                .col(integer("version"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("invitations", "project_id", "projects"))
                .foreign_key(&mut reference("invitations", "client_id", "users"))
                .foreign_key(&mut reference("invitations", "freelancer_id", "users"))
                .to_owned(),
        )
        .await?;
    unique(manager, "invitations", &["project_id", "freelancer_id"]).await?;
    index(manager, "invitations", &["freelancer_id", "id"]).await
}

async fn scheduled_tasks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("scheduled_tasks")
                .col(string("name").primary_key())
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone_null("last_started_at"))
                .col(timestamp_with_time_zone_null("last_finished_at"))
                .col(big_integer_null("last_count"))
                .col(text_null("last_error"))
                .col(big_integer("runs"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "scheduled_tasks", &["due_at"]).await
}
