//! One file a change, up and down, on SQLite and PostgreSQL alike.
//!
//! Files are added, never edited after a release. apalis keeps its own tables: `jobs::migrate` brings them.

use sea_orm_migration::prelude::*;

mod helpers;
mod m20261123_000001_people;
mod m20261123_000002_market;
mod m20261123_000003_money;
mod m20261123_000004_outbox;
mod m20261123_000005_guards;
mod m20261123_000006_basics;
mod m20261125_000007_search;
mod m20261125_000008_marketplace;
mod m20261125_000009_audit;
mod m20261126_000010_one_contract;
mod m20261126_000011_retries;
mod m20261126_000012_treasury;
mod m20261126_000013_deposits;
mod m20261126_000014_circle;
mod m20261126_000015_approvals;
mod m20261126_000016_rails;
mod m20261126_000017_scanner;
mod m20261126_000018_assistant;
mod m20261126_000019_moves;
mod m20261126_000020_circle;
mod m20261126_000021_shares;

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

/// Every change, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_people::Migration),
            Box::new(m20261123_000002_market::Migration),
            Box::new(m20261123_000003_money::Migration),
            Box::new(m20261123_000004_outbox::Migration),
            Box::new(m20261123_000005_guards::Migration),
            Box::new(m20261123_000006_basics::Migration),
            Box::new(m20261125_000007_search::Migration),
            Box::new(m20261125_000008_marketplace::Migration),
            Box::new(m20261125_000009_audit::Migration),
            Box::new(m20261126_000010_one_contract::Migration),
            Box::new(m20261126_000011_retries::Migration),
            Box::new(m20261126_000012_treasury::Migration),
            Box::new(m20261126_000013_deposits::Migration),
            Box::new(m20261126_000014_circle::Migration),
            Box::new(m20261126_000015_approvals::Migration),
            Box::new(m20261126_000016_rails::Migration),
            Box::new(m20261126_000017_scanner::Migration),
            Box::new(m20261126_000018_assistant::Migration),
            Box::new(m20261126_000019_moves::Migration),
            Box::new(m20261126_000020_circle::Migration),
            Box::new(m20261126_000021_shares::Migration),
        ]
    }
}
