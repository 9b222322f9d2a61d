//! `uploads`: a file: asked for, sent to S3, checked, attached.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{UploadPurpose, UploadStatus},
    ids::{UploadId, UserId},
};

/// A file: asked for, sent to S3, checked, attached.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UploadId,
    /// Who sent it.
    pub owner_id: UserId,
    /// What for.
    pub purpose: UploadPurpose,
    /// As the owner named it.
    pub filename: String,
    /// As declared, then as found.
    pub content_type: String,
    /// Bytes.
    pub byte_size: i64,
    /// Where in its life.
    pub status: UploadStatus,
    /// Why it was refused.
    pub rejection_reason: Option<String>,
    /// Where it lies in the bucket; made by us.
    pub object_key: String,
    /// The ETag that was checked.
    pub etag: Option<String>,
    /// The public id of what it belongs to.
    pub attached_to: Option<String>,
    /// Raised by each change of state.
    pub version: i32,
    /// Raised by each wake-up.
    pub look: i32,
    /// When it wants to be looked at next.
    pub due_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
