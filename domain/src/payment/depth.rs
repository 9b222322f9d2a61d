//! How deep a block has to lie until what is in it counts, and from where on nothing undoes it.

use entities::{Usdc, chain_transfer, payment};

use super::transfers::confirmations;
use crate::{
    App, Error,
    error::Result,
    ports::{
        PortError,
        chain::{Block, BlockTag},
    },
};

/// Where a chain names no final block, one so deep is taken for final: deeper than any reorg that is survived.
pub(super) const REORG_DEPTH: u64 = 128;

/// The chain's newest block, and up to where it is final.
#[derive(Debug, Clone)]
pub(super) struct Depth {
    pub(super) head: Block,
    final_height: u64,
}

impl Depth {
    /// As the chain is now.
    pub(super) async fn now(app: &App) -> Result<Self> {
        let head = app.chain.block(BlockTag::Latest).await?.ok_or_else(|| {
            Error::Port(PortError::Transient { port: "chain", reason: "no newest block".to_owned() })
        })?;
        let final_height = match app.chain.block(BlockTag::Finalized).await? {
            Some(block) => block.number,
            None => head.number.saturating_sub(REORG_DEPTH - 1),
        };
        Ok(Self { head, final_height })
    }

    /// Whether nothing undoes the block any more.
    pub(super) fn is_final(&self, row: &chain_transfer::Model) -> bool {
        row.block_number <= i64::try_from(self.final_height).unwrap_or(i64::MAX)
    }

    /// Whether a transfer counts that needs so many confirmations; `None` when it needs to be final.
    pub(super) fn counts(&self, row: &chain_transfer::Model, needs: Option<i32>) -> bool {
        let head = i64::try_from(self.head.number).unwrap_or(i64::MAX);
        match needs {
            Some(needed) => confirmations(head, row.block_number) >= needed,
            None => self.is_final(row),
        }
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
