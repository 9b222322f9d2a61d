//! The jobs of this noun: ids only.

use chrono::{DateTime, Utc};
use entities::{MailId, mail};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde::{Deserialize, Serialize};

use crate::{
    App, Tx,
    error::Result,
    queue::{self, Due, Job},
};

/// Sends a mail that was stored whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailSend {
    /// Which mail.
    pub id: MailId,
}

impl Job for MailSend {
    const QUEUE: &'static str = "mail-send";
}

impl Due for mail::Entity {
    const DUE_AT: mail::Column = mail::Column::DueAt;

    fn key(row: &mail::Model) -> String {
        queue::key(row.id, 0, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &mail::Model, due: DateTime<Utc>) -> Result<()> {
        let change = mail::ActiveModel {
            id: Set(row.id),
            look: Set(row.look + 1),
            due_at: Set(Some(due)),
            ..Default::default()
        };
        let row = change.update(&**tx).await?;
        queue::enqueue(app, &**tx, &MailSend { id: row.id }, &Self::key(&row), due).await
    }
}
