//! Looking through Circle's list of payouts for one of an order that it may have accepted unheard, or does not know any more by
//! its id. Nothing is taken for missing but by a list that was read to its end.

use std::{collections::HashSet, time::Duration as Real};

use chrono::{DateTime, Duration, Utc};
use entities::circle_payout;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QueryTrait};

use super::{again::is_long_missing, track};
use crate::{
    App, Tx,
    error::Result,
    ports::circle::{Circle, Payout, PayoutStatus, Span},
};

/// How long before its order a payout may be dated: Circle's clock is not ours.
const BEFORE: Duration = Duration::minutes(10);
/// How long after the last moment at which Circle can have taken its order a payout may be dated: clocks may be
/// wrong, and a machine that slept has sent it late.
const AFTER: Duration = Duration::days(7);
/// How many pages are read at the most.
const PAGES: usize = 100;
/// How long reading may take: an administrator waits for it.
const PATIENCE: Real = Real::from_secs(15);

/// What Circle lists that could be an order's, newest first. The inner error says why that is not known.
pub(super) async fn like(
    app: &App,
    circle: &dyn Circle,
    order: &circle_payout::Model,
) -> Result<Result<Vec<Payout>, String>> {
    let known = match ended(app, order, true).await? {
        Some(known) => Some(known),
        None if ended(app, order, false).await?.is_some() => {
            let message = "no payout older than it has ended, which would tell of which account it is: look at Circle whether it was paid";
            return Ok(Err(message.to_owned()));
        }
        None => None,
    };
    let read = async {
        if let Some(id) = known {
            same_account(circle, &id).await?;
        }
        walk(circle, order, app.clock.now()).await
    };
    let late = || Err(format!("it took longer than {} s", PATIENCE.as_secs()));
    Ok(tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| late()))
}

/// The newest other payout that Circle has told the end of: of those ordered before it, which are of the account that it was ordered
/// in, or of all. What came later may be of another account.
async fn ended(app: &App, order: &circle_payout::Model, before: bool) -> Result<Option<String>> {
    use circle_payout::Column;
    let ended = [PayoutStatus::Complete, PayoutStatus::Failed];
    let newest = circle_payout::Entity::find()
        .filter(Column::CircleId.is_not_null())
        .filter(Column::PaymentId.ne(order.payment_id))
        .filter(Column::Status.is_in(ended.iter().map(PayoutStatus::as_str)))
        .apply_if(before.then_some(order.created_at), |query, at| query.filter(Column::CreatedAt.lte(at)))
        .order_by_desc(Column::CreatedAt)
        .one(app.db.reader())
        .await?;
    Ok(newest.and_then(|order| order.circle_id))
}

/// In another account than the one that paid, nothing of ours is found, and all of it seems never to have been paid.
async fn same_account(circle: &dyn Circle, known: &str) -> Result<(), String> {
    match circle.payout(known).await {
        Ok(payout) if payout.id == known => Ok(()),
        Ok(_) => Err(format!("asked for its payout {known} it answers with another")),
        Err(error) => Err(format!(
            "it does not show its payout {known}, which has ended: {error}; is CIRCLE_API_KEY of the same account?"
        )),
    }
}

async fn walk(
    circle: &dyn Circle,
    order: &circle_payout::Model,
    now: DateTime<Utc>,
) -> Result<Vec<Payout>, String> {
    let made = Span {
        since: order.created_at - BEFORE,
        until: latest(order).map(|at| at + AFTER).filter(|until| *until < now),
    };
    let (mut seen, mut like, mut after) = (HashSet::new(), Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let page = circle.payouts(made, after.as_deref()).await.map_err(|error| error.to_string())?;
        // Circle may put fewer on a page than it is asked for, so that only an empty one is the end.
        let Some(last) = page.last() else { return Ok(like) };
        after = Some(last.id.clone());
        for payout in page {
            if !seen.insert(payout.id.clone()) {
                return Err(format!("it lists {} again and again", payout.id));
            }
            if has_id_of(order, &payout) || track::fits(order, &payout) {
                like.push(payout);
            }
        }
    }
    Err(format!("it has more than {PAGES} pages"))
}

/// When Circle can have taken the order at the latest: an asking that nobody heard the answer of has come to it by then or never
/// does, and what it had accepted was there before it was missed. `None` where neither is known.
fn latest(order: &circle_payout::Model) -> Option<DateTime<Utc>> {
    order.doubt_until.max(order.missing_since)
}

fn has_id_of(order: &circle_payout::Model, payout: &Payout) -> bool {
    order.circle_id.as_ref() == Some(&payout.id)
}

/// What came of looking.
pub(super) enum Found {
    /// The order's payout.
    It(Payout),
    /// Something that may be it or may not, in words.
    Unclear(String),
    /// Nothing.
    Nothing,
}

/// Which of them is the order's: the one with the id that Circle gave it, else the oldest that is no other order's. Its payment is
/// locked.
pub(super) async fn pick(
    app: &App,
    tx: &Tx,
    order: &circle_payout::Model,
    like: Vec<Payout>,
) -> Result<Found> {
    let (same, others): (Vec<_>, Vec<_>) =
        like.into_iter().rev().partition(|payout| has_id_of(order, payout));
    if let Some(payout) = same.into_iter().next() {
        let message = "Circle lists this payment with another payee or amount: have a developer look at it.";
        return Ok(if track::fits(order, &payout) {
            Found::It(payout)
        } else {
            Found::Unclear(message.to_owned())
        });
    }
    let mut unread = None;
    for payout in others {
        if track::is_anothers(tx, order, &payout).await? {
            continue;
        }
        if payout.amount.is_none() || payout.recipient.is_none() {
            unread = Some(payout.id);
            continue;
        }
        // The one that Circle had accepted may be back in a moment.
        if order.circle_id.is_some() && !is_long_missing(app, order) {
            return Ok(Found::Unclear(format!(
                "Circle does not know this payment any more, which may pass, and lists one like it ({}). Nothing has changed: try \
                 again a day after it was first missed.",
                payout.id
            )));
        }
        return Ok(match rival(app, tx, order).await? {
            None => Found::It(payout),
            Some(rival) => Found::Unclear(format!(
                "Circle lists a payout like it ({}), which may be that of {}, asked for a moment ago. Nothing has changed: try \
                 again in ten minutes.",
                payout.id, rival.payment_id
            )),
        });
    }
    Ok(match unread {
        None => Found::Nothing,
        Some(id) => Found::Unclear(format!(
            "Circle lists a payout ({id}) whose payee or amount cannot be read, and which may be this one: look at it there."
        )),
    })
}

/// Another order of the same payee and amount that Circle is being asked for, or was a moment ago and nobody heard its answer.
async fn rival(app: &App, tx: &Tx, order: &circle_payout::Model) -> Result<Option<circle_payout::Model>> {
    use circle_payout::Column;
    Ok(circle_payout::Entity::find()
        .filter(Column::CircleId.is_null())
        .filter(Column::PaymentId.ne(order.payment_id))
        .filter(Column::RecipientId.eq(order.recipient_id.as_str()))
        .filter(Column::Amount.eq(order.amount))
        .filter(Column::DoubtUntil.gt(app.clock.now()))
        .one(&**tx)
        .await?)
}

#[cfg(test)]
mod tests;
