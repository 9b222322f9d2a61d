//! The jobs of this noun: ids only.

use entities::PaymentId;
use serde::{Deserialize, Serialize};

use crate::queue::Job;

macro_rules! payment_jobs {
    ($($(#[$doc:meta])* $name:ident = $queue:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {
            /// Which payment.
            pub id: PaymentId,
        }

        impl Job for $name {
            const QUEUE: &'static str = $queue;
        }
    )*};
}

payment_jobs! {
    /// Looks whether a deposit has arrived, has its confirmations, or is too late.
    DepositConfirm = "deposit-confirm";
    /// Signs and sends a release or a bonus.
    ReleaseSend = "release-send";
    /// Signs and sends a refund or a return.
    RefundSend = "refund-send";
    /// Follows a signed transaction until it is final.
    PayoutTrack = "payout-track";
}

/// Reads the chain for deposits, reported or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainScan {}

impl Job for ChainScan {
    const QUEUE: &'static str = "chain-scan";
}
