//! `notifications`: something a person should know.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{NotificationKind, NotificationPriority},
    ids::{NotificationId, UserId},
};

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notifications")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    /// Who.
    pub user_id: UserId,
    /// What it tells.
    pub kind: NotificationKind,
    /// How loud.
    pub priority: NotificationPriority,
    /// One line.
    pub title: String,
    /// The rest.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// The public id of the thing it is about.
    pub subject: Option<String>,
    /// Unique: one event tells one person once.
    pub event_key: String,
    /// When read.
    pub read_at: Option<DateTimeUtc>,
    /// When it stops mattering.
    pub expires_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
