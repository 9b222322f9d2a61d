//! An administrator's way out of a payout that is stuck at Circle: one that Circle does not take is asked for once more, under its own
//! key, and one that it does not know any more once more by its id. Where it may have been accepted all the same, Circle's list of
//! payouts is looked through. It is ended only when Circle refuses it afresh and nothing of it is there, nor can be on its way.

use chrono::Duration;
use entities::{PaymentRail, circle_payout, payment};
use sea_orm::{EntityTrait, QuerySelect};

use super::{
    ask::{self, Asked, Standing},
    listed::{self, Found},
    track::{self, refusal},
};
use crate::{
    App, Code, Error, Tx,
    error::Result,
    payment::{payout::is_under_way, record::Locked, settle},
    ports::circle::{Payout, Verdict},
};

/// For how long Circle has to have not known a payout that it had accepted before that is believed.
const MISSING_FOR: Duration = Duration::hours(24);
/// How long Circle may be asked: an administrator waits for it, and a request ends soon after.
pub(super) const WITHIN: std::time::Duration = std::time::Duration::from_secs(25);
/// What the audit log says of a payment that goes on.
const GOES_ON: &str = "GOES_ON";
/// What it says of one that does not.
const ENDED: &str = "FAILED";

/// What asking again came to.
pub(in crate::payment) struct Again {
    asked: Asked,
    /// What Circle lists that could be it, or why that is not known; `None` where nobody looked.
    listed: Option<Result<Vec<Payout>, String>>,
}

/// Asks Circle once more for a payment that it was asked for and that has not ended; `None` for every other.
pub(in crate::payment) async fn ask_again(app: &App, id: entities::PaymentId) -> Result<Option<Again>> {
    // An asking that is broken off leaves a doubt, as every one does that is not answered.
    tokio::time::timeout(WITHIN, ask_once_more(app, id)).await.unwrap_or_else(|_| {
        refused("Circle takes too long to answer. Nothing has changed: try again in ten minutes.")
    })
}

async fn ask_once_more(app: &App, id: entities::PaymentId) -> Result<Option<Again>> {
    let db = app.db.reader();
    let Some(payment) = payment::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    if payment.rail != PaymentRail::Circle || !is_under_way(&payment) {
        return Ok(None);
    }
    let Some(order) = circle_payout::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    let Some(circle) = app.circle.as_deref() else {
        let message =
            "Circle is not set up (CIRCLE_API_KEY): nobody can be asked whether it took this payment.";
        return Err(Error::rejected("paymentId", Code::NotConfigured, message));
    };
    let asked = if ask::may_double(app, &order) {
        // Its key may be free again: what Circle has is in its list.
        Asked::nothing(order)
    } else {
        ask::ask(app, circle, &order).await?
    };
    // Kept whatever becomes of the mutation: an asking that was answered leaves no doubt.
    let tx = app.db.begin().await?;
    payment::Entity::find_by_id(id).lock_exclusive().one(&*tx).await?;
    ask::answered(app, &tx, &asked).await?;
    tx.commit().await?;
    let listed =
        if may_be_there(app, &asked) { Some(listed::like(app, circle, &asked.order).await?) } else { None };
    Ok(Some(Again { asked, listed }))
}

/// Whether Circle may have it although it says no: it had accepted it, or nobody heard the answer of an asking that is over by now.
fn may_be_there(app: &App, asked: &Asked) -> bool {
    let no = match &asked.answer {
        Some(answer) => answer.as_ref().is_err_and(|error| error.verdict() == Verdict::Refused),
        None => ask::may_double(app, &asked.order),
    };
    let doubted = asked.order.doubt_until.is_some_and(|until| until <= app.clock.now());
    no && (asked.missing || (asked.order.circle_id.is_none() && doubted))
}

/// Does what the answer calls for: the payment goes on, or it ends FAILED. It is locked. What it came to, in a word for the audit log.
///
/// # Errors
///
/// When it went on meanwhile, nothing is wrong with it, Circle does not say, or it may have been accepted.
pub(in crate::payment) async fn conclude(
    app: &App,
    tx: &Tx,
    locked: Locked,
    again: Again,
) -> Result<&'static str> {
    let Again { asked, listed } = again;
    let order = ask::of(tx, &asked.order).await?;
    if !is_under_way(&locked.payment) || order.circle_id != asked.order.circle_id {
        return refused("The payment went on meanwhile: look at it again.");
    }
    if let Some(Ok(payout)) = &asked.answer {
        if !track::is_the_one(&asked, payout) || track::is_anothers(tx, &order, payout).await? {
            return refused("Circle answers with another payout: have a developer look at it.");
        }
        if !asked.by_key {
            return refused(format!(
                "Circle has this payment, and calls it {:?}: it goes on by itself, and there is nothing to do.",
                payout.status.as_str()
            ));
        }
        track::accepted(app, tx, locked, &order, payout).await?;
        return Ok(GOES_ON);
    }
    let looked = listed.is_some();
    match listed {
        None => {}
        Some(Err(why)) => {
            return refused(format!(
                "Whether Circle has this payment after all cannot be seen, since its list of payouts cannot be had ({why}). \
                 Nothing has changed: try again."
            ));
        }
        Some(Ok(like)) => match listed::pick(app, tx, &order, like).await? {
            Found::It(payout) => {
                // What another asking brings is it for certain; this is only like it.
                let own = order.circle_id.as_ref() == Some(&payout.id);
                if !own && matches!(ask::standing(app, tx, &asked).await?, Standing::Doubtful) {
                    return refused(
                        "Circle is asked for this payment at this very moment. Nothing has changed: try again in ten minutes.",
                    );
                }
                track::accepted(app, tx, locked, &order, &payout).await?;
                return Ok(GOES_ON);
            }
            Found::Unclear(message) => return refused(message),
            Found::Nothing => {}
        },
    }
    let reason = why_it_ends(app, tx, &asked, &order, looked).await?;
    settle::fail(app, tx, &locked.payment, locked.milestone, &reason).await?;
    Ok(ENDED)
}

/// Why it may be ended, nothing of it being in Circle's list (`looked`: if anybody has looked).
///
/// # Errors
///
/// When it may not.
async fn why_it_ends(
    app: &App,
    tx: &Tx,
    asked: &Asked,
    order: &circle_payout::Model,
    looked: bool,
) -> Result<String> {
    let standing = ask::standing(app, tx, asked).await?;
    let (verdict, said) = match &asked.answer {
        Some(Err(error)) => (error.verdict(), refusal(error)),
        // Nothing could be asked any more.
        _ => (Verdict::Refused, "Circle never answered the order, and lists no payout of it".to_owned()),
    };
    let (doubted, accepted) = (asked.order.doubt_until.is_some(), order.circle_id.is_some());
    match (verdict, standing) {
        (Verdict::Open, _) => refused(format!(
            "Circle does not say whether it took this payment ({said}). Nothing has changed: try again in ten minutes."
        )),
        (_, Standing::Doubtful) => refused(
            "Circle refuses this payment now, but an earlier asking that nobody heard the answer of may still come to it. \
             Nothing has changed: try again in ten minutes.",
        ),
        // Who may not ask is told nothing of what was accepted before.
        (Verdict::Forbidden, Standing::Alone) if doubted || accepted => refused(
            "Circle forbids asking, and it may have accepted this payment before. Mend the access (CIRCLE_API_KEY) first, then \
             try again.",
        ),
        (_, Standing::Alone) if accepted && !asked.missing => refused(format!(
            "Circle has accepted this payment, and does not say how it stands ({said}). Nothing has changed: have it mended, \
             then try again."
        )),
        (_, Standing::Alone) if (doubted || accepted) && !looked => refused(
            "Whether Circle has this payment after all was not looked at. Nothing has changed: try again.",
        ),
        (_, Standing::Alone) if accepted => match order.missing_since.map(|since| since + MISSING_FOR) {
            Some(_) if is_long_missing(app, order) => {
                Ok("Circle does not know the payout any more that it had accepted, and lists none like it"
                    .to_owned())
            }
            from => refused(format!(
                "Circle has accepted this payment, and does not know it any more, which may pass. When it still does not after \
                 {}, paymentRetry ends the payment.",
                from.map_or_else(|| "a day".to_owned(), |from| from.format("%Y-%m-%d %H:%M UTC").to_string())
            )),
        },
        (Verdict::Refused | Verdict::Forbidden, Standing::Alone) => Ok(said),
    }
}

/// Whether Circle has not known a payout for so long that it is believed.
pub(super) fn is_long_missing(app: &App, order: &circle_payout::Model) -> bool {
    order.missing_since.is_some_and(|since| since + MISSING_FOR <= app.clock.now())
}

pub(super) fn refused<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::rejected("paymentId", Code::IllegalState, message))
}
