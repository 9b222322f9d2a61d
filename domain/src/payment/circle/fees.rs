//! What Circle takes for a payout beside its amount. It is a cost of the platform's, booked in the transaction that completes the
//! payout: before it is complete Circle need not know it, and of one that failed nothing is taken. What is named later is booked by an administrator (`cost.rs`).

use entities::{Usdc, payment};

use crate::{
    App, Tx,
    error::Result,
    notification::{Notice, notify_admins},
    ports::circle::Payout,
    treasury::switch,
};

/// Up to so much a fee is believed however small its payout is: gas on a busy Ethereum costs some tens of dollars.
const USUAL: Usdc = Usdc(50_000_000);

/// A fee that is more than its payout and more than what is usual. The ledger is append-only, so that one word of Circle's must not
/// write such a figure into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absurd(pub(crate) Usdc);

/// The most that is booked as the fee of a payout of so much.
pub(crate) fn most(amount: Usdc) -> Usdc {
    amount.max(USUAL)
}

/// What is to be booked for a payout of so much; nothing where Circle names no fee.
pub(crate) fn fee(payout: &Payout, amount: Usdc) -> Result<Usdc, Absurd> {
    match payout.fee.filter(|fee| fee.is_positive()) {
        None => Ok(Usdc::ZERO),
        Some(fee) if fee <= most(amount) => Ok(fee),
        Some(fee) => Err(Absurd(fee)),
    }
}

/// An absurd fee is not booked: administrators are told of it, and nothing more goes out until one of them has looked. Did Circle
/// take it, the balance there is less than the books say until `paymentBookCost` books it; did it not, nothing is wrong with them.
pub(super) async fn alarm(app: &App, tx: &Tx, payment: &payment::Model, Absurd(fee): Absurd) -> Result<()> {
    tracing::error!(payment = %payment.id, %fee, "Circle names an absurd fee for a payout: it is not booked");
    let notice = Notice::FeeAbsurd { payment: payment.id, amount: payment.net, fee };
    notify_admins(app, tx, &notice, &format!("{}:FEE", payment.id)).await?;
    let reason = "Circle names an absurd fee for a payout, and an administrator has to look";
    switch::engage(app, tx, None, reason).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::circle::PayoutStatus;

    #[test]
    fn a_fee_is_booked_up_to_what_is_paid_or_usual() {
        let of = |fee: Option<i64>, amount: i64| {
            let payout = Payout {
                id: "p1".to_owned(),
                status: PayoutStatus::Complete,
                error_code: None,
                amount: None,
                recipient: None,
                fee: fee.map(Usdc),
            };
            super::fee(&payout, Usdc(amount))
        };
        for fee in [None, Some(0), Some(-1), Some(i64::MIN)] {
            assert_eq!(of(fee, 1), Ok(Usdc::ZERO), "{fee:?}");
        }
        // A small payout may cost more than itself.
        for (fee, amount) in [(1, 1), (50_000_000, 1), (90_000_000, 90_000_000)] {
            assert_eq!(of(Some(fee), amount), Ok(Usdc(fee)));
        }
        for (fee, amount) in [(50_000_001, 1), (90_000_001, 90_000_000), (i64::MAX, 90_000_000)] {
            assert_eq!(of(Some(fee), amount), Err(Absurd(Usdc(fee))));
        }
    }
}
