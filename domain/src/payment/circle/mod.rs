//! The rail CIRCLE: payouts that Circle makes out of a balance there, instead of the treasury on the chain.
//!
//! Of the payment's life only the sending and the following differ: what may hold a payout before, and what its
//! end does, is the same for both rails. The key of a payout is committed before Circle hears of it, and is used
//! again until Circle answers: one intent is one payout, whatever dies in between.

use chrono::{DateTime, Duration, Utc};
use entities::PaymentRail;
use uuid::Uuid;

use crate::{App, clock, error::Result};

mod again;
mod ask;
mod cost;
mod fees;
mod left;
mod listed;
mod moved;
mod notified;
mod recipients;
mod send;
mod track;

pub(super) use again::{ask_again, conclude};
pub use cost::book_cost;
pub(crate) use fees::{fee, most};
pub use moved::{Said, TreasuryMove, record_move};
pub use notified::{Notified, notified};
pub(super) use send::send;
pub(super) use track::track;

/// How soon something that takes seconds is looked at again.
const SOON: Duration = Duration::seconds(10);
/// How soon something that takes minutes is.
const LATER: Duration = Duration::minutes(1);
/// How soon something that somebody has to see to is.
const RARELY: Duration = Duration::minutes(10);
/// The longest word of Circle that is stored.
const WORD: usize = 64;

/// What a new payout travels on.
pub fn rail(app: &App) -> PaymentRail {
    if app.circle.is_some() { PaymentRail::Circle } else { PaymentRail::Chain }
}

/// Each look costs a call, so one that has waited long is looked at less often. A notification makes it due at once.
fn pace(app: &App, since: DateTime<Utc>) -> Duration {
    match app.clock.now() - since {
        waited if waited < Duration::minutes(10) => SOON,
        waited if waited < Duration::hours(2) => LATER,
        _ => RARELY,
    }
}

/// A key for Circle: a UUID of version 4.
fn new_key() -> Result<Uuid> {
    Ok(uuid::Builder::from_random_bytes(clock::random_bytes()?).into_uuid())
}

/// A word of Circle's as it is stored.
fn word(text: &str) -> String {
    text.chars().take(WORD).collect()
}
