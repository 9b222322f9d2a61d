//! `audit_entries`: what an administrator or the command line did.

use sea_orm::entity::prelude::*;

use crate::ids::{AuditEntryId, UserId};

/// What an administrator or the command line did.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// Its place in the chain, from 1 without a gap.
    pub sequence: i64,
    /// Who; empty for the command line and the system.
    pub actor_id: Option<UserId>,
    /// What: `user.suspend`.
    pub action: String,
    /// To what: a public id.
    pub subject: Option<String>,
    /// The facts, as JSON.
    #[sea_orm(column_type = "Text")]
    pub details: String,
    /// The hash of the entry before.
    pub previous_hash: String,
    /// SHA-256 over everything above, in hex.
    pub hash: String,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
