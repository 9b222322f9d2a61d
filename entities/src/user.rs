//! `users`: a person with an account.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{Availability, Role},
    ids::{UploadId, UserId},
    money::Usdc,
};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// As entered, trimmed.
    pub email: String,
    /// Lower-cased, unique: what sign-in compares.
    pub email_key: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    /// The public name.
    pub display_name: String,
    /// What they may be; ADMIN only from the command line.
    pub role: Role,
    /// Up to 120 characters.
    pub headline: Option<String>,
    /// Up to 5,000 characters.
    #[sea_orm(column_type = "Text", nullable)]
    pub bio: Option<String>,
    /// Free text.
    pub location: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// A freelancer's rate an hour.
    pub hourly_rate: Option<Usdc>,
    /// When a freelancer can start.
    pub availability: Option<Availability>,
    /// The mean of the shown reviews in hundredths (450 is 4.5); 0 without any.
    pub rating: i32,
    /// How many shown reviews there are.
    pub review_count: i32,
    /// The picture in use.
    pub avatar_id: Option<UploadId>,
    /// When the mailed token came back.
    pub email_verified_at: Option<DateTimeUtc>,
    /// Since when they may not act.
    pub suspended_at: Option<DateTimeUtc>,
    /// Why, in the admin's words.
    #[sea_orm(column_type = "Text", nullable)]
    pub suspension_reason: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
