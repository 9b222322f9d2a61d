//! `events`: something that subscribers hear of, written in the transaction that caused it.

use sea_orm::entity::prelude::*;

use crate::{enums::EventKind, ids::UserId};

/// Something that subscribers hear of, written in the transaction that caused it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Order of writing.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What sort.
    pub kind: EventKind,
    /// The payment or the notification.
    pub subject_id: Uuid,
    /// Who alone may hear of it.
    pub user_id: Option<UserId>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
