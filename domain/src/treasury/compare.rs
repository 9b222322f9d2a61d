//! The books against the chain, at one final block.
//!
//! What the treasury should have held after a block is the ledger's balance with everything taken out that happened on the
//! chain later, and everything put in that happened by then and is not in the books yet:
//!
//! ```text
//!   the ledger's balance
//! - transfers that are booked, and came in later blocks
//! + transfers that came by then, and wait for their confirmations
//! - payouts that were mined by then, and are not final in the books
//! + payouts that are final in the books, and were mined in later blocks
//! + moves to another rail that are recorded, and were mined in later blocks
//! ```
//!
//! All of it is read at one moment, and a final block stays as it is: whatever moves meanwhile, before that moment or
//! after it, is on both sides or on none. So a difference is never a matter of timing.

use std::collections::HashMap;

use entities::{
    ChainTransactionStatus, ChainTransferStatus, PaymentRail, PaymentStatus, Usdc, chain_cursor,
    chain_transaction, chain_transfer, payment, treasury_move,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{ExprTrait, SelectStatement},
};

use crate::{
    App,
    error::Result,
    ledger::{self, Account},
    payment::{
        numbers::{self, chain_id, height, stored},
        state::BOOKED,
    },
    ports::chain::{Block, BlockTag},
};

/// No reorg that is survived goes deeper, and no node has to know a state that is older.
const DEPTH: i64 = 128;

/// Both sides at a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The block.
    pub block: Block,
    /// What the treasury held after it.
    pub on_chain: Usdc,
    /// What it should have held.
    pub expected: Usdc,
}

impl Comparison {
    /// What the chain has more.
    ///
    /// # Errors
    ///
    /// When it is more than can be counted.
    pub fn difference(&self) -> Result<Usdc> {
        Ok(self.on_chain.minus(self.expected)?)
    }
}

/// What comparing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Both sides.
    At(Comparison),
    /// Nothing, and why: it is to be tried again.
    Not(String),
}

/// The database's side, as of one moment.
struct Figures {
    cursor: Option<chain_cursor::Model>,
    balance: Usdc,
    /// Booked transfers of later blocks.
    later_in: Usdc,
    /// Payouts final in the books, mined in later blocks.
    later_out: Usdc,
    /// Transfers by that block that wait.
    seen: Vec<Place>,
    /// Signed, and neither final nor failed.
    open: Vec<(String, Usdc)>,
    /// Moved to another rail: recorded, and perhaps not gone by that block.
    moved: Vec<(String, Usdc)>,
    /// Booked by that block, and not long ago: a reorg may have moved them.
    recent: Vec<Place>,
}

/// Where something stood when it was last looked at.
struct Place {
    block: i64,
    hash: String,
    amount: Usdc,
}

/// Compares once.
///
/// # Errors
///
/// When the chain or the database fails.
pub async fn compare(app: &App) -> Result<Compared> {
    let not = |reason: String| Ok(Compared::Not(reason));
    let Some(newest) = last_final(app).await? else {
        return not("the chain has no final block yet".to_owned());
    };
    let chain_id = chain_id(app)?;
    let cursor = chain_cursor::Entity::find_by_id(chain_id).one(app.db.reader()).await?;
    let Some(scanned) = cursor.map(|cursor| cursor.scanned_block) else {
        return not("the scanner has not started yet".to_owned());
    };
    let behind = stored(newest.number)? - scanned;
    if behind > DEPTH {
        return not(format!("the scanner is {behind} blocks behind the final block"));
    }
    let at = std::cmp::min(height(scanned)?, newest.number);
    let Some(block) = app.chain.block(BlockTag::Number(at)).await? else {
        return not(format!("the node does not know block {at}"));
    };

    let figures = read(app, chain_id, stored(at)?).await?;
    let mut canonical = Canonical { app, known: HashMap::new() };
    let Some(cursor) = figures.cursor.filter(|cursor| cursor.scanned_block >= scanned) else {
        return not("the scanner was turned back".to_owned());
    };
    if !canonical.is(cursor.scanned_block, &cursor.block_hash).await? {
        return not("the scanner reads back after a reorg".to_owned());
    }
    let on_chain = app.chain.usdc_balance_at(app.chain.treasury(), &block).await?;
    let mut expected = figures.balance.minus(figures.later_in)?.plus(figures.later_out)?;
    for transfer in &figures.seen {
        if canonical.is(transfer.block, &transfer.hash).await? {
            expected = expected.plus(transfer.amount)?;
        }
    }
    for (hash, amount) in &figures.open {
        if mined_by(app, &mut canonical, hash, at).await? {
            expected = expected.minus(*amount)?;
        }
    }
    for (hash, amount) in &figures.moved {
        if !mined_by(app, &mut canonical, hash, at).await? {
            expected = expected.plus(*amount)?;
        }
    }
    if on_chain != expected {
        for place in &figures.recent {
            if !canonical.is(place.block, &place.hash).await? {
                return not(format!(
                    "a reorg undid block {}, and its payments were not looked at yet",
                    place.block
                ));
            }
        }
    }
    Ok(Compared::At(Comparison { block, on_chain, expected }))
}

/// The newest block that the chain calls final; where it calls none so, the newest that is as deep as a deposit has to be.
async fn last_final(app: &App) -> Result<Option<Block>> {
    if let Some(block) = app.chain.block(BlockTag::Finalized).await? {
        return Ok(Some(block));
    }
    let Some(head) = app.chain.block(BlockTag::Latest).await? else { return Ok(None) };
    match head.number.checked_sub(app.settings.confirmations.into()) {
        Some(number) => Ok(app.chain.block(BlockTag::Number(number)).await?),
        None => Ok(None),
    }
}

async fn read(app: &App, chain_id: i64, at: i64) -> Result<Figures> {
    use chain_transaction::Column as Out;
    use chain_transfer::Column as In;
    let snapshot = app.db.snapshot().await?;
    let db = &*snapshot;
    let transfers = || chain_transfer::Entity::find().filter(In::ChainId.eq(chain_id));
    let booked = || In::Status.is_in(BOOKED);
    let signed = || chain_transaction::Entity::find().filter(Out::ChainId.eq(chain_id));
    let is_final = || {
        let completed = payments_in([PaymentStatus::Completed]);
        Out::Status.eq(ChainTransactionStatus::Final).and(Out::PaymentId.in_subquery(completed))
    };
    let ended = payments_in([PaymentStatus::Completed, PaymentStatus::Failed]);

    let cursor = chain_cursor::Entity::find_by_id(chain_id).one(db).await?;
    let balance = ledger::balance(db, Account::Treasury(PaymentRail::Chain)).await?;
    let came =
        transfers().filter(booked()).filter(In::BlockNumber.gt(at.saturating_sub(DEPTH))).all(db).await?;
    let seen = transfers()
        .filter(In::Status.eq(ChainTransferStatus::Seen))
        .filter(In::BlockNumber.lte(at))
        .all(db)
        .await?;
    let went =
        signed().filter(is_final()).filter(Out::BlockNumber.gt(at.saturating_sub(DEPTH))).all(db).await?;
    let open = signed().filter(Out::PaymentId.not_in_subquery(ended)).all(db).await?;
    let moved = treasury_move::Entity::find()
        .filter(treasury_move::Column::FromRail.eq(PaymentRail::Chain))
        .filter(treasury_move::Column::BlockNumber.gt(at.saturating_sub(DEPTH)))
        .all(db)
        .await?;
    drop(snapshot);

    let (later_in, recent_in): (Vec<_>, Vec<_>) =
        came.into_iter().map(arrived).partition(|place| place.block > at);
    let (later_out, recent_out): (Vec<_>, Vec<_>) =
        went.into_iter().filter_map(mined).partition(|place| place.block > at);
    Ok(Figures {
        cursor,
        balance,
        later_in: Usdc::sum(later_in.iter().map(|place| place.amount))?,
        later_out: Usdc::sum(later_out.iter().map(|place| place.amount))?,
        seen: seen.into_iter().map(arrived).collect(),
        open: open.into_iter().map(|row| (row.hash, row.amount)).collect(),
        moved: moved.into_iter().map(|row| (row.reference, row.amount)).collect(),
        recent: recent_in.into_iter().chain(recent_out).collect(),
    })
}

fn payments_in<const N: usize>(states: [PaymentStatus; N]) -> SelectStatement {
    payment::Entity::find()
        .select_only()
        .column(payment::Column::Id)
        .filter(payment::Column::Status.is_in(states))
        .into_query()
}

fn arrived(row: chain_transfer::Model) -> Place {
    Place { block: row.block_number, hash: row.block_hash, amount: row.amount }
}

fn mined(row: chain_transaction::Model) -> Option<Place> {
    Some(Place { block: row.block_number?, hash: row.block_hash?, amount: row.amount })
}

/// Whether a signed transaction moved its money by a block.
async fn mined_by(app: &App, canonical: &mut Canonical<'_>, hash: &str, at: u64) -> Result<bool> {
    let Some(receipt) = app.chain.receipt(numbers::hash(hash)?).await? else { return Ok(false) };
    if !receipt.succeeded || receipt.block_number > at {
        return Ok(false);
    }
    canonical.is(stored(receipt.block_number)?, &receipt.block_hash.to_string()).await
}

/// Asks the chain for each height once.
struct Canonical<'a> {
    app: &'a App,
    known: HashMap<i64, Option<String>>,
}

impl Canonical<'_> {
    /// Whether this block is part of the chain.
    async fn is(&mut self, block: i64, hash: &str) -> Result<bool> {
        if let Some(known) = self.known.get(&block) {
            return Ok(known.as_deref() == Some(hash));
        }
        let found =
            self.app.chain.block(BlockTag::Number(height(block)?)).await?.map(|block| block.hash.to_string());
        let same = found.as_deref() == Some(hash);
        self.known.insert(block, found);
        Ok(same)
    }
}
