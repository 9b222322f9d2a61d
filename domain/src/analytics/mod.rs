//! How the marketplace does, for administrators: figures over a period, in whole and by day, week or month.
//!
//! A handful of statements whatever the number of rows or buckets: the database sums by day or month, we put the days
//! into their weeks.

use chrono::{DateTime, Utc};
use entities::Usdc;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::{
    Actor, App,
    check::Check,
    error::{Code, Error, Result},
    policy::{self, Action},
};

mod calendar;
mod read;

pub use calendar::Interval;
use read::Event;

/// How many buckets one gets at the most.
pub const MOST_BUCKETS: usize = 400;

/// A period, and how it is cut.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// What happened at this time or later.
    pub from: DateTime<Utc>,
    /// What happened before this time.
    pub to: DateTime<Utc>,
    /// How long a bucket is.
    pub interval: Interval,
}

/// The figures of a period or a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// People who registered as clients.
    pub client_sign_ups: i64,
    /// People who registered as freelancers.
    pub freelancer_sign_ups: i64,
    /// Projects opened for the first time.
    pub projects: i64,
    /// Proposals sent.
    pub proposals: i64,
    /// Contracts that their freelancers accepted.
    pub contracts_accepted: i64,
    /// Contracts that ran at some moment: accepted before its end, and not ended before its beginning.
    pub contracts_running: i64,
    /// The gross of releases and bonuses that became final.
    pub gmv: Usdc,
    /// The platform's part of that.
    pub fees: Usdc,
    /// Refunds that became final.
    pub refunds: Usdc,
    /// Disputes opened.
    pub disputes: i64,
    /// From the opening of the project to the acceptance, summed over the contracts accepted, in seconds.
    hiring_seconds: i64,
}

/// A bucket and its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins by the calendar, also when the period begins within it.
    pub start: DateTime<Utc>,
    /// What happened in it, within the period.
    pub figures: Figures,
}

/// A period's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analytics {
    /// Of the whole.
    pub total: Figures,
    /// Of each bucket, empty ones too.
    pub buckets: Vec<Bucket>,
}

impl Figures {
    /// The mean time from the opening of a project to the acceptance of its contract, in hours to two decimals; none
    /// without a contract.
    pub fn time_to_hire_hours(&self) -> Option<f64> {
        ratio(self.hiring_seconds, self.contracts_accepted.checked_mul(3_600)?, 2)
    }

    /// Disputes opened for each contract that ran, to four decimals; none when no contract ran.
    pub fn dispute_rate(&self) -> Option<f64> {
        ratio(self.disputes, self.contracts_running, 4)
    }

    fn add(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::ClientSignedUp(n) => self.client_sign_ups += n,
            Event::FreelancerSignedUp(n) => self.freelancer_sign_ups += n,
            Event::ProjectPublished(n) => self.projects += n,
            Event::ProposalSent(n) => self.proposals += n,
            Event::ContractAccepted { count, hiring_seconds } => {
                self.contracts_accepted += count;
                self.contracts_running += count;
                self.hiring_seconds += hiring_seconds;
            }
            // It ran until then: what changes is how many begin the next bucket.
            Event::ContractEnded(_) => {}
            Event::PaidOut { gross, fee } => {
                self.gmv = self.gmv.plus(*gross)?;
                self.fees = self.fees.plus(*fee)?;
            }
            Event::Refunded(amount) => self.refunds = self.refunds.plus(*amount)?,
            Event::DisputeOpened(n) => self.disputes += n,
        }
        Ok(())
    }
}

/// Divides exactly and rounds; none by zero.
fn ratio(part: i64, whole: i64, decimals: u32) -> Option<f64> {
    let whole = Decimal::from(whole);
    if whole.is_zero() { None } else { (Decimal::from(part) / whole).round_dp(decimals).to_f64() }
}

/// The figures of a period, in whole and by bucket.
pub async fn analytics(app: &App, actor: &Actor, period: Period) -> Result<Analytics> {
    policy::authorise(actor, Action::Administer, "", "analytics")?;
    let starts = check(period)?;
    let running = read::running_at(app, period.from).await?;
    let events = read::events(app, period).await?;

    let mut total = Figures { contracts_running: running, ..Figures::default() };
    let mut buckets: Vec<Bucket> =
        starts.iter().map(|start| Bucket { start: *start, figures: Figures::default() }).collect();
    // By bucket: how many more contracts run after it than before it.
    let mut growth = vec![0_i64; buckets.len()];
    for (day, event) in &events {
        total.add(event)?;
        let place = starts.partition_point(|start| start <= day).checked_sub(1);
        let place = place.ok_or_else(|| Error::bug("a day before the period"))?;
        let (Some(bucket), Some(growth)) = (buckets.get_mut(place), growth.get_mut(place)) else {
            return Err(Error::bug("a day beyond the period"));
        };
        bucket.figures.add(event)?;
        match event {
            Event::ContractAccepted { count, .. } => *growth += count,
            Event::ContractEnded(count) => *growth -= count,
            _ => {}
        }
    }
    let mut running = running;
    for (bucket, growth) in buckets.iter_mut().zip(growth) {
        bucket.figures.contracts_running += running;
        running += growth;
    }
    Ok(Analytics { total, buckets })
}

/// The beginnings of a period's buckets, when it is one that can be asked for.
fn check(Period { from, to, interval }: Period) -> Result<Vec<DateTime<Utc>>> {
    let mut check = Check::new();
    check.time("from", Some(from));
    check.time("to", Some(to));
    check.ensure(from < to, "to", Code::OutOfRange, "Give a time after from.");
    check.done()?;
    calendar::starts(interval, from, to, MOST_BUCKETS).ok_or_else(|| {
        let message =
            format!("Those are more than {MOST_BUCKETS} buckets: ask for a shorter time or longer buckets.");
        Error::rejected("to", Code::OutOfRange, message)
    })
}
