//! Circle's notifications: at least once, in any order, from anybody who knows the address. One that Circle signed makes
//! what it is about due now; what it says is not believed, but asked for.

use entities::{
    PaymentKind, PaymentRail, PaymentStatus, circle_notification, circle_payout, circle_recipient, payment,
    wallet,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::OnConflict,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{App, Tx, error::Result, payment::record, ports::circle::CircleError};

/// What a notification turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
    /// Signed and new.
    New,
    /// Signed, and it came before.
    Known,
    /// Not signed by Circle.
    Unsigned,
    /// Signed, and not what a notification looks like.
    Malformed,
    /// Its key is not known, and too many were asked for lately: it may come again.
    Busy,
    /// Circle is not set up here.
    NotSetUp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    notification_id: Uuid,
    #[serde(default)]
    notification_type: String,
    #[serde(default)]
    notification: Resource,
}

#[derive(Deserialize, Default)]
struct Resource {
    #[serde(default)]
    id: String,
}

/// Takes a notification: `key_id` and `signature` are its headers `X-Circle-Key-Id` and `X-Circle-Signature`, `body` its
/// body to the byte. Nothing is stored or asked before the signature was checked, but for a key that we have not seen: whether
/// Circle is asked for that one says `may_ask`, since anybody can make up ids.
///
/// # Errors
///
/// When Circle does not answer with the key, or the database fails: Circle is to send it again.
pub async fn notified(
    app: &App,
    (key_id, signature): (&str, &str),
    body: &[u8],
    may_ask: impl FnOnce() -> bool + Send,
) -> Result<Notified> {
    let Some(circle) = app.circle.as_deref() else { return Ok(Notified::NotSetUp) };
    let Ok(key_id) = Uuid::try_parse(key_id) else { return Ok(Notified::Unsigned) };
    let key = match circle.known_key(key_id) {
        Some(key) => key,
        None => {
            if !may_ask() {
                return Ok(Notified::Busy);
            }
            match circle.public_key(key_id).await {
                Ok(key) => key,
                Err(CircleError::Refused { .. }) => return Ok(Notified::Unsigned),
                Err(error) => return Err(error.into()),
            }
        }
    };
    if !key.signed(body, signature) {
        return Ok(Notified::Unsigned);
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else { return Ok(Notified::Malformed) };
    let tx = app.db.begin().await?;
    let row =
        circle_notification::ActiveModel { id: Set(body.notification_id), received_at: Set(app.clock.now()) };
    let once = OnConflict::column(circle_notification::Column::Id).do_nothing().to_owned();
    let news =
        circle_notification::Entity::insert(row).on_conflict(once).exec_without_returning(&*tx).await?;
    if news == 0 {
        return Ok(Notified::Known);
    }
    match body.notification_type.as_str() {
        "payouts" => payout_changed(app, &tx, &body.notification.id).await?,
        "addressBookRecipients" => recipient_changed(app, &tx, &body.notification.id).await?,
        // Other products of Circle use the same address.
        other => tracing::debug!(kind = other, "a notification that nothing here waits for"),
    }
    tx.commit().await?;
    Ok(Notified::New)
}

/// One that we do not know yet is asked for again soon anyhow.
async fn payout_changed(app: &App, tx: &Tx, circle_id: &str) -> Result<()> {
    let order = circle_payout::Entity::find().filter(circle_payout::Column::CircleId.eq(circle_id));
    let Some(order) = order.one(&**tx).await? else { return Ok(()) };
    let under_way = payment::Entity::find_by_id(order.payment_id)
        .filter(payment::Column::Status.is_in([PaymentStatus::Submitted, PaymentStatus::Confirming]));
    record::wake(app, tx, under_way).await.map(drop)
}

/// What waits for the address: money to who has it for payout wallet, or back to it.
async fn recipient_changed(app: &App, tx: &Tx, circle_id: &str) -> Result<()> {
    let recipient = circle_recipient::Entity::find().filter(circle_recipient::Column::CircleId.eq(circle_id));
    let Some(recipient) = recipient.one(&**tx).await? else { return Ok(()) };
    let owner = wallet::Entity::find()
        .select_only()
        .column(wallet::Column::UserId)
        .filter(wallet::Column::Address.eq(&*recipient.address))
        .filter(wallet::Column::IsPayout.eq(true))
        .into_query();
    let to_it = Condition::any().add(payment::Column::Destination.eq(&*recipient.address)).add(
        Condition::all()
            .add(payment::Column::Kind.is_in([PaymentKind::Release, PaymentKind::Bonus]))
            .add(payment::Column::PayeeId.in_subquery(owner)),
    );
    let waiting = payment::Entity::find()
        .filter(payment::Column::Rail.eq(PaymentRail::Circle))
        .filter(payment::Column::Status.is_in([PaymentStatus::Queued, PaymentStatus::OnHold]))
        // What an administrator holds waits for one.
        .filter(payment::Column::HeldBy.is_null())
        .filter(to_it);
    record::wake(app, tx, waiting).await.map(drop)
}
