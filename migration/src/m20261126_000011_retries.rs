//! A payment that failed is tried again by another one, once.

use sea_orm_migration::prelude::*;

use crate::helpers::unique;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE payments ADD COLUMN retry_of uuid REFERENCES payments (id)";
        manager.get_connection().execute_unprepared(column).await?;
        unique(manager, "payments", &["retry_of"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        conn.execute_unprepared("DROP INDEX ux_payments_retry_of").await?;
        conn.execute_unprepared("ALTER TABLE payments DROP COLUMN retry_of").await.map(drop)
    }
}
