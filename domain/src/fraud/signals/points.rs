//! What each signal weighs and why, and from where on it is one.

use entities::Usdc;

/// A score is never more than this.
pub const MOST_POINTS: i32 = 100;

/// An address that nobody proved costs nothing to make up, and nobody can be reached by it.
pub const EMAIL_UNPROVEN: i32 = 20;
/// Accounts made for one fraud act on their first day, before anybody complains.
pub const ACCOUNT_NEW: i32 = 20;
/// The first week is still before most complaints come in. Never together with [`ACCOUNT_NEW`].
pub const ACCOUNT_YOUNG: i32 = 10;
/// Who means to pay or to be paid here proves a wallet, which nobody else can then have.
pub const NO_WALLET: i32 = 10;
/// Nobody reads and answers so many projects in a day: a program does.
pub const MANY_PROPOSALS: i32 = 20;
/// Somebody who worked with them calls it fraud, and stands by it.
pub const FRAUD_DISPUTES: i32 = 30;
/// Once is a quarrel; more than once, administrators found against them.
pub const DISPUTES_LOST: i32 = 20;
/// Who keeps ending what they agreed to may be after something else than the work.
pub const MANY_CANCELLED: i32 = 10;
/// Several people who worked with them were badly served.
pub const LOW_RATING: i32 = 20;
/// An administrator had a reason to keep them out.
pub const SUSPENDED: i32 = 30;
/// An account that is passed around, or was taken over, is used from many programs at once.
pub const MANY_SESSIONS: i32 = 10;
/// A budget that is out of all proportion is bait, or a mistake that somebody will quarrel over.
pub const UNUSUAL_BUDGET: i32 = 20;
/// Contact details lead people away from the marketplace, where no escrow protects them.
pub const CONTACT_DETAILS: i32 = 20;
/// Money that moves outside cannot be held or given back. A project may be about such a service: it weighs no more.
pub const OUTSIDE_PAYMENT: i32 = 20;
/// The same text over and over is written for whoever falls for it, not for a piece of work.
pub const REPEATED_TEXT: i32 = 20;
/// Much is promised by somebody of whom nothing is known yet.
pub const LARGE_BUDGET_OF_NEW_CLIENT: i32 = 20;
/// A bid that cannot pay for the work is bait.
pub const LOW_BID: i32 = 10;
/// A bid out of all proportion is no answer to the project: it may be agreed on to move money.
pub const HIGH_BID: i32 = 20;
/// Nobody reads a project and writes a letter in that time.
pub const SENT_AT_ONCE: i32 = 10;

/// More proposals than this within 24 hours are many.
pub const PROPOSALS_A_DAY: usize = 20;
/// As many lost disputes are several.
pub const LOST: usize = 2;
/// As many cancelled contracts are many.
pub const CANCELLED: usize = 3;
/// Below this mean of the reviews, in hundredths, somebody is rated low, ...
pub const RATING: i32 = 200;
/// ... if there are at least so many reviews.
pub const REVIEWS: i32 = 3;
/// As many programs that sign in within 24 hours are many.
pub const AGENTS_A_DAY: usize = 5;
/// As many other projects with the very text, or other proposals with the very letter, are several.
pub const REPEATS: usize = 2;
/// So many times the category's median, or the median so many times the budget, and more is unusual, ...
pub const TIMES_THE_MEDIAN: i64 = 10;
/// ... if the median is one of at least so many projects.
pub const PROJECTS_COMPARED: usize = 10;
/// A fixed budget of this or more is large.
pub const LARGE_FIXED: Usdc = Usdc(10_000 * Usdc::SCALE);
/// A rate an hour of this or more is large.
pub const LARGE_HOURLY: Usdc = Usdc(200 * Usdc::SCALE);
/// Below the least of the budget divided by this, a bid is low.
pub const LOW_BID_PART: i64 = 2;
/// Above so many times the most of the budget, a bid is high.
pub const HIGH_BID_TIMES: i64 = 3;
/// A proposal that comes in less than so many seconds after the project comes at once.
pub const SECONDS_AFTER_POSTING: i64 = 10;
