//! `mails`: a mail to be sent, rendered and with its Message-ID before the first try.

use sea_orm::entity::prelude::*;

use crate::{
    enums::{MailStatus, NotificationKind},
    ids::{MailId, UserId},
};

/// A mail to be sent, rendered and with its Message-ID before the first try.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailId,
    /// To whom.
    pub user_id: Option<UserId>,
    /// Where to.
    pub to_address: String,
    /// What it tells.
    pub kind: NotificationKind,
    /// One line.
    pub subject: String,
    /// The HTML part.
    #[sea_orm(column_type = "Text")]
    pub html: String,
    /// The text part.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// Stable, unique: one mail for one event.
    pub message_id: String,
    /// Where in its life.
    pub status: MailStatus,
    /// What the last try met.
    pub last_error: Option<String>,
    /// Tries so far.
    pub attempts: i32,
    /// Raised by each wake-up.
    pub look: i32,
    /// When it wants to be tried next.
    pub due_at: Option<DateTimeUtc>,
    /// When the server took it.
    pub sent_at: Option<DateTimeUtc>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; foreign keys stand in the migrations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
