//! The EVM chain that carries USDC. Nothing outside this folder knows ethers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::Usdc;

use super::PortError;

mod abi;
mod broadcast;
mod client;
mod keystore;
mod link;
mod rpc;
pub mod siwe;
mod treasury;
mod types;

pub use client::{EvmClient, EvmSettings};
pub use keystore::keystore_key;
pub use link::payment_uri;
pub use types::{Address, AddressError, BlockHash, InvalidHex, TxHash};

const fn transient(reason: String) -> PortError {
    PortError::Transient { port: "chain", reason }
}

const fn refused(reason: String) -> PortError {
    PortError::Refused { port: "chain", reason }
}

/// A block, as far as we care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Its hash: two blocks of one height differ in it.
    pub hash: BlockHash,
    /// Its own time.
    pub time: DateTime<Utc>,
}

/// Which block is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockTag {
    /// The newest.
    Latest,
    /// The newest that the chain calls final.
    Finalized,
    /// The canonical one of a height.
    Number(u64),
}

/// A `Transfer` event of our USDC contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The transaction that caused it.
    pub transaction_hash: TxHash,
    /// Its place among the logs of the block.
    pub log_index: u64,
    /// Who sent.
    pub from: Address,
    /// Who received.
    pub to: Address,
    /// How much; `None` when it does not fit 63 bits of micro-USDC, which no real transfer reaches.
    pub amount: Option<Usdc>,
    /// In which block.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: BlockHash,
}

/// What a mined transaction came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Status 1.
    pub succeeded: bool,
    /// In which block.
    pub block_number: u64,
    /// That block's hash.
    pub block_hash: BlockHash,
    /// What its gas cost, in wei.
    pub gas_fee_wei: u128,
    /// The transfers of our USDC contract in it, whoever they went to.
    pub transfers: Vec<Transfer>,
}

/// Who sent a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Whose key signed it.
    pub address: Address,
    /// Under which nonce of theirs.
    pub nonce: u64,
}

/// What a transaction offers for its gas, in wei a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasFees {
    /// The most, base fee included.
    pub max_fee_per_gas: u64,
    /// The tip.
    pub max_priority_fee_per_gas: u64,
}

/// A signed USDC transfer, ready to be stored and then broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransfer {
    /// The bytes for `eth_sendRawTransaction`.
    pub raw: Vec<u8>,
    /// Their hash, which is the transaction's.
    pub hash: TxHash,
}

/// What becomes of signed bytes handed to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broadcast {
    /// The node has them, now or already before.
    Accepted,
    /// The nonce is used on the chain: by these bytes or by others; the receipts tell.
    NonceUsed,
    /// Another transaction of this nonce is in the pool and offers more: wait for either.
    Underpriced,
}

/// The chain, as the domain sees it: one chain, one USDC contract, one treasury.
#[async_trait]
pub trait Chain: Send + Sync {
    /// The chain id this client was told to expect.
    fn chain_id(&self) -> u64;
    /// The treasury that receives deposits and signs payouts.
    fn treasury(&self) -> Address;
    /// The USDC contract.
    fn usdc(&self) -> Address;
    /// Asks the node for its chain id and refuses another than [`Self::chain_id`]; checks that the USDC
    /// contract has code and 6 decimals. Called at start and before signing.
    async fn verify(&self) -> Result<(), PortError>;
    /// A block; `None` when there is none (yet) of that height.
    async fn block(&self, tag: BlockTag) -> Result<Option<Block>, PortError>;
    /// The receipt of a transaction; `None` while it is not mined.
    async fn receipt(&self, transaction: TxHash) -> Result<Option<Receipt>, PortError>;
    /// Who sent a transaction; `None` when the node knows none of this hash.
    async fn sender(&self, transaction: TxHash) -> Result<Option<Sender>, PortError>;
    /// Every USDC transfer to the treasury in these blocks, both ends included, in chain order. Transient when
    /// the node has not reached `to` yet.
    async fn deposits(&self, from: u64, to: u64) -> Result<Vec<Transfer>, PortError>;
    /// Whether the USDC contract is paused.
    async fn usdc_paused(&self) -> Result<bool, PortError>;
    /// Whether the USDC contract refuses this address.
    async fn blacklisted(&self, address: Address) -> Result<bool, PortError>;
    /// The USDC of an address.
    async fn usdc_balance(&self, address: Address) -> Result<Usdc, PortError>;
    /// The USDC that an address had after a block; transient when the node has another block of that height, before
    /// or after it was asked.
    async fn usdc_balance_at(&self, address: Address, block: &Block) -> Result<Usdc, PortError>;
    /// The native coin of an address, in wei.
    async fn native_balance(&self, address: Address) -> Result<u128, PortError>;
    /// How many transactions of this address are mined up to a block, which is the nonce of its next one. Full nodes know it for
    /// about 128 blocks back.
    async fn mined_nonce(&self, address: Address, at: BlockTag) -> Result<u64, PortError>;
    /// What to offer for gas now.
    async fn gas_fees(&self) -> Result<GasFees, PortError>;
    /// The gas that a USDC transfer from the treasury needs, with a margin.
    async fn transfer_gas(&self, to: Address, amount: Usdc) -> Result<u64, PortError>;
    /// Signs a USDC transfer from the treasury. Pure: the same input gives the same bytes.
    fn sign_transfer(
        &self,
        nonce: u64,
        to: Address,
        amount: Usdc,
        gas_limit: u64,
        fees: GasFees,
    ) -> Result<SignedTransfer, PortError>;
    /// Hands signed bytes to the node. Doing it again is harmless.
    async fn broadcast(&self, raw: &[u8]) -> Result<Broadcast, PortError>;
}
