//! The chain itself: its blocks, its state, the transactions that wait, and every way to change them.
//!
//! Each change is written to the journal first and made second. The caller holds a lock for the whole of it,
//! so nobody sees a block or a transaction that a crash could take back.

mod admit;
mod grow;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use revm::primitives::{Address, B256, U256};

use super::block::Block;
use super::error::Refusal;
use super::execute::Overlay;
use super::journal::{self, Journal, Record};
use super::pool::Pool;
use super::state::{Changes, State, View};
use super::token;
use super::tx::Tx;

/// How many blocks can be looked back into, or replaced. Older blocks and receipts stay; the state after them
/// does not.
pub(super) const HISTORY: usize = 256;
/// How far a nonce may be ahead of the sender's next one.
const NONCE_WINDOW: u64 = 1024;
/// Wei a gas in the first block.
const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// Unix seconds, from whoever starts the chain.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A chain, in memory; its journal is the copy that lasts.
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
        Ok(self.journal.append(&record, journal::Sync::Now)?)
    }

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

    /// Whether anything waits that the next block could take.
    pub(super) fn has_work(&self) -> bool {
        !self.candidates().is_empty()
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
    pub(super) fn pending(&self) -> (Block, Overlay<'_>) {
        let (block, overlay, _) = self.build(self.next_time(), self.next_base_fee(), &self.candidates());
        (block, overlay)
    }

    fn next_time(&self) -> u64 {
        (self.head().time + 1).max((self.clock)().saturating_add(self.time_offset))
    }

    fn candidates(&self) -> Vec<Arc<Tx>> {
        self.pool.ready(self.next_base_fee(), |sender| self.nonce(sender))
    }
}
