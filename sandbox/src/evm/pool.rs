//! Transactions that wait for a block, by sender and nonce. A nonce ahead of the sender's next one waits
//! until the gap closes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy_consensus::Transaction;
use revm::primitives::{Address, AddressMap, B256};

use super::error::Refusal;
use super::tx::Tx;

/// How many transactions may wait in all.
const CAPACITY: usize = 4096;
/// How much more a replacement must offer, in percent, as with geth and anvil.
const BUMP_PERCENT: u128 = 10;

#[derive(Debug, Default)]
pub(super) struct Pool {
    by_sender: AddressMap<BTreeMap<u64, Entry>>,
    by_hash: HashMap<B256, (Address, u64)>,
    arrivals: u64,
}

#[derive(Debug)]
struct Entry {
    tx: Arc<Tx>,
    arrival: u64,
}

impl Pool {
    pub(super) fn get(&self, hash: &B256) -> Option<&Arc<Tx>> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        Some(&self.by_sender.get(sender)?.get(nonce)?.tx)
    }

    /// Whether there is room, and whether it offers enough to take the place of one with the same nonce.
    pub(super) fn check(&self, tx: &Tx) -> Result<(), Refusal> {
        let rival = self.by_sender.get(&tx.sender).and_then(|queue| queue.get(&tx.nonce()));
        match rival {
            Some(rival) if !outbids(tx, &rival.tx) => Err(Refusal::Underpriced),
            None if self.by_hash.len() >= CAPACITY => Err(Refusal::PoolFull),
            _ => Ok(()),
        }
    }

    /// Takes the transaction in, in place of one with the same sender and nonce.
    pub(super) fn insert(&mut self, tx: Arc<Tx>) {
        let (hash, sender, nonce) = (tx.hash(), tx.sender, tx.nonce());
        let entry = Entry { tx, arrival: self.arrivals };
        self.arrivals += 1;
        if let Some(old) = self.by_sender.entry(sender).or_default().insert(nonce, entry) {
            self.by_hash.remove(&old.tx.hash());
        }
        self.by_hash.insert(hash, (sender, nonce));
    }

    pub(super) fn remove(&mut self, hash: &B256) -> Option<Arc<Tx>> {
        let (sender, nonce) = self.by_hash.remove(hash)?;
        let queue = self.by_sender.get_mut(&sender)?;
        let entry = queue.remove(&nonce)?;
        if queue.is_empty() {
            self.by_sender.remove(&sender);
        }
        Some(entry.tx)
    }

    /// Forgets what `sender` sent for nonces below `next`.
    pub(super) fn forget_below(&mut self, sender: &Address, next: u64) {
        let Some(queue) = self.by_sender.get_mut(sender) else { return };
        let keep = queue.split_off(&next);
        for gone in std::mem::replace(queue, keep).into_values() {
            self.by_hash.remove(&gone.tx.hash());
        }
        if queue.is_empty() {
            self.by_sender.remove(sender);
        }
    }

    /// The first nonce from `next` on for which nothing of this sender waits.
    pub(super) fn next_nonce(&self, sender: &Address, next: u64) -> u64 {
        let Some(queue) = self.by_sender.get(sender) else { return next };
        let run = queue.range(next..).zip(next..).take_while(|((nonce, _), want)| *nonce == want);
        next + run.count() as u64
    }

    /// What the next block should try, in its order: the best tip first, then the earliest, each sender's
    /// nonces in a row.
    pub(super) fn ready(&self, base_fee: u64, next_nonce: impl Fn(&Address) -> u64) -> Vec<Arc<Tx>> {
        let mut runs: Vec<Vec<(u128, &Entry)>> = Vec::new();
        for (sender, queue) in &self.by_sender {
            let next = next_nonce(sender);
            let mut run: Vec<_> = queue
                .range(next..)
                .zip(next..)
                .map_while(|((nonce, entry), want)| {
                    let tip = entry.tx.tip(base_fee).filter(|_| *nonce == want)?;
                    Some((tip, entry))
                })
                .collect();
            run.reverse();
            runs.push(run);
        }
        let mut order = Vec::new();
        loop {
            let best = runs
                .iter_mut()
                .filter(|run| !run.is_empty())
                .max_by_key(|run| run.last().map(|(tip, entry)| (*tip, std::cmp::Reverse(entry.arrival))));
            let Some((_, entry)) = best.and_then(Vec::pop) else { return order };
            order.push(Arc::clone(&entry.tx));
        }
    }
}

/// Both the highest price and the tip must rise.
fn outbids(new: &Tx, old: &Tx) -> bool {
    let enough =
        |new: u128, old: u128| new > old && new.saturating_mul(100) >= old.saturating_mul(100 + BUMP_PERCENT);
    enough(new.envelope.max_fee_per_gas(), old.envelope.max_fee_per_gas())
        && enough(new.envelope.priority_fee_or_price(), old.envelope.priority_fee_or_price())
}
