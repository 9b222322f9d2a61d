//! Sending a stored mail: the same bytes under the same Message-ID, however often it takes.

use chrono::Duration;
use entities::{MailId, MailStatus, NotificationKind, mail};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};

use crate::{
    App, Error,
    error::Result,
    ports::{PortError, mail::OutgoingMail},
    queue::Outcome,
};

/// While a mail is being handed over nobody else takes it up: as long as handing over may take.
const LEASE: Duration = Duration::seconds(20);
/// After this many tries a mail is given up: with the queue's back-off that is about a day.
const MOST_ATTEMPTS: i32 = 20;

/// Sends it, unless it is sent already. The server's yes and our note of it cannot be one step: a crash
/// between them sends the mail again, and its Message-ID tells the reader's program that it is the same.
pub async fn send(app: &App, id: MailId) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Some(row) = mail::Entity::find_by_id(id).lock_exclusive().one(&*tx).await? else {
        return Ok(Outcome::Done);
    };
    let now = app.clock.now();
    let due = match row.due_at {
        Some(due) if row.status == MailStatus::Pending => due,
        _ => return Ok(Outcome::Done),
    };
    if due > now {
        return Ok(Outcome::RetryIn((due - now).to_std().unwrap_or_default()));
    }
    let mut leased = row.clone().into_active_model();
    leased.attempts = Set(row.attempts + 1);
    leased.due_at = Set(Some(now + LEASE));
    leased.update(&*tx).await?;
    tx.commit().await?;

    let outgoing = OutgoingMail {
        to: row.to_address.clone(),
        subject: row.subject.clone(),
        html: row.html.clone(),
        text: row.text.clone(),
        message_id: row.message_id.clone(),
        unsubscribe_url: None,
    };
    let sent = app.mail.send(&outgoing).await;
    record(app, &row, sent).await
}

async fn record(app: &App, row: &mail::Model, sent: Result<(), PortError>) -> Result<Outcome> {
    let now = app.clock.now();
    let mut change = mail::ActiveModel { id: Set(row.id), ..Default::default() };
    let outcome = match sent {
        Ok(()) => {
            change.status = Set(MailStatus::Sent);
            change.sent_at = Set(Some(now));
            change.due_at = Set(None);
            change.last_error = Set(None);
            Ok(Outcome::Done)
        }
        Err(error) if error.is_transient() && row.attempts + 1 < MOST_ATTEMPTS => {
            // Due at once for the next try: when that is, the queue's back-off decides.
            change.due_at = Set(Some(now));
            change.last_error = Set(Some(error.to_string()));
            Err(Error::Port(error))
        }
        Err(error) => {
            change.status = Set(MailStatus::Failed);
            change.due_at = Set(None);
            change.last_error = Set(Some(error.to_string()));
            Ok(Outcome::Fail(error.to_string()))
        }
    };
    // Of a link with a token only the hash is kept, once nobody has to be sent the rest.
    let has_token = matches!(row.kind, NotificationKind::AccountVerify | NotificationKind::AccountReset);
    if has_token && matches!(change.due_at, Set(None)) {
        change.html = Set(String::new());
        change.text = Set(String::new());
    }
    let tx = app.db.begin().await?;
    change.update(&*tx).await?;
    tx.commit().await?;
    outcome
}
