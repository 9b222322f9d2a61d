//! The rows that every deployment starts with: the first fee schedule and the categories.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Name, slug. The ids are fixed, so that every deployment knows a category by the same id.
const CATEGORIES: [(&str, &str); 8] = [
    ("Web", "web"),
    ("Mobile", "mobile"),
    ("Data & Analytics", "data"),
    ("Design", "design"),
    ("Writing", "writing"),
    ("Marketing", "marketing"),
    ("Video & Animation", "video"),
    ("Other", "other"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // 1,000 basis points are the 10% of the fee rule; in force since before the first contract.
        let fees = Query::insert()
            .into_table("fee_schedules")
            .columns(["version", "basis_points", "effective_at"])
            .values_panic([1.into(), 1000.into(), beginning().into()])
            .to_owned();
        manager.execute(fees).await?;
        let mut categories = Query::insert();
        categories.into_table("categories").columns(["id", "name", "slug", "position"]);
        for (position, (name, slug)) in (1_i32..).zip(CATEGORIES) {
            categories.values_panic([
                category_id(position).into(),
                name.into(),
                slug.into(),
                position.into(),
            ]);
        }
        manager.execute(categories).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.execute(Query::delete().from_table("categories").to_owned()).await?;
        manager.execute(Query::delete().from_table("fee_schedules").to_owned()).await
    }
}

/// A UUID of version 8 (our own making) that is the same everywhere.
fn category_id(position: i32) -> uuid::Uuid {
    let mut bytes = *b"megilance/cat\0\0\0";
    bytes[15] = position.to_be_bytes()[3];
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn beginning() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::UNIX_EPOCH
}
