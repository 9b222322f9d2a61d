//! Failpoints: where a debug build can be made to fail, so that tests see what comes of it. docs/FAULTS.md names them.
//!
//! Without the feature `failpoints`, and in a release with it, a point is nothing. With it the crate `fail` keeps what is
//! armed and counts; what then happens is decided here, because code that awaits must wait and be dropped without holding
//! its thread. `fail` knows one list of names for the whole process; a [`Scope`] puts its own before them, so that tests
//! beside each other do not meet.

/// Every point, in the order in which a payment comes by them.
pub const POINTS: [&str; 15] = [
    "payment.intent",
    "payment.lock",
    "deposit.answer",
    "deposit.record",
    "payout.sign",
    "payout.persist",
    "payout.send",
    "payout.answer",
    "circle.persist",
    "circle.send",
    "circle.answer",
    "payment.record",
    "ledger.post",
    "notify.write",
    "job.end",
];

#[cfg(all(feature = "failpoints", debug_assertions))]
mod armed;

#[cfg(all(feature = "failpoints", debug_assertions))]
pub use armed::{Scope, arm, point};

/// A place where nothing fails: there are no failpoints in this build.
///
/// # Errors
/// None.
#[cfg(not(all(feature = "failpoints", debug_assertions)))]
#[inline]
pub async fn point(_: &'static str) -> Result<(), crate::ports::PortError> {
    Ok(())
}

/// Arms points for the whole process, if there are any. Whether there are: not in this build.
///
/// # Errors
/// None.
#[cfg(not(all(feature = "failpoints", debug_assertions)))]
pub const fn arm(_: &str) -> Result<bool, crate::Error> {
    Ok(false)
}
