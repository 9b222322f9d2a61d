//! What subscribers hear of: rows written in the transaction that caused them, so that a worker in another
//! process reaches them too.

use entities::{EventKind, NotificationId, PaymentId, UserId, event};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use ulid::Ulid;

use crate::{
    App,
    error::{Error, Result},
};

/// A payment changed.
pub async fn payment_updated(app: &App, conn: &impl ConnectionTrait, payment: PaymentId) -> Result<()> {
    write(app, conn, EventKind::PaymentUpdated, payment.0, None).await
}

/// A person has a new notification.
pub async fn notification_received(
    app: &App,
    conn: &impl ConnectionTrait,
    notification: NotificationId,
    user: UserId,
) -> Result<()> {
    write(app, conn, EventKind::NotificationReceived, notification.0, Some(user)).await
}

/// An attempt at a job ended, or an admin moved it. `id` is its ULID.
pub async fn job_updated(app: &App, conn: &impl ConnectionTrait, id: &str) -> Result<()> {
    let ulid = Ulid::from_string(id).map_err(|error| Error::bug(format!("the job {id}: {error}")))?;
    write(app, conn, EventKind::JobUpdated, uuid::Uuid::from_u128(ulid.0), None).await
}

async fn write(
    app: &App,
    conn: &impl ConnectionTrait,
    kind: EventKind,
    subject_id: uuid::Uuid,
    user_id: Option<UserId>,
) -> Result<()> {
    let row = event::ActiveModel {
        kind: Set(kind),
        subject_id: Set(subject_id),
        user_id: Set(user_id),
        created_at: Set(app.clock.now()),
        ..Default::default()
    };
    event::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(())
}
