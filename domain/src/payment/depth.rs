//! How deep a block has to lie until what is in it counts, and from where on nothing undoes it.

use chrono::{DateTime, Duration, Utc};
use entities::{Usdc, chain_transfer, payment};

use super::transfers::confirmations;
use crate::{
    App,
    error::Result,
    ports::{
        PortError,
        chain::{Block, BlockTag, Chain},
    },
};

/// Where a chain names no final block, one so deep is taken for final: deeper than any reorg that is survived.
pub(super) const REORG_DEPTH: u64 = 128;

/// One node's newest block, and up to where the chain is final to it.
#[derive(Debug, Clone)]
struct View {
    head: Block,
    final_height: u64,
    final_time: DateTime<Utc>,
}

/// What the second node says.
#[derive(Debug, Clone)]
enum Second {
    /// None is set: the first one's word is enough.
    Unset,
    /// It does not answer.
    Silent,
    Says(View),
}

/// How far the chain reaches. Where two nodes are set, what counts has to count by both.
#[derive(Debug, Clone)]
pub(super) struct Depth {
    first: View,
    second: Second,
}

impl Depth {
    /// As the chain is now.
    pub(super) async fn now(app: &App) -> Result<Self> {
        let first = View::of(app.chain.as_ref());
        let Some(witness) = &app.witness else {
            return Ok(Self { first: first.await?, second: Second::Unset });
        };
        let (first, second) = futures::future::join(first, View::of(witness.as_ref())).await;
        let second = match second {
            Ok(view) => Second::Says(view),
            Err(error) => {
                tracing::warn!(%error, "the second node does not say how far the chain reaches");
                Second::Silent
            }
        };
        Ok(Self { first: first?, second })
    }

    /// The newest block of the first node, which the scanner reads from.
    pub(super) const fn head(&self) -> &Block {
        &self.first.head
    }

    /// Whether the second node gave no answer: nothing counts then, and nothing is final.
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self.second, Second::Silent)
    }

    /// How far apart the two nodes' newest blocks are, in the chain's own time.
    pub(super) fn apart(&self) -> Duration {
        match &self.second {
            Second::Says(second) => (self.first.head.time - second.head.time).abs(),
            Second::Unset | Second::Silent => Duration::zero(),
        }
    }

    /// How far the older of the nodes' final blocks is behind the newest block, in the chain's own time.
    pub(super) fn final_lag(&self) -> Duration {
        let newest = self.views().map(|view| view.head.time).max();
        let lag = |oldest: DateTime<Utc>| newest.map_or(Duration::zero(), |newest| newest - oldest);
        self.views().map(|view| view.final_time).min().map_or(Duration::zero(), lag)
    }

    /// Whether nothing undoes the block any more.
    pub(super) fn is_final(&self, row: &chain_transfer::Model) -> bool {
        !self.is_silent() && self.views().all(|view| view.is_final(row))
    }

    /// The same of a block by its height.
    pub(super) fn is_final_at(&self, height: u64) -> bool {
        !self.is_silent() && self.views().all(|view| height <= view.final_height)
    }

    /// Whether a transfer counts that needs so many confirmations; `None` when it needs to be final.
    pub(super) fn counts(&self, row: &chain_transfer::Model, needs: Option<i32>) -> bool {
        !self.is_silent() && self.views().all(|view| view.counts(row, needs))
    }

    /// Whether a transfer counts by its own sum and by that of the deposit that it belongs to, if it belongs to one: a large one
    /// may be paid in small pieces.
    pub(super) fn counts_for(
        &self,
        app: &App,
        row: &chain_transfer::Model,
        deposit: Option<&payment::Model>,
    ) -> bool {
        self.counts(row, needed(app, row.amount))
            && deposit.is_none_or(|deposit| self.counts(row, deposit.required_confirmations))
    }

    /// Whether a transfer counts by one of the nodes at least, or by the one that does not answer: then nothing is undone.
    pub(super) fn may_count(&self, row: &chain_transfer::Model, needs: Option<i32>) -> bool {
        self.is_silent() || self.views().any(|view| view.counts(row, needs))
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        let second = if let Second::Says(view) = &self.second { Some(view) } else { None };
        std::iter::once(&self.first).chain(second)
    }

    /// Whether all of it counts for this deposit. What came too much counts with it: it is sent back.
    pub(super) fn suffices(
        &self,
        app: &App,
        deposit: &payment::Model,
        rows: &[chain_transfer::Model],
    ) -> Result<bool> {
        let received = Usdc::sum(rows.iter().map(|row| row.amount))?;
        let whole =
            if received > deposit.amount { needed(app, received) } else { deposit.required_confirmations };
        Ok(rows.iter().all(|row| self.counts(row, deposit.required_confirmations) && self.counts(row, whole)))
    }
}

impl View {
    async fn of(node: &dyn Chain) -> Result<Self, PortError> {
        let nothing = || PortError::Transient { port: "chain", reason: "no newest block".to_owned() };
        let head = node.block(BlockTag::Latest).await?.ok_or_else(nothing)?;
        let (final_height, final_time) = match node.block(BlockTag::Finalized).await? {
            Some(block) => (block.number, block.time),
            // What is counted from the newest block lags behind nothing.
            None => (head.number.saturating_sub(REORG_DEPTH - 1), head.time),
        };
        Ok(Self { head, final_height, final_time })
    }

    fn is_final(&self, row: &chain_transfer::Model) -> bool {
        row.block_number <= i64::try_from(self.final_height).unwrap_or(i64::MAX)
    }

    fn counts(&self, row: &chain_transfer::Model, needs: Option<i32>) -> bool {
        let head = i64::try_from(self.head.number).unwrap_or(i64::MAX);
        match needs {
            Some(needed) => confirmations(head, row.block_number) >= needed,
            None => self.is_final(row),
        }
    }
}

/// How many confirmations a sum needs; `None` when it needs to be final.
pub(super) fn needed(app: &App, amount: Usdc) -> Option<i32> {
    let large = &app.settings.large_deposits;
    if large.finalized_from.is_some_and(|limit| amount >= limit) {
        return None;
    }
    let tier = large.tiers.iter().rev().find(|(from, _)| amount >= *from);
    i32::try_from(tier.map_or(app.settings.confirmations, |(_, blocks)| *blocks)).ok()
}

#[cfg(test)]
mod tests;
