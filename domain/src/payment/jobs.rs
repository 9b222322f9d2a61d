//! The jobs of this noun: ids only.

use chrono::{DateTime, Utc};
use entities::{PaymentId, chain_cursor, payment};
use serde::{Deserialize, Serialize};

use super::{record, scan};
use crate::{
    App, Tx,
    error::Result,
    queue::{self, Due, Job},
};

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

impl Due for payment::Entity {
    const DUE_AT: payment::Column = payment::Column::DueAt;

    fn key(row: &payment::Model) -> String {
        queue::key(row.id, row.version, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &payment::Model, due: DateTime<Utc>) -> Result<()> {
        record::look_at(app, tx, row, due).await
    }
}

impl Due for chain_cursor::Entity {
    const DUE_AT: chain_cursor::Column = chain_cursor::Column::DueAt;

    fn key(row: &chain_cursor::Model) -> String {
        scan::key(row.chain_id, row.look)
    }

    async fn wake(app: &App, tx: &Tx, row: &chain_cursor::Model, due: DateTime<Utc>) -> Result<()> {
        scan::look_at(app, tx, row, due).await
    }
}
