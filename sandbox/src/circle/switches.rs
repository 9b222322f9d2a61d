//! What tests make of Circle: a fee, short pages, a payout that it has lost.

use std::sync::atomic::Ordering;

use super::{Circle, CircleError};

impl Circle {
    /// Has a payout no more, as if it had never been: it is found neither by its id nor in a list, its key is free, and the balance
    /// has back what it took.
    ///
    /// # Errors
    /// There is no such payout; the folder cannot be written.
    pub fn forget_payout(&self, id: &str) -> Result<(), CircleError> {
        let known = self.shared.change(|account, _| account.forget_payout(id))?;
        if known { Ok(()) } else { Err(CircleError::Unknown(format!("payout {id}"))) }
    }

    /// From now on each payout costs so much, in millionths of a dollar, beside its amount: the balance is charged, and the payout
    /// tells it, when it is complete.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn set_fee(&self, micro: i64) -> Result<(), CircleError> {
        Ok(self.shared.change(|account, _| account.fee = micro)?)
    }

    /// The most payouts that a page of a list has from now on, whatever a client wants.
    pub fn set_page(&self, most: usize) {
        self.shared.page.store(most, Ordering::Relaxed);
    }
}
