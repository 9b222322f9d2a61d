//! USDC transfers as the chain shows them.

use async_graphql::Object;
use domain::{
    entities::{ChainTransferStatus, chain_transfer},
    payment::transfers::confirmations,
    ports::chain,
};

use crate::graphql::scalars::{BigInt, Money};

/// A stored address as people compare it. One that does not parse is shown as it is.
pub(in crate::graphql) fn checksummed(address: &str) -> String {
    address.parse::<chain::Address>().map_or_else(|_| address.to_owned(), chain::Address::checksummed)
}

/// A USDC transfer on the chain.
pub struct ChainTransfer {
    pub(super) row: chain_transfer::Model,
    /// The newest block that the scanner has read.
    pub(super) head: i64,
}

/// A USDC transfer on the chain.
#[Object]
impl ChainTransfer {
    /// The transaction that made it.
    async fn transaction_hash(&self) -> &str {
        &self.row.transaction_hash
    }

    /// Its place among the logs of its block.
    async fn log_index(&self) -> i32 {
        self.row.log_index
    }

    /// Who sent it, with its checksum.
    async fn from(&self) -> String {
        checksummed(&self.row.from_address)
    }

    /// Who received it, with its checksum: the treasury.
    async fn to(&self) -> String {
        checksummed(&self.row.to_address)
    }

    /// How much.
    async fn amount(&self) -> Money {
        self.row.amount.into()
    }

    /// The block it is in.
    async fn block_number(&self) -> BigInt {
        BigInt(self.row.block_number.into())
    }

    /// How many blocks confirm it by now, its own included.
    async fn confirmations(&self) -> i32 {
        confirmations(self.head, self.row.block_number)
    }

    /// Whether it was counted into the ledger.
    async fn credited(&self) -> bool {
        self.row.status == ChainTransferStatus::Credited
    }
}
