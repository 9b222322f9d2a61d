//! The chain itself: its blocks, its state, the transactions that wait, and every way to change them.
//!
//! Each change is written to the journal first and made second. The caller holds a lock for the whole of it, so nobody sees a block or a
//! transaction that a crash could take back.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use alloy_consensus::Transaction;
use revm::primitives::{Address, B256, U256};

use super::block::{BLOCK_GAS_LIMIT, Block};
use super::error::Refusal;
use super::execute::{self, FORK, TX_GAS_LIMIT};
use super::journal::{Journal, Record, Sync};
use super::pool::Pool;
use super::state::{Changes, State, View};
use super::token;
use super::tx::Tx;

/// How many blocks can be looked back into, or replaced. Older blocks and receipts stay; the state after them does not.
pub(super) const HISTORY: usize = 256;
/// How far a nonce may be ahead of the sender's next one.
const NONCE_WINDOW: u64 = 1024;
/// Wei a gas in the first block.
const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// Unix seconds, from whoever starts the chain.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + std::marker::Sync>;

pub(super) struct Chain {
    pub(super) chain_id: u64,
    pub(super) token: Address,
    /// Make a block at once for each transaction.
    pub(super) automine: bool,
    /// Whose transactions are taken without a key.
    pub(super) impersonated: BTreeSet<Address>,
    pub(super) pool: Pool,
    /// For the next block only, instead of what EIP-1559 gives.
    pub(super) base_fee_override: Option<u64>,
    /// Seconds to add to the clock.
    pub(super) time_offset: u64,
    clock: Clock,
    state: State,
    blocks: Vec<Block>,
    /// What the last blocks overwrote, the head's at the back.
    undo: VecDeque<Changes>,
    by_hash: HashMap<B256, u64>,
    /// Block number and place in it.
    mined: HashMap<B256, (u64, usize)>,
    reorgs: u64,
    /// The last block that had a transaction.
    last_busy: u64,
    journal: Journal,
}

/// A block that is ready but not yet part of the chain.
struct Sealed {
    block: Block,
    changes: Changes,
    refused: Vec<B256>,
}

impl Chain {
    /// A chain of one empty block.
    pub(super) fn new(chain_id: u64, clock: Clock, genesis_time: u64) -> Self {
        let mut genesis = Block::new(None, genesis_time, FIRST_BASE_FEE, 0);
        genesis.seal();
        Self {
            chain_id,
            token: token::address(),
            automine: false,
            impersonated: BTreeSet::from([token::OWNER]),
            pool: Pool::default(),
            base_fee_override: None,
            time_offset: 0,
            clock,
            state: State::default(),
            by_hash: HashMap::from([(genesis.hash, 0)]),
            blocks: vec![genesis],
            undo: VecDeque::from([Changes::default()]),
            mined: HashMap::new(),
            reorgs: 0,
            last_busy: 0,
            journal: Journal::memory(),
        }
    }

    /// From now on every change goes to this journal.
    pub(super) fn set_journal(&mut self, journal: Journal) {
        self.journal = journal;
    }

    /// Writes down the start of a new chain.
    pub(super) fn record_genesis(&mut self, version: u32) -> Result<(), Refusal> {
        let record = Record::Genesis { version, chain_id: self.chain_id, time: self.head().time };
        Ok(self.journal.append(&record, Sync::Now)?)
    }

    // --- looking ---

    /// The last block. There always is one: the genesis block is never taken away.
    pub(super) fn head(&self) -> &Block {
        &self.blocks[self.blocks.len() - 1]
    }

    pub(super) fn block(&self, number: u64) -> Option<&Block> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(super) fn number_of(&self, hash: &B256) -> Option<u64> {
        self.by_hash.get(hash).copied()
    }

    /// The block of a mined transaction, and its place there.
    pub(super) fn mined(&self, hash: &B256) -> Option<(&Block, usize)> {
        let (number, index) = *self.mined.get(hash)?;
        Some((self.block(number)?, index))
    }

    /// Blocks made since the last one with a transaction.
    pub(super) fn quiet_blocks(&self) -> u64 {
        self.head().number - self.last_busy
    }

    /// The state after the last block.
    pub(super) fn latest(&self) -> View<'_> {
        View { state: &self.state, undo: &self.undo, skip: self.undo.len(), blocks: &self.blocks }
    }

    /// The state after block `number`, if it is recent enough.
    pub(super) fn view(&self, number: u64) -> Option<View<'_>> {
        let back = usize::try_from(self.head().number.checked_sub(number)?).ok()?;
        // The undo step of block `number` itself may be gone: only those of later blocks are needed.
        let skip = self.undo.len().checked_sub(back)?;
        Some(View { skip, ..self.latest() })
    }

    /// The nonce of the sender's next transaction, after the last block.
    pub(super) fn nonce(&self, address: &Address) -> u64 {
        self.state.account(address).map_or(0, |info| info.nonce)
    }

    /// The same, after everything that waits.
    pub(super) fn pending_nonce(&self, address: &Address) -> u64 {
        self.pool.next_nonce(address, self.nonce(address))
    }

    /// Native coin in wei, after the last block.
    pub(super) fn balance(&self, address: &Address) -> U256 {
        self.state.account(address).map_or(U256::ZERO, |info| info.balance)
    }

    /// What the next block will ask a gas, in wei.
    pub(super) fn next_base_fee(&self) -> u64 {
        self.base_fee_override.unwrap_or_else(|| self.head().next_base_fee())
    }

    /// The block that would be made now, unsealed, and the state after it.
    pub(super) fn pending(&self) -> (Block, execute::Overlay<'_>) {
        let (block, overlay, _) = self.build(self.next_time(), self.next_base_fee(), &self.candidates());
        (block, overlay)
    }

    fn next_time(&self) -> u64 {
        (self.head().time + 1).max((self.clock)().saturating_add(self.time_offset))
    }

    fn candidates(&self) -> Vec<Arc<Tx>> {
        self.pool.ready(self.next_base_fee(), |sender| self.nonce(sender))
    }

    // --- changing ---

    /// Checks a transaction, takes it into the pool and, with automine, makes its block.
    pub(super) fn submit(&mut self, tx: Tx) -> Result<B256, Refusal> {
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
        let gas = revm::context_interface::cfg::gas::calculate_initial_tx_gas_for_tx(tx.env(), FORK, None);
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

    /// Makes a block of what waits, also an empty one.
    pub(super) fn mine(&mut self) -> Result<(), Refusal> {
        self.mine_one(Sync::Now)
    }

    /// Makes that many blocks, with one wait for the disk.
    pub(super) fn mine_many(&mut self, blocks: u64) -> Result<(), Refusal> {
        for left in (0..blocks).rev() {
            self.mine_one(if left == 0 { Sync::Now } else { Sync::WithNext })?;
        }
        Ok(())
    }

    /// With automine on, makes a block when something waits that could be in it.
    pub(super) fn mine_waiting(&mut self) -> Result<(), Refusal> {
        if self.automine && !self.candidates().is_empty() {
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

    /// Replaces the last `depth` blocks by empty ones with the same times. Their transactions are gone, as with anvil.
    pub(super) fn reorg(&mut self, depth: u64) -> Result<(), Refusal> {
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

    /// Takes a transaction out of the pool; whether it was there.
    pub(super) fn drop_pending(&mut self, hash: &B256) -> Result<bool, Refusal> {
        if self.pool.get(hash).is_none() {
            return Ok(false);
        }
        self.journal.append(&Record::Drop(*hash), Sync::Now)?;
        self.pool.remove(hash);
        Ok(true)
    }

    /// Sets an account's native coin, in wei.
    pub(super) fn set_balance(&mut self, address: Address, wei: U256) -> Result<(), Refusal> {
        self.journal.append(&Record::Balance { address, wei }, Sync::Now)?;
        self.change_balance(address, wei);
        Ok(())
    }

    /// Does again what a journal line says was done.
    pub(super) fn replay(&mut self, record: Record) -> Result<(), String> {
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

    fn build(&self, time: u64, base_fee: u64, txs: &[Arc<Tx>]) -> (Block, execute::Overlay<'_>, Vec<B256>) {
        let mut block = Block::new(Some(self.head()), time, base_fee, self.reorgs);
        let mut overlay = execute::Overlay::new(self.latest());
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
