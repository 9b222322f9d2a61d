//! From the queue to Circle: an active recipient, enough in the balance, the key in one commit with the step, and only
//! then the asking.

use entities::{PaymentRail, Usdc, circle_payout, payment};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::{LATER, RARELY, SOON, ask, new_key, pace, recipients, track};
use crate::{
    App,
    error::Result,
    fault,
    payment::{
        payout,
        record::{self, Locked},
        state::Step,
    },
    ports::{
        chain::Address,
        circle::{Circle, CircleError, RecipientStatus, told},
    },
    queue::Outcome,
    treasury::switch,
};

/// Orders a queued payout at Circle, or holds it, or lets it wait, and says why.
pub(in crate::payment) async fn send(app: &App, seen: &payment::Model, to: Address) -> Result<Outcome> {
    let now = app.clock.now();
    let Some(circle) = app.circle.as_deref() else {
        return payout::hold(app, seen, "payouts by Circle are not set up at the moment").await;
    };
    if told(seen.net).is_none() {
        return payout::hold(app, seen, "Circle cannot pay this amount").await;
    }
    let recipient = match recipients::of(app, circle, to).await? {
        Ok(recipient) => recipient,
        Err(error) => return put_off(app, seen, error).await,
    };
    let (reason, until) = match &recipient.status {
        RecipientStatus::Active => match short_of(app, circle, seen.net).await? {
            Ok(None) => {
                let Some(order) = order(app, seen, to, &recipient.id).await? else {
                    return Ok(Outcome::Done);
                };
                // From here on the tracker sees to it: what goes wrong now is repeated there.
                return track::note(app, &ask::first(circle, order).await?).await;
            }
            Ok(Some(Short::Lasting)) => return payout::hold(app, seen, "the balance at Circle is low").await,
            Ok(Some(Short::Passing)) => ("other payouts are on their way first", SOON),
            Err(error) => return put_off(app, seen, error).await,
        },
        RecipientStatus::Denied => {
            return payout::hold(app, seen, "Circle does not pay to the payee's address").await;
        }
        RecipientStatus::Pending => ("Circle is checking the payee's address", pace(app, seen.created_at)),
        RecipientStatus::Inactive => ("the payee's address is new at Circle and rests", RARELY),
        RecipientStatus::Other(status) => {
            tracing::warn!(payment = %seen.id, status, "Circle has a new status for recipients");
            ("Circle has not approved the payee's address yet", LATER)
        }
    };
    payout::wait(app, seen, reason, now + until).await
}

/// Circle did not answer, or refused: nothing was ordered yet.
async fn put_off(app: &App, seen: &payment::Model, error: CircleError) -> Result<Outcome> {
    match error {
        CircleError::Transient { retry_after: Some(pause), .. } => Ok(Outcome::RetryIn(pause)),
        CircleError::Transient { .. } => Err(error.into()),
        CircleError::Refused { .. } => {
            tracing::error!(payment = %seen.id, %error, "Circle refuses what a payout needs");
            payout::hold(app, seen, "Circle refuses the payout; an administrator has to look at it").await
        }
    }
}

/// What the balance lacks.
enum Short {
    /// Somebody has to move money there.
    Lasting,
    /// What was ordered before may have been taken off already, or may not.
    Passing,
}

async fn short_of(
    app: &App,
    circle: &dyn Circle,
    amount: Usdc,
) -> Result<Result<Option<Short>, CircleError>> {
    // Before the balance and after it: what Circle takes off in between was not off when it answered.
    let submitted = async |and: &[_]| record::submitted(app.db.reader(), PaymentRail::Circle, and).await;
    let before: Vec<_> = submitted(&[]).await?.iter().map(|payment| payment.id).collect();
    let balance = match circle.balance().await {
        Ok(balance) => balance,
        Err(error) => return Ok(Err(error)),
    };
    if balance < amount {
        return Ok(Ok(Some(Short::Lasting)));
    }
    let needed = Usdc::sum(submitted(&before).await?.iter().map(|payment| payment.net))?.plus(amount)?;
    Ok(Ok((balance < needed).then_some(Short::Passing)))
}

/// Stores what Circle will be asked for, with its key, its first asking and the step, in one commit. `None` when somebody else did it
/// meanwhile, or what was looked at has changed: one intent never gets a second key.
async fn order(
    app: &App,
    seen: &payment::Model,
    to: Address,
    recipient: &str,
) -> Result<Option<circle_payout::Model>> {
    let (tx, id) = (app.db.begin().await?, seen.id);
    let Locked { payment, .. } = record::lock(&tx, id).await?;
    let ordered_before = circle_payout::Entity::find_by_id(id).one(&*tx).await?;
    if !payout::is_waiting(&payment) || record::was_woken(&payment, seen) || ordered_before.is_some() {
        return Ok(None);
    }
    if switch::stops(&tx).await? {
        record::look_at(app, &tx, &payment, app.clock.now()).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let payment = payout::resumed(app, &tx, payment).await?;
    let now = app.clock.now();
    let order = circle_payout::Model {
        payment_id: id,
        idempotency_key: new_key()?,
        recipient_id: recipient.to_owned(),
        amount: payment.net,
        circle_id: None,
        status: None,
        error_code: None,
        fee: Usdc::ZERO,
        missing_since: None,
        trouble: None,
        asks: 1,
        doubt_until: Some(ask::doubt(app)),
        created_at: now,
        updated_at: now,
    };
    circle_payout::Entity::insert(order.clone().into_active_model().reset_all())
        .exec_without_returning(&*tx)
        .await?;
    let payment = record::step(app, &tx, &payment, Step::Sign, |row| {
        row.destination = Set(Some(to.to_string()));
        row.hold_reason = Set(None);
        // Circle tells when it has arrived; no block of ours does.
        row.required_confirmations = Set(None);
    })
    .await?;
    record::look_at(app, &tx, &payment, now + SOON).await?;
    fault::point("circle.persist").await?;
    tx.commit().await?;
    // Before this asking there was none.
    Ok(Some(circle_payout::Model { doubt_until: None, ..order }))
}
