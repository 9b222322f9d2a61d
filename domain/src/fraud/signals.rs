//! What makes a person, a project or a proposal suspicious, pure: each signal has a name, points, and the fact that it
//! comes from. Whole numbers only.

use chrono::{DateTime, Duration, Utc};
use entities::Usdc;

use super::text;

mod points;

pub use points::*;

const DAY: i64 = 24 * 60 * 60;
const WEEK: i64 = 7 * DAY;

/// What was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is explained by the constant with its points")]
pub enum Kind {
    EmailUnproven,
    AccountNew,
    AccountYoung,
    NoWallet,
    ManyProposals,
    FraudDisputes,
    DisputesLost,
    ManyCancelled,
    LowRating,
    Suspended,
    ManySessions,
    UnusualBudget,
    ContactDetails,
    OutsidePayment,
    RepeatedText,
    LargeBudgetOfNewClient,
    LowBid,
    HighBid,
    SentAtOnce,
}

impl Kind {
    /// What it weighs.
    pub const fn points(self) -> i32 {
        match self {
            Self::EmailUnproven => EMAIL_UNPROVEN,
            Self::AccountNew => ACCOUNT_NEW,
            Self::AccountYoung => ACCOUNT_YOUNG,
            Self::NoWallet => NO_WALLET,
            Self::ManyProposals => MANY_PROPOSALS,
            Self::FraudDisputes => FRAUD_DISPUTES,
            Self::DisputesLost => DISPUTES_LOST,
            Self::ManyCancelled => MANY_CANCELLED,
            Self::LowRating => LOW_RATING,
            Self::Suspended => SUSPENDED,
            Self::ManySessions => MANY_SESSIONS,
            Self::UnusualBudget => UNUSUAL_BUDGET,
            Self::ContactDetails => CONTACT_DETAILS,
            Self::OutsidePayment => OUTSIDE_PAYMENT,
            Self::RepeatedText => REPEATED_TEXT,
            Self::LargeBudgetOfNewClient => LARGE_BUDGET_OF_NEW_CLIENT,
            Self::LowBid => LOW_BID,
            Self::HighBid => HIGH_BID,
            Self::SentAtOnce => SENT_AT_ONCE,
        }
    }
}

/// Something that was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// What.
    pub kind: Kind,
    /// What it weighs here.
    pub points: i32,
    /// The fact that it comes from, for people.
    pub detail: String,
}

/// How suspicious a score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Below 30.
    Low,
    /// From 30.
    Medium,
    /// From 60.
    High,
    /// From 85.
    Critical,
}

impl Band {
    /// The band of a score.
    pub const fn of(score: i32) -> Self {
        match score {
            ..30 => Self::Low,
            30..60 => Self::Medium,
            60..85 => Self::High,
            85.. => Self::Critical,
        }
    }
}

/// The points of all signals together, at most [`MOST_POINTS`].
pub fn score(signals: &[Signal]) -> i32 {
    signals.iter().fold(0, |sum, signal| signal.points.saturating_add(sum)).min(MOST_POINTS)
}

/// The signals of somebody that a thing belongs to: they weigh half, in whole points.
pub(super) fn halved(signals: Vec<Signal>, whose: &str) -> impl Iterator<Item = Signal> {
    signals.into_iter().map(move |signal| Signal {
        points: signal.points / 2,
        detail: format!("{whose}: {}", signal.detail),
        ..signal
    })
}

/// What is known of a person.
#[derive(Debug, Clone)]
pub(super) struct PersonFacts {
    pub(super) email_proven: bool,
    /// How old the account is, in seconds.
    pub(super) age: i64,
    pub(super) has_wallet: bool,
    /// Proposals within the busiest 24 hours.
    pub(super) proposals_a_day: usize,
    /// Disputes of kind FRAUD that others opened and did not withdraw.
    pub(super) fraud_disputes: usize,
    pub(super) disputes_lost: usize,
    /// Contracts that they ended early, and offers that they took back.
    pub(super) cancelled: usize,
    /// In hundredths.
    pub(super) rating: i32,
    pub(super) review_count: i32,
    /// How often they were suspended.
    pub(super) suspensions: u64,
    /// Whether they are suspended now.
    pub(super) suspended: bool,
    /// Programs that signed in within the busiest 24 hours.
    pub(super) agents_a_day: usize,
}

/// What is known of a project beside its client.
#[derive(Debug, Clone)]
pub(super) struct ProjectFacts<'a> {
    /// Title and description.
    pub(super) texts: [&'a str; 2],
    pub(super) budget_max: Usdc,
    /// From here on a budget of its type is large.
    pub(super) large: Usdc,
    /// The budgets of others' projects of its category and type.
    pub(super) others: Vec<Usdc>,
    /// Other projects with the very description: the client's own, and those of others.
    pub(super) repeats: (usize, usize),
    /// How old the client's account is, in seconds.
    pub(super) client_age: i64,
}

/// What is known of a proposal beside its freelancer.
#[derive(Debug, Clone)]
pub(super) struct ProposalFacts<'a> {
    pub(super) letter: &'a str,
    /// Other proposals with the very letter: the freelancer's own, and those of others.
    pub(super) repeats: (usize, usize),
    pub(super) bid: Usdc,
    pub(super) budget: (Usdc, Usdc),
    /// From the opening of the project to the proposal, in seconds.
    pub(super) after: Option<i64>,
}

/// What is suspicious about a person.
pub(super) fn of_person(facts: &PersonFacts) -> Vec<Signal> {
    let mut found = Found::default();
    let hours = facts.age / 3_600;
    found.add(Kind::EmailUnproven, !facts.email_proven, || "The e-mail address is not proven.".to_owned());
    found.add(Kind::AccountNew, facts.age < DAY, || format!("The account is {hours} hours old."));
    found.add(Kind::AccountYoung, (DAY..WEEK).contains(&facts.age), || {
        format!("The account is {} days old.", hours / 24)
    });
    found.add(Kind::NoWallet, !facts.has_wallet, || "No wallet is linked.".to_owned());
    found.add(Kind::ManyProposals, facts.proposals_a_day > PROPOSALS_A_DAY, || {
        format!("{} proposals within 24 hours.", facts.proposals_a_day)
    });
    found.add(Kind::FraudDisputes, facts.fraud_disputes > 0, || {
        format!("Disputes of kind FRAUD opened against them and not withdrawn: {}.", facts.fraud_disputes)
    });
    found.add(Kind::DisputesLost, facts.disputes_lost >= LOST, || {
        format!("{} disputes in which the other side got more.", facts.disputes_lost)
    });
    found.add(Kind::ManyCancelled, facts.cancelled >= CANCELLED, || {
        format!("{} contracts ended early or offers taken back.", facts.cancelled)
    });
    found.add(Kind::LowRating, facts.rating < RATING && facts.review_count >= REVIEWS, || {
        format!(
            "{}.{:02} on average of {} reviews.",
            facts.rating / 100,
            facts.rating % 100,
            facts.review_count
        )
    });
    found.add(Kind::Suspended, facts.suspended || facts.suspensions > 0, || {
        let now = if facts.suspended { "Suspended now" } else { "Not suspended now" };
        format!("{now}; suspensions in the audit log: {}.", facts.suspensions)
    });
    found.add(Kind::ManySessions, facts.agents_a_day >= AGENTS_A_DAY, || {
        format!("{} programs signed in within 24 hours.", facts.agents_a_day)
    });
    found.0
}

/// What is suspicious about a project, its client aside.
pub(super) fn of_project(facts: &ProjectFacts<'_>) -> Vec<Signal> {
    let mut found = Found::default();
    if let Some(median) = median(facts.others.clone()) {
        let (budget, usual) = (facts.budget_max.micro(), median.micro());
        let unusual = budget > usual.saturating_mul(TIMES_THE_MEDIAN)
            || usual > budget.saturating_mul(TIMES_THE_MEDIAN);
        found.add(Kind::UnusualBudget, unusual, || {
            format!("Up to {}, where others of the category offer up to {median}.", facts.budget_max)
        });
    }
    found.texts(&facts.texts);
    found.repeats(facts.repeats, "projects", "description");
    let large = facts.client_age < WEEK && facts.budget_max >= facts.large;
    found.add(Kind::LargeBudgetOfNewClient, large, || {
        format!("Up to {} by a client of {} days.", facts.budget_max, facts.client_age / DAY)
    });
    found.0
}

/// What is suspicious about a proposal, its freelancer aside.
pub(super) fn of_proposal(facts: &ProposalFacts<'_>) -> Vec<Signal> {
    let mut found = Found::default();
    found.texts(&[facts.letter]);
    found.repeats(facts.repeats, "proposals", "cover letter");
    let (least, most) = facts.budget;
    let low = facts.bid.micro().saturating_mul(LOW_BID_PART) < least.micro();
    found.add(Kind::LowBid, low, || format!("{} for a budget from {least}.", facts.bid));
    let high = facts.bid.micro() > most.micro().saturating_mul(HIGH_BID_TIMES);
    found.add(Kind::HighBid, high, || format!("{} for a budget up to {most}.", facts.bid));
    if let Some(after) = facts.after {
        found.add(Kind::SentAtOnce, (0..SECONDS_AFTER_POSTING).contains(&after), || {
            format!("Sent {after} seconds after the project was posted.")
        });
    }
    found.0
}

/// The most moments within any 24 hours.
pub(super) fn busiest_day(mut times: Vec<DateTime<Utc>>) -> usize {
    times.sort_unstable();
    let (mut first, mut most) = (0, 0);
    for (last, time) in times.iter().enumerate() {
        while times.get(first).is_some_and(|begin| *time - *begin >= Duration::seconds(DAY)) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// The most different names within any 24 hours.
pub(super) fn most_names_a_day(mut seen: Vec<(DateTime<Utc>, String)>) -> usize {
    seen.sort_unstable();
    let within = |begin: &DateTime<Utc>| {
        let day = seen.iter().filter(|(at, _)| at >= begin && *at - *begin < Duration::seconds(DAY));
        day.map(|(_, name)| name).collect::<std::collections::BTreeSet<_>>().len()
    };
    seen.iter().map(|(at, _)| within(at)).max().unwrap_or(0)
}

/// The upper median; none of too few.
fn median(mut amounts: Vec<Usdc>) -> Option<Usdc> {
    if amounts.len() < PROJECTS_COMPARED {
        return None;
    }
    amounts.sort_unstable();
    amounts.get(amounts.len() / 2).copied()
}

#[derive(Default)]
struct Found(Vec<Signal>);

impl Found {
    fn add(&mut self, kind: Kind, there: bool, detail: impl FnOnce() -> String) {
        if there {
            self.0.push(Signal { kind, points: kind.points(), detail: detail() });
        }
    }

    fn texts(&mut self, texts: &[&str]) {
        // Each once, however many texts it is in.
        let all = texts.join("\n");
        let contacts = text::contacts(&all);
        self.add(Kind::ContactDetails, !contacts.is_empty(), || {
            format!("In the text: {}.", contacts.join(", "))
        });
        let payments = text::outside_payments(&all);
        self.add(Kind::OutsidePayment, !payments.is_empty(), || {
            format!("In the text: {}.", payments.join(", "))
        });
    }

    fn repeats(&mut self, (own, others): (usize, usize), things: &str, text: &str) {
        self.add(Kind::RepeatedText, own + others >= REPEATS, || {
            format!("Other {things} with the very {text}: {own} of their own, {others} of others.")
        });
    }
}

#[cfg(test)]
mod tests;
