//! Money: payments, what the chain showed, what the treasury signed, the ledger.

use sea_orm_migration::{prelude::*, schema::*};

use crate::helpers::{drop_tables, index, reference, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        payments(manager).await?;
        deposit_hints(manager).await?;
        chain_transfers(manager).await?;
        chain_transactions(manager).await?;
        chain_nonces(manager).await?;
        chain_cursors(manager).await?;
        ledger_accounts(manager).await?;
        ledger_transfers(manager).await?;
        ledger_postings(manager).await?;
        idempotency_keys(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(
            manager,
            &[
                "idempotency_keys",
                "ledger_postings",
                "ledger_transfers",
                "ledger_accounts",
                "chain_cursors",
                "chain_nonces",
                "chain_transactions",
                "chain_transfers",
                "deposit_hints",
                "payments",
            ],
        )
        .await
    }
}

async fn payments(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("payments")
                .col(uuid("id").primary_key())
                .col(string_len("kind", 32))
                .col(string_len("status", 32))
                .col(string_len("rail", 32))
                .col(uuid_null("contract_id"))
                .col(uuid_null("milestone_id"))
                .col(uuid_null("payer_id"))
                .col(uuid_null("payee_id"))
                .col(uuid_null("started_by"))
                .col(big_integer("amount"))
                .col(big_integer("fee"))
                .col(big_integer("net"))
                .col(text_null("reason"))
                .col(string_null("destination"))
                .col(string_null("deposit_address"))
                .col(timestamp_with_time_zone_null("expires_at"))
                .col(integer_null("required_confirmations"))
                .col(string_null("hold_reason"))
                .col(string_null("failure_reason"))
                .col(uuid_null("linked_payment_id"))
                .col(integer("version"))
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .col(timestamp_with_time_zone_null("completed_at"))
                .foreign_key(&mut reference("payments", "contract_id", "contracts"))
                .foreign_key(&mut reference("payments", "milestone_id", "milestones"))
                .foreign_key(&mut reference("payments", "payer_id", "users"))
                .foreign_key(&mut reference("payments", "payee_id", "users"))
                .foreign_key(&mut reference("payments", "started_by", "users"))
                .check(Expr::cust("amount > 0"))
                .check(Expr::cust("fee >= 0"))
                .check(Expr::cust("net >= 0"))
                .check(Expr::cust("amount = fee + net"))
                .to_owned(),
        )
        .await?;
    index(manager, "payments", &["milestone_id"]).await?;
    index(manager, "payments", &["contract_id", "id"]).await?;
    index(manager, "payments", &["payer_id", "id"]).await?;
    index(manager, "payments", &["payee_id", "id"]).await?;
    index(manager, "payments", &["linked_payment_id"]).await?;
    index(manager, "payments", &["due_at"]).await
}

async fn deposit_hints(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("deposit_hints")
                .col(uuid("payment_id"))
                .col(string("transaction_hash"))
                .col(uuid("reported_by"))
                .col(string_null("outcome"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("payment_id").col("transaction_hash"))
                .foreign_key(&mut reference("deposit_hints", "payment_id", "payments"))
                .foreign_key(&mut reference("deposit_hints", "reported_by", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "deposit_hints", &["transaction_hash"]).await
}

async fn chain_transfers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("chain_transfers")
                .col(uuid("id").primary_key())
                .col(big_integer("chain_id"))
                .col(string("transaction_hash"))
                .col(integer("log_index"))
                .col(string("from_address"))
                .col(string("to_address"))
                .col(big_integer("amount"))
                .col(big_integer("block_number"))
                .col(string("block_hash"))
                .col(timestamp_with_time_zone("block_time"))
                .col(string_len("status", 32))
                .col(uuid_null("user_id"))
                .col(uuid_null("payment_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("chain_transfers", "user_id", "users"))
                .foreign_key(&mut reference("chain_transfers", "payment_id", "payments"))
                .check(Expr::cust("amount > 0"))
                .check(Expr::cust("log_index >= 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "chain_transfers", &["chain_id", "transaction_hash", "log_index"]).await?;
    index(manager, "chain_transfers", &["payment_id"]).await?;
    index(manager, "chain_transfers", &["block_number"]).await?;
    index(manager, "chain_transfers", &["status"]).await
}

async fn chain_transactions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("chain_transactions")
                .col(uuid("id").primary_key())
                .col(uuid("payment_id"))
                .col(big_integer("chain_id"))
                .col(big_integer("nonce"))
                .col(string("hash"))
                .col(blob("raw"))
                .col(string("to_address"))
                .col(big_integer("amount"))
                .col(big_integer("max_fee_per_gas"))
                .col(big_integer("max_priority_fee_per_gas"))
                .col(big_integer("gas_limit"))
                .col(string_len("status", 32))
                .col(big_integer_null("block_number"))
                .col(string_null("block_hash"))
                .col(string_null("gas_fee_wei"))
                .col(timestamp_with_time_zone_null("broadcast_at"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(&mut reference("chain_transactions", "payment_id", "payments"))
                .check(Expr::cust("nonce >= 0"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    unique(manager, "chain_transactions", &["hash"]).await?;
    index(manager, "chain_transactions", &["payment_id"]).await?;
    index(manager, "chain_transactions", &["chain_id", "nonce"]).await
}

async fn chain_nonces(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("chain_nonces")
                .col(string("address"))
                .col(big_integer("chain_id"))
                .col(big_integer("next_nonce"))
                .primary_key(Index::create().col("address").col("chain_id"))
                .check(Expr::cust("next_nonce >= 0"))
                .to_owned(),
        )
        .await
}

async fn chain_cursors(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("chain_cursors")
                .col(big_integer("chain_id").primary_key())
                .col(big_integer("scanned_block"))
                .col(string("block_hash"))
                .col(integer("look"))
                .col(timestamp_with_time_zone_null("due_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .to_owned(),
        )
        .await
}

async fn ledger_accounts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("ledger_accounts")
                .col(uuid("id").primary_key())
                .col(string_len("kind", 32))
                .col(string("key"))
                .col(uuid_null("user_id"))
                .col(uuid_null("milestone_id"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("ledger_accounts", "user_id", "users"))
                .foreign_key(&mut reference("ledger_accounts", "milestone_id", "milestones"))
                .to_owned(),
        )
        .await?;
    unique(manager, "ledger_accounts", &["key"]).await?;
    index(manager, "ledger_accounts", &["user_id"]).await?;
    index(manager, "ledger_accounts", &["milestone_id"]).await
}

async fn ledger_transfers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("ledger_transfers")
                .col(uuid("id").primary_key())
                .col(string_len("kind", 32))
                .col(string("key"))
                .col(uuid_null("payment_id"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference("ledger_transfers", "payment_id", "payments"))
                .to_owned(),
        )
        .await?;
    unique(manager, "ledger_transfers", &["key"]).await?;
    index(manager, "ledger_transfers", &["payment_id"]).await
}

/// By hand, because a deferred foreign key is beyond the schema builder: it is checked at commit, so the
/// postings come first and the transfer that seals them last. Both databases read this text alike.
async fn ledger_postings(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE TABLE ledger_postings (
                id uuid NOT NULL PRIMARY KEY,
                transfer_id uuid NOT NULL REFERENCES ledger_transfers (id) DEFERRABLE INITIALLY DEFERRED,
                account_id uuid NOT NULL REFERENCES ledger_accounts (id),
                amount bigint NOT NULL CHECK (amount <> 0)
            )",
        )
        .await?;
    index(manager, "ledger_postings", &["transfer_id"]).await?;
    index(manager, "ledger_postings", &["account_id"]).await
}

async fn idempotency_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("idempotency_keys")
                .col(uuid("actor_id"))
                .col(string("mutation"))
                .col(uuid("key"))
                .col(string("input_hash"))
                .col(json_binary("result"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("actor_id").col("mutation").col("key"))
                .foreign_key(&mut reference("idempotency_keys", "actor_id", "users"))
                .to_owned(),
        )
        .await?;
    index(manager, "idempotency_keys", &["created_at"]).await
}
