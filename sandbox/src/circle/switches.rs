//! What tests make of Circle: a fee, also a late one, short pages, a payout that it has lost.

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

    /// Takes so much in all, in millionths of a dollar, for a payout that is complete, in the place of what it took before, and
    /// tells it from now on.
    ///
    /// # Errors
    /// There is no such payout, or it is not complete; the folder cannot be written.
    pub fn charge_late(&self, id: &str, micro: i64) -> Result<(), CircleError> {
        let known = self.shared.change(|account, _| account.charge_late(id, micro))?;
        if known { Ok(()) } else { Err(CircleError::Unknown(format!("complete payout {id}"))) }
    }

    /// The most payouts that a page of a list has from now on, whatever a client wants.
    pub fn set_page(&self, most: usize) {
        self.shared.page.store(most, Ordering::Relaxed);
    }
}
