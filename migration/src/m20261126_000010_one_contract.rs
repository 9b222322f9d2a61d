//! One contract a project that was offered or runs: the database refuses a second one, whoever asks.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "CREATE UNIQUE INDEX ux_contracts_live ON contracts (project_id)
            WHERE status IN ('PENDING', 'ACTIVE', 'PAUSED', 'DISPUTED')";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX ux_contracts_live").await.map(drop)
    }
}
