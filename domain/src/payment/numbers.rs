//! The chain counts in unsigned numbers, the database in signed ones: the ways between them, and the pace at
//! which the chain is looked at.

use chrono::Duration;

use crate::{App, Error, error::Result, ports::chain::TxHash};

/// A number of the chain as a column holds it.
pub(crate) fn stored(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::bug("a number of the chain beyond 63 bits"))
}

/// A stored block number as the chain counts it.
pub(crate) fn height(stored: i64) -> Result<u64> {
    u64::try_from(stored).map_err(|_| Error::bug("a negative block number"))
}

/// A stored transaction hash.
pub(crate) fn hash(stored: &str) -> Result<TxHash> {
    stored.parse().map_err(|_| Error::bug("a stored hash does not parse"))
}

/// The chain's id as a column holds it.
pub(crate) fn chain_id(app: &App) -> Result<i64> {
    stored(app.chain.chain_id())
}

/// How long between two looks at a chain that has nothing new.
pub(super) fn poll(app: &App) -> Duration {
    Duration::from_std(app.settings.chain_poll).unwrap_or(Duration::seconds(5))
}

#[cfg(test)]
mod tests;
