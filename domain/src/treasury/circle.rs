//! The books against the balance at Circle.
//!
//! Circle has no blocks to look back at, and takes a payout off its balance when it accepts it, which the books do when it has
//! arrived. So the books give two figures: what Circle holds when it has taken nothing off of what is under way, and when it has
//! taken off all of it. The books are read before and after Circle is asked, and the wider pair counts: whatever moves meanwhile is
//! within. With nothing under way the two are one, to the micro-USDC.
//!
//! What Circle takes for a payout beside its amount is known when it is complete there, and booked a moment later. So where the balance is
//! short, Circle is asked for the fees of what is under way.
//!
//! Moves take their time between the rails. One that is recorded and may not have come to Circle yet, or that came to the chain and is
//! not recorded yet, is no difference for a day.

use chrono::Duration;
use entities::{
    ChainTransferStatus, PaymentKind, PaymentRail, PaymentStatus, UnallocatedStatus, Usdc, chain_transfer,
    circle_payout, payment, treasury_move, unallocated_deposit,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    App,
    error::Result,
    ledger::{self, Account},
    payment::circle::{fee, most},
    ports::circle::{Circle, CircleError, PayoutStatus, Verdict},
};

/// How long a move may take from one rail to the other.
const MOVES_WITHIN: Duration = Duration::hours(24);

/// Of how many payouts Circle is asked for the fee: more take too long.
const MOST_ASKED: usize = 50;

/// What comparing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtCircle {
    /// What is there, and what should be: the same when it is within what the books say.
    Holds {
        /// What Circle says.
        there: Usdc,
        /// What it should say.
        expected: Usdc,
        /// Less than `expected` by so much would do as well, or more: what is under way may be off already, or not.
        slack: (Usdc, Usdc),
    },
    /// Nothing, and why.
    Not(String),
}

/// What Circle may hold by the books.
struct Books {
    /// All that is under way was taken off.
    low: Usdc,
    /// Nothing of it was.
    high: Usdc,
    /// What Circle has accepted of what is under way.
    accepted: Vec<circle_payout::Model>,
    /// Recorded as moved to Circle not long ago.
    coming: Vec<Usdc>,
    /// Came to the chain from nobody we know, not long ago, and nobody has decided on it.
    arrived: Vec<Usdc>,
}

/// Compares once.
///
/// # Errors
///
/// When Circle or the database fails.
pub async fn compare(app: &App, circle: &dyn Circle) -> Result<AtCircle> {
    let before = read(app).await?;
    let there = circle.balance().await?;
    let after = read(app).await?;
    let (mut low, high) = (before.low.min(after.low), before.high.max(after.high));
    if there < low {
        let (asked, rest) = after.accepted.split_at(after.accepted.len().min(MOST_ASKED));
        low = low.minus(fees(circle, asked).await?)?;
        let most = Usdc::sum(rest.iter().map(|order| most(order.amount)))?;
        if there < low && there >= low.minus(most)? {
            return Ok(AtCircle::Not("too much is under way to ask for the fee of each payout".to_owned()));
        }
        // Beyond what all of them can have cost it is missing.
        low = if there < low { low.minus(most)? } else { low };
    }
    if there < low {
        if let Some(amount) = between(there, (low, high), &after.coming)? {
            return Ok(AtCircle::Not(format!("{amount} that were moved to Circle are not there yet")));
        }
        if let Some(amount) = between(there, (low, high), &after.arrived)? {
            return Ok(AtCircle::Not(format!(
                "{amount} left Circle, and as much came to the chain: if it was moved, record it with treasuryMove"
            )));
        }
    }
    let expected = there.max(low).min(high);
    Ok(AtCircle::Holds { there, expected, slack: (expected.minus(low)?, high.minus(expected)?) })
}

/// One of these amounts, or all of them together, that makes good what is missing.
fn between(there: Usdc, (low, high): (Usdc, Usdc), amounts: &[Usdc]) -> Result<Option<Usdc>> {
    let total = Usdc::sum(amounts.iter().copied())?;
    for amount in amounts.iter().copied().chain([total]) {
        if (low..=high).contains(&there.plus(amount)?) {
            return Ok(Some(amount));
        }
    }
    Ok(None)
}

/// What Circle says that it takes for payouts whose end is not in the books yet. One that it does not know cannot have cost anything.
async fn fees(circle: &dyn Circle, accepted: &[circle_payout::Model]) -> Result<Usdc> {
    let mut sum = Usdc::ZERO;
    for order in accepted {
        let Some(id) = &order.circle_id else { continue };
        match circle.payout(id).await {
            Ok(payout) if payout.status == PayoutStatus::Failed => {}
            // What would not be booked is missing.
            Ok(payout) => sum = sum.plus(fee(&payout, order.amount).unwrap_or_default())?,
            Err(ref error @ CircleError::Refused { status: 404, .. })
                if error.verdict() == Verdict::Refused => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sum)
}

async fn read(app: &App) -> Result<Books> {
    let snapshot = app.db.snapshot().await?;
    let db = &*snapshot;
    let since = app.clock.now() - MOVES_WITHIN;
    let balance = ledger::balance(db, Account::Treasury(PaymentRail::Circle)).await?;
    let under_way = payment::Entity::find()
        .filter(payment::Column::Kind.ne(PaymentKind::Deposit))
        .filter(payment::Column::Rail.eq(PaymentRail::Circle))
        .filter(payment::Column::Status.is_in([PaymentStatus::Submitted, PaymentStatus::Confirming]))
        .all(db)
        .await?;
    let accepted = circle_payout::Entity::find()
        .filter(circle_payout::Column::PaymentId.is_in(under_way.iter().map(|payment| payment.id)))
        .filter(circle_payout::Column::CircleId.is_not_null())
        .all(db)
        .await?;
    let coming = treasury_move::Entity::find()
        .filter(treasury_move::Column::ToRail.eq(PaymentRail::Circle))
        .filter(treasury_move::Column::RecordedAt.gt(since))
        .all(db)
        .await?;
    Ok(Books {
        low: balance.minus(Usdc::sum(under_way.iter().map(|payment| payment.net))?)?,
        high: balance,
        accepted,
        coming: coming.iter().map(|moved| moved.amount).collect(),
        arrived: arrived(db, since).await?,
    })
}

async fn arrived(db: &impl ConnectionTrait, since: chrono::DateTime<chrono::Utc>) -> Result<Vec<Usdc>> {
    use chain_transfer::Column as In;
    use unallocated_deposit::Column as Aside;
    let seen = chain_transfer::Entity::find()
        .filter(In::Status.eq(ChainTransferStatus::Seen))
        .filter(In::UserId.is_null())
        .filter(In::CreatedAt.gt(since))
        .all(db)
        .await?;
    let aside = unallocated_deposit::Entity::find()
        .filter(Aside::Status.eq(UnallocatedStatus::Open))
        .filter(Aside::UserId.is_null())
        .filter(Aside::CreatedAt.gt(since))
        .all(db)
        .await?;
    Ok(seen.iter().map(|row| row.amount).chain(aside.iter().map(|row| row.amount)).collect())
}

#[cfg(test)]
mod tests;
