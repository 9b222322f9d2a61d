//! Blocks as the chain keeps them: small, since an idle chain makes thousands; the full header is rebuilt
//! when somebody asks.

use std::sync::Arc;

use alloy_consensus::constants::{EMPTY_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy_consensus::{Eip658Value, Header, ReceiptEnvelope, Transaction};
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use revm::primitives::alloy_primitives::Bloom;
use revm::primitives::{Address, B256, Bytes, Log, U256, keccak256};

use super::tx::Tx;

/// Gas that fits in a block.
pub(super) const BLOCK_GAS_LIMIT: u64 = 30_000_000;

/// A mined block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) parent_hash: B256,
    /// Unix seconds.
    pub(super) time: u64,
    /// Wei a gas.
    pub(super) base_fee: u64,
    /// How many reorganisations came before: it goes into the header, so that a replacement differs from what
    /// it replaces.
    pub(super) reorgs: u64,
    pub(super) txs: Vec<Mined>,
}

/// A transaction in a block, with what came of it.
#[derive(Debug)]
pub(super) struct Mined {
    pub(super) tx: Arc<Tx>,
    pub(super) success: bool,
    pub(super) gas_used: u64,
    /// With all earlier transactions of the block.
    pub(super) cumulative_gas: u64,
    /// The contract it created.
    pub(super) created: Option<Address>,
    /// The position in the block of its first log.
    pub(super) first_log: usize,
    pub(super) logs: Vec<Log>,
}

impl Mined {
    pub(super) fn bloom(&self) -> Bloom {
        self.logs.iter().collect()
    }

    fn envelope(&self) -> ReceiptEnvelope {
        let receipt = alloy_consensus::Receipt {
            status: Eip658Value::Eip658(self.success),
            cumulative_gas_used: self.cumulative_gas,
            logs: self.logs.clone(),
        };
        ReceiptEnvelope::from_typed(self.tx.envelope.tx_type(), receipt.with_bloom())
    }
}

impl Block {
    /// A block without its hash yet; [`Block::seal`] computes that.
    pub(super) fn new(parent: Option<&Self>, time: u64, base_fee: u64, reorgs: u64) -> Self {
        Self {
            number: parent.map_or(0, |parent| parent.number + 1),
            hash: B256::ZERO,
            parent_hash: parent.map(|parent| parent.hash).unwrap_or_default(),
            time,
            base_fee,
            reorgs,
            txs: Vec::new(),
        }
    }

    /// Computes the hash, once all transactions are in.
    pub(super) fn seal(&mut self) {
        self.hash = self.header().hash_slow();
    }

    pub(super) fn gas_used(&self) -> u64 {
        self.txs.last().map_or(0, |last| last.cumulative_gas)
    }

    /// How many logs the block holds.
    pub(super) fn log_count(&self) -> usize {
        self.txs.last().map_or(0, |last| last.first_log + last.logs.len())
    }

    /// What the next block asks a gas, in wei (EIP-1559).
    pub(super) fn next_base_fee(&self) -> u64 {
        calc_next_block_base_fee(self.gas_used(), BLOCK_GAS_LIMIT, self.base_fee, BaseFeeParams::ethereum())
    }

    /// What stands for randomness in this block: fixed by its place in the chain, so that a replay sees the
    /// same.
    pub(super) fn randomness(&self) -> B256 {
        let mut seed = [0; 40];
        seed[..32].copy_from_slice(self.parent_hash.as_slice());
        seed[32..].copy_from_slice(&self.number.to_be_bytes());
        keccak256(seed)
    }

    /// The full header. The state root is the empty trie's: nobody here asks for proofs, and a real one would
    /// cost more than the execution.
    pub(super) fn header(&self) -> Header {
        let (transactions_root, receipts_root, logs_bloom) = if self.txs.is_empty() {
            (EMPTY_ROOT_HASH, EMPTY_ROOT_HASH, Bloom::ZERO)
        } else {
            let envelopes: Vec<_> = self.txs.iter().map(|mined| &mined.tx.envelope).collect();
            let receipts: Vec<_> = self.txs.iter().map(Mined::envelope).collect();
            let bloom = self.txs.iter().flat_map(|mined| &mined.logs).collect();
            (calculate_transaction_root(&envelopes), calculate_receipt_root(&receipts), bloom)
        };
        Header {
            parent_hash: self.parent_hash,
            state_root: EMPTY_ROOT_HASH,
            transactions_root,
            receipts_root,
            logs_bloom,
            difficulty: U256::ZERO,
            number: self.number,
            gas_limit: BLOCK_GAS_LIMIT,
            gas_used: self.gas_used(),
            timestamp: self.time,
            extra_data: if self.reorgs == 0 { Bytes::new() } else { Bytes::from(self.reorgs.to_be_bytes()) },
            mix_hash: self.randomness(),
            base_fee_per_gas: Some(self.base_fee),
            withdrawals_root: Some(EMPTY_WITHDRAWALS),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// The wei a gas that the transaction at `index` really paid.
    pub(super) fn effective_gas_price(&self, mined: &Mined) -> u128 {
        mined.tx.envelope.effective_gas_price(Some(self.base_fee))
    }
}
