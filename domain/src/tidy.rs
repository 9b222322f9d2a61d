//! Deleting what nobody will ask for again.

use chrono::{DateTime, Duration, Utc};
use entities::{
    account_token, assistant_share, circle_notification, event, idempotency_key, wallet_challenge,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{App, error::Result};

/// So long an idempotency key answers with what it did.
pub const KEYS_KEPT: Duration = Duration::days(30);
/// So long subscribers that were away find what happened.
const EVENTS_KEPT: Duration = Duration::days(1);
/// So much longer than it is good a token is kept: one who comes late hears that it expired.
const TOKENS_KEPT: Duration = Duration::days(1);

/// Deletes old events, idempotency keys, tokens, challenges, notifications of Circle and shares of the assistant; how many rows there were. The task
/// `records-tidy` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn old_records(app: &App) -> Result<u64> {
    let before = |kept: Duration| -> DateTime<Utc> { app.clock.now() - kept };
    let db = app.db.writer();
    let events = event::Column::CreatedAt.lte(before(EVENTS_KEPT));
    let keys = idempotency_key::Column::CreatedAt.lte(before(KEYS_KEPT));
    let challenges = wallet_challenge::Column::ExpiresAt.lte(before(TOKENS_KEPT));
    let tokens = account_token::Column::ExpiresAt.lte(before(TOKENS_KEPT));
    // Circle does not repeat one for so long.
    let notifications = circle_notification::Column::ReceivedAt.lte(before(KEYS_KEPT));
    let shares = assistant_share::Column::ResetsAt.lte(app.clock.now());
    let gone = [
        assistant_share::Entity::delete_many().filter(shares).exec(db).await?,
        circle_notification::Entity::delete_many().filter(notifications).exec(db).await?,
        event::Entity::delete_many().filter(events).exec(db).await?,
        idempotency_key::Entity::delete_many().filter(keys).exec(db).await?,
        wallet_challenge::Entity::delete_many().filter(challenges).exec(db).await?,
        account_token::Entity::delete_many().filter(tokens).exec(db).await?,
    ];
    Ok(gone.iter().map(|deleted| deleted.rows_affected).sum())
}
