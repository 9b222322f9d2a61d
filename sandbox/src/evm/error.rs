//! What can go wrong: for the program that starts the chain, and for whoever sends transactions.

use std::io;
use std::path::PathBuf;

use revm::primitives::{Address, U256};

/// Why the chain could not start or carry out an order of its handle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvmError {
    /// The data folder, the journal or the listener failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Another process has this data folder open.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// A journal line that is not the last one makes no sense, or its replay does not give the recorded
    /// block.
    #[error("journal line {line}: {reason}")]
    Corrupt {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The data folder holds a chain with another id.
    #[error("the data folder holds chain {found}, not {wanted}")]
    OtherChain {
        /// The id in the journal.
        found: u64,
        /// The id asked for.
        wanted: u64,
    },
    /// Not an address.
    #[error("{0:?} is not an address: 0x and 40 hexadecimal digits")]
    Address(String),
    /// The chain refused a transaction or an order; the text says why.
    #[error("{0}")]
    Refused(String),
    /// The embedded token does not parse: a broken build.
    #[error("the embedded token is broken: {0}")]
    Token(String),
}

impl EvmError {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

impl From<Refusal> for EvmError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

/// Why a transaction or a control order is refused. The wording is geth's where geth has one, since clients
/// look for it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("failed to decode signed transaction: {0}")]
    Malformed(String),
    #[error("transaction type not supported: {0}")]
    Type(u8),
    #[error("invalid signature")]
    Signature,
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId { have: u64, want: u64 },
    #[error("already known")]
    AlreadyKnown,
    #[error("nonce too low: next nonce {next}, tx nonce {got}")]
    NonceTooLow { next: u64, got: u64 },
    #[error("nonce too high: next nonce {next}, tx nonce {got}")]
    NonceTooFar { next: u64, got: u64 },
    #[error("replacement transaction underpriced")]
    Underpriced,
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveCap,
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGas { have: u64, want: u64 },
    #[error("exceeds block gas limit")]
    GasLimit,
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    Funds { balance: U256, cost: U256 },
    #[error("txpool is full")]
    PoolFull,
    #[error("no signer available for {0:#x}")]
    NotImpersonated(Address),
    #[error("cannot replace {depth} blocks: {reason}")]
    Reorg { depth: u64, reason: &'static str },
    #[error("the journal cannot be written: {0}")]
    Journal(#[from] io::Error),
}
