//! An administrator's way out of an order that Circle does not take: it is asked for once more, under its own key, and ended only
//! when Circle refuses it afresh and no earlier asking can have been, or be yet, accepted.

use entities::{PaymentRail, PaymentStatus, circle_payout, payment};
use sea_orm::{EntityTrait, QuerySelect};

use super::{
    ask::{self, Asked, Standing},
    track::{self, refusal},
};
use crate::{
    App, Code, Error, Tx,
    error::Result,
    payment::{record::Locked, settle},
    ports::circle::Verdict,
};

/// What asking again came to.
pub(in crate::payment) struct Again(Asked);

/// Asks Circle once more for a payment that it has not confirmed to have; `None` for every other.
pub(in crate::payment) async fn ask_again(app: &App, id: entities::PaymentId) -> Result<Option<Again>> {
    let db = app.db.reader();
    let Some(payment) = payment::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    if payment.rail != PaymentRail::Circle || payment.status != PaymentStatus::Submitted {
        return Ok(None);
    }
    let order = circle_payout::Entity::find_by_id(id).one(db).await?;
    let Some(order) = order.filter(|order| order.circle_id.is_none()) else { return Ok(None) };
    let Some(circle) = app.circle.as_deref() else {
        let message =
            "Circle is not set up (CIRCLE_API_KEY): nobody can be asked whether it took this payment.";
        return Err(Error::rejected("paymentId", Code::NotConfigured, message));
    };
    if ask::may_double(app, &order) {
        let message = "Circle never answered this order, and a day later it may not know its key any more: asking again could pay \
                       twice. Look at Circle whether it was paid.";
        return Err(Error::rejected("paymentId", Code::IllegalState, message));
    }
    let asked = ask::ask_for(app, circle, &order).await?;
    // Kept whatever becomes of the mutation: an asking that was answered leaves no doubt.
    let tx = app.db.begin().await?;
    payment::Entity::find_by_id(id).lock_exclusive().one(&*tx).await?;
    ask::answered(&tx, &asked).await?;
    tx.commit().await?;
    Ok(Some(Again(asked)))
}

/// Does what the answer calls for: the payment goes on, or it ends FAILED. It is locked.
///
/// # Errors
///
/// When it went on meanwhile, Circle does not say, or an earlier asking may have been accepted.
pub(in crate::payment) async fn conclude(app: &App, tx: &Tx, locked: Locked, again: Again) -> Result<()> {
    let Again(asked) = again;
    let order = ask::of(tx, &asked.order).await?;
    let refused = |message: String| Err(Error::rejected("paymentId", Code::IllegalState, message));
    if locked.payment.status != PaymentStatus::Submitted || order.circle_id.is_some() {
        return refused("The payment went on meanwhile: look at it again.".to_owned());
    }
    let error = match &asked.answer {
        Some(Ok(payout)) => {
            let other = !track::is_the_one(&asked, payout) || track::is_anothers(tx, &asked, payout).await?;
            if other {
                return refused(
                    "Circle answers with another payout: have a developer look at it.".to_owned(),
                );
            }
            return track::accepted(app, tx, locked, &order, payout).await;
        }
        Some(Err(error)) => error,
        None => return refused("The payment went on meanwhile: look at it again.".to_owned()),
    };
    match (error.verdict(), ask::standing(app, tx, &asked).await?) {
        (Verdict::Open, _) => refused(format!(
            "Circle does not say whether it took this payment ({error}). Nothing has changed: try again in ten minutes."
        )),
        (_, Standing::Doubtful) => refused(
            "Circle refuses this payment now, but an earlier asking that nobody heard the answer of may still come to it. \
             Nothing has changed: try again in ten minutes."
                .to_owned(),
        ),
        // Who may not ask is told nothing of what was accepted before.
        (Verdict::Forbidden, Standing::Alone { doubted: true }) => refused(
            "Circle forbids asking, and an earlier asking was never answered: it may have been accepted. Mend the access \
             (CIRCLE_API_KEY) first, then try again."
                .to_owned(),
        ),
        (Verdict::Refused | Verdict::Forbidden, Standing::Alone { .. }) => {
            settle::fail(app, tx, &locked.payment, locked.milestone, &refusal(error)).await
        }
    }
}
