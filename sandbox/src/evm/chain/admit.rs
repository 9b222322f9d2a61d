//! What comes into the pool, and what is turned away.

use std::sync::Arc;

use alloy_consensus::Transaction;
use revm::context_interface::cfg::gas::calculate_initial_tx_gas_for_tx;
use revm::primitives::B256;

use super::{Chain, NONCE_WINDOW};
use crate::evm::block::BLOCK_GAS_LIMIT;
use crate::evm::error::Refusal;
use crate::evm::execute::{FORK, TX_GAS_LIMIT};
use crate::evm::journal::{Record, Sync};
use crate::evm::tx::Tx;

impl Chain {
    /// Checks a transaction, takes it into the pool and, with automine, makes its block.
    pub(in crate::evm) fn submit(&mut self, tx: Tx) -> Result<B256, Refusal> {
        self.check(&tx)?;
        let (hash, tx) = (tx.hash(), Arc::new(tx));
        let record = Record::Tx { raw: tx.raw().into(), from: tx.impersonated.then_some(tx.sender) };
        // With automine a block follows at once, unless this transaction has to wait for another.
        let mines =
            self.automine && tx.nonce() == self.nonce(&tx.sender) && tx.tip(self.next_base_fee()).is_some();
        self.journal.append(&record, if mines { Sync::WithNext } else { Sync::Now })?;
        self.pool.insert(tx);
        if mines {
            self.mine()?;
        }
        Ok(hash)
    }

    fn check(&self, tx: &Tx) -> Result<(), Refusal> {
        let envelope = &tx.envelope;
        match envelope.chain_id() {
            Some(have) if have != self.chain_id => {
                return Err(Refusal::ChainId { have, want: self.chain_id });
            }
            _ => {}
        }
        if self.pool.get(&tx.hash()).is_some() || self.mined.contains_key(&tx.hash()) {
            return Err(Refusal::AlreadyKnown);
        }
        let (next, got) = (self.nonce(&tx.sender), tx.nonce());
        if got < next {
            return Err(Refusal::NonceTooLow { next, got });
        }
        if got > next + NONCE_WINDOW {
            return Err(Refusal::NonceTooFar { next, got });
        }
        if envelope.max_priority_fee_per_gas().is_some_and(|tip| tip > envelope.max_fee_per_gas()) {
            return Err(Refusal::TipAboveCap);
        }
        if envelope.gas_limit() > TX_GAS_LIMIT.min(BLOCK_GAS_LIMIT) {
            return Err(Refusal::GasLimit);
        }
        let gas = calculate_initial_tx_gas_for_tx(tx.env(), FORK, None);
        let want = gas.initial_total_gas().max(gas.floor_gas());
        if envelope.gas_limit() < want {
            return Err(Refusal::IntrinsicGas { have: envelope.gas_limit(), want });
        }
        let (balance, cost) = (self.balance(&tx.sender), tx.highest_cost());
        if cost > balance {
            return Err(Refusal::Funds { balance, cost });
        }
        self.pool.check(tx)
    }

    /// Takes a transaction out of the pool; whether it was there.
    pub(in crate::evm) fn drop_pending(&mut self, hash: &B256) -> Result<bool, Refusal> {
        if self.pool.get(hash).is_none() {
            return Ok(false);
        }
        self.journal.append(&Record::Drop(*hash), Sync::Now)?;
        self.pool.remove(hash);
        Ok(true)
    }
}
