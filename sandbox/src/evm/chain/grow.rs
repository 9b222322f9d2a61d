//! Making blocks, taking them away, and making the whole chain again from its journal.

use std::sync::Arc;

use revm::primitives::{Address, B256, U256};

use super::{Chain, HISTORY};
use crate::evm::block::Block;
use crate::evm::error::Refusal;
use crate::evm::execute::{self, Overlay};
use crate::evm::journal::{Record, Sync};
use crate::evm::state::Changes;
use crate::evm::tx::Tx;

/// A block that is ready but not yet part of the chain.
struct Sealed {
    block: Block,
    changes: Changes,
    refused: Vec<B256>,
}

impl Chain {
    /// Makes a block of what waits, also an empty one.
    pub(in crate::evm) fn mine(&mut self) -> Result<(), Refusal> {
        self.mine_one(Sync::Now)
    }

    /// Makes that many blocks, with one wait for the disk.
    pub(in crate::evm) fn mine_many(&mut self, blocks: u64) -> Result<(), Refusal> {
        for left in (0..blocks).rev() {
            self.mine_one(if left == 0 { Sync::Now } else { Sync::WithNext })?;
        }
        Ok(())
    }

    /// With automine on, makes a block when something waits that could be in it.
    pub(in crate::evm) fn mine_waiting(&mut self) -> Result<(), Refusal> {
        if self.automine && self.has_work() {
            self.mine()?;
        }
        Ok(())
    }

    fn mine_one(&mut self, sync: Sync) -> Result<(), Refusal> {
        let sealed = self.seal(self.next_time(), self.next_base_fee(), &self.candidates());
        let block = &sealed.block;
        let record = Record::Block {
            time: block.time,
            base_fee: block.base_fee,
            txs: block.txs.iter().map(|mined| mined.tx.hash()).collect(),
            dropped: sealed.refused.clone(),
            hash: block.hash,
        };
        self.journal.append(&record, sync)?;
        self.base_fee_override = None;
        self.commit(sealed);
        Ok(())
    }

    /// Replaces the last `depth` blocks by empty ones with the same times. Their transactions are gone, as
    /// with anvil.
    pub(in crate::evm) fn reorg(&mut self, depth: u64) -> Result<(), Refusal> {
        let refuse = |reason| Refusal::Reorg { depth, reason };
        if depth >= self.head().number {
            return Err(refuse("the token's block has to stay"));
        }
        if depth >= self.undo.len() as u64 {
            return Err(refuse("the state before them is no longer kept"));
        }
        self.journal.append(&Record::Reorg(depth), Sync::Now)?;
        self.replace(depth);
        Ok(())
    }

    /// Sets an account's native coin, in wei.
    pub(in crate::evm) fn set_balance(&mut self, address: Address, wei: U256) -> Result<(), Refusal> {
        self.journal.append(&Record::Balance { address, wei }, Sync::Now)?;
        self.change_balance(address, wei);
        Ok(())
    }

    /// Does again what a journal line says was done.
    pub(in crate::evm) fn replay(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Genesis { .. } => return Err("a second genesis".to_owned()),
            Record::Tx { raw, from } => {
                let tx = from.map_or_else(|| Tx::signed(&raw), |from| Tx::restored(&raw, from));
                self.pool.insert(Arc::new(tx.map_err(|refusal| refusal.to_string())?));
            }
            Record::Drop(hash) => {
                self.pool.remove(&hash);
            }
            Record::Balance { address, wei } => self.change_balance(address, wei),
            Record::Block { time, base_fee, txs, dropped, hash } => {
                let txs: Option<Vec<_>> = txs.iter().map(|hash| self.pool.get(hash).cloned()).collect();
                let txs = txs.ok_or("it mines a transaction that was never sent")?;
                let sealed = self.seal(time, base_fee, &txs);
                if sealed.block.hash != hash {
                    return Err(format!("block {} comes out as another", sealed.block.number));
                }
                self.commit(Sealed { refused: dropped, ..sealed });
            }
            Record::Reorg(depth) => {
                if depth >= self.undo.len() as u64 {
                    return Err("it replaces more blocks than there are".to_owned());
                }
                self.replace(depth);
            }
        }
        Ok(())
    }

    pub(super) fn build(&self, time: u64, base_fee: u64, txs: &[Arc<Tx>]) -> (Block, Overlay<'_>, Vec<B256>) {
        let mut block = Block::new(Some(self.head()), time, base_fee, self.reorgs);
        let mut overlay = Overlay::new(self.latest());
        let refused = execute::fill(self.chain_id, &mut block, &mut overlay, txs);
        (block, overlay, refused)
    }

    fn seal(&self, time: u64, base_fee: u64, txs: &[Arc<Tx>]) -> Sealed {
        let (mut block, overlay, refused) = self.build(time, base_fee, txs);
        block.seal();
        Sealed { block, changes: Changes::between(overlay), refused }
    }

    fn commit(&mut self, sealed: Sealed) {
        let Sealed { block, changes, refused } = sealed;
        self.undo.push_back(self.state.apply(changes));
        if self.undo.len() > HISTORY {
            self.undo.pop_front();
        }
        for hash in &refused {
            self.pool.remove(hash);
        }
        for (index, mined) in block.txs.iter().enumerate() {
            self.mined.insert(mined.tx.hash(), (block.number, index));
            self.pool.forget_below(&mined.tx.sender, mined.tx.nonce() + 1);
        }
        if !block.txs.is_empty() {
            self.last_busy = block.number;
        }
        self.by_hash.insert(block.hash, block.number);
        self.blocks.push(block);
    }

    fn replace(&mut self, depth: u64) {
        let mut times = Vec::new();
        for _ in 0..depth {
            let Some(block) = self.blocks.pop() else { break };
            if let Some(undo) = self.undo.pop_back() {
                self.state.apply(undo);
            }
            self.by_hash.remove(&block.hash);
            for mined in &block.txs {
                self.mined.remove(&mined.tx.hash());
            }
            times.push(block.time);
        }
        self.reorgs += 1;
        self.last_busy = self.head().number.min(self.last_busy);
        for time in times.into_iter().rev() {
            let sealed = self.seal(time, self.head().next_base_fee(), &[]);
            self.commit(sealed);
        }
    }

    fn change_balance(&mut self, address: Address, wei: U256) {
        let undo = self.state.apply(self.state.balance_change(address, wei));
        if let Some(last) = self.undo.back_mut() {
            last.keep_first(undo);
        }
    }
}
