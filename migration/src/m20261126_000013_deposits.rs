//! Deposits are watched until they are final, what a reorg does to a transfer after it was booked is kept, and what pays
//! nothing has rows of its own.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::Statement};

use crate::helpers::{drop_tables, index, reference};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What each table got, column by column: SQLite adds one at a time.
fn columns() -> [(&'static str, &'static str, ColumnDef); 4] {
    [
        ("payments", "final_at", timestamp_with_time_zone_null("final_at")),
        ("chain_transfers", "undone", integer("undone").default(0).to_owned()),
        ("chain_transfers", "moved_at", timestamp_with_time_zone_null("moved_at")),
        ("chain_transfers", "lost_at", timestamp_with_time_zone_null("lost_at")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        // Whether an old deposit is final, its first look finds out.
        let watched =
            "UPDATE payments SET due_at = updated_at WHERE kind = 'DEPOSIT' AND status = 'COMPLETED'";
        manager.get_connection().execute_unprepared(watched).await?;
        unallocated_deposits(manager).await?;
        for known in [WHOLE, RESTS] {
            manager.get_connection().execute_unprepared(known).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_what_was_decided(manager).await?;
        drop_tables(manager, &["unallocated_deposits"]).await?;
        let unwatched = "UPDATE payments SET due_at = NULL WHERE kind = 'DEPOSIT' AND status = 'COMPLETED'";
        manager.get_connection().execute_unprepared(unwatched).await?;
        for (table, name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

/// Before this change the tables knew neither what an administrator decided nor what a reorg undid: on the way up again that
/// money would be open anew, and be given out twice.
async fn refuse_what_was_decided(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let conn = manager.get_connection();
    for (decided, what) in [
        (
            "SELECT id FROM unallocated_deposits WHERE status <> 'OPEN' LIMIT 1",
            "unallocated money was decided on",
        ),
        (
            "SELECT id FROM chain_transfers WHERE lost_at IS NOT NULL LIMIT 1",
            "a transfer stands on the loss account",
        ),
    ] {
        let decided = Statement::from_string(manager.get_database_backend(), decided);
        if conn.query_one_raw(decided).await?.is_some() {
            return Err(DbErr::Migration(format!(
                "{what}, which the tables before m20261126_000013_deposits cannot hold: going back would open it anew. \
                 Restore a backup instead, or give up this database."
            )));
        }
    }
    Ok(())
}

async fn unallocated_deposits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const TABLE: &str = "unallocated_deposits";
    manager
        .create_table(
            Table::create()
                .table(TABLE)
                .col(uuid("id").primary_key())
                .col(uuid("chain_transfer_id"))
                .col(string("transaction_hash"))
                .col(string("from_address"))
                .col(big_integer("amount"))
                .col(uuid_null("user_id"))
                .col(string_len("reason", 32))
                .col(string_len("status", 32))
                .col(uuid_null("payment_id"))
                .col(uuid_null("resolved_by"))
                .col(timestamp_with_time_zone_null("resolved_at"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(&mut reference(TABLE, "chain_transfer_id", "chain_transfers"))
                .foreign_key(&mut reference(TABLE, "user_id", "users"))
                .foreign_key(&mut reference(TABLE, "payment_id", "payments"))
                .foreign_key(&mut reference(TABLE, "resolved_by", "users"))
                .check(Expr::cust("amount > 0"))
                .to_owned(),
        )
        .await?;
    index(manager, TABLE, &["chain_transfer_id"]).await?;
    index(manager, TABLE, &["payment_id"]).await?;
    index(manager, TABLE, &["user_id"]).await?;
    index(manager, TABLE, &["status"]).await
}

/// What was set aside as a whole before this table was there. Ids of another kind, so they may be the transfers'.
const WHOLE: &str = "INSERT INTO unallocated_deposits (id, chain_transfer_id, transaction_hash, from_address, amount, user_id, \
     reason, status, created_at) \
    SELECT id, id, transaction_hash, from_address, amount, user_id, \
     CASE WHEN user_id IS NULL THEN 'UNKNOWN_SENDER' ELSE 'NO_OPEN_PAYMENT' END, 'OPEN', updated_at \
    FROM chain_transfers WHERE status = 'UNALLOCATED'";

/// The rests of deposits, which only the ledger knew: one of each deposit, by its newest transfer.
const RESTS: &str = "INSERT INTO unallocated_deposits (id, chain_transfer_id, transaction_hash, from_address, amount, user_id, \
     reason, status, created_at) \
    SELECT p.id, c.id, c.transaction_hash, c.from_address, -p.amount, c.user_id, 'REST_BELOW_RETURN', 'OPEN', t.created_at \
    FROM ledger_postings p JOIN ledger_accounts a ON a.id = p.account_id AND a.kind = 'UNALLOCATED' \
     JOIN ledger_transfers t ON t.id = p.transfer_id AND t.kind IN ('DEPOSIT_CREDITED', 'DEPOSIT_RETURNED') \
     JOIN chain_transfers c ON c.id = (SELECT n.id FROM chain_transfers n WHERE n.payment_id = t.payment_id \
      ORDER BY n.block_number DESC, n.log_index DESC LIMIT 1) \
    WHERE p.amount < 0";
