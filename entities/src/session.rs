//! `sessions`: a signed-in session with its rotating refresh token.

use sea_orm::entity::prelude::*;

use crate::ids::{SessionId, UserId};

/// A signed-in session with its rotating refresh token.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the refresh token in force, hex.
    pub refresh_hash: String,
    /// The one before: its use means theft and ends the session.
    pub previous_refresh_hash: Option<String>,
    /// The client, as it called itself, cut to 255 characters.
    pub user_agent: Option<String>,
    /// When the refresh token ends.
    pub expires_at: DateTimeUtc,
    /// When it was ended.
    pub revoked_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last refreshed.
    pub refreshed_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
