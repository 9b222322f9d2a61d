//! The scanner: reads every USDC transfer to the treasury from the chain, reported or not.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entities::{PaymentKind, chain_cursor, payment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

use super::{
    allocate,
    depth::{Depth, REORG_DEPTH},
    fallen,
    jobs::ChainScan,
    moved,
    numbers::{chain_id, height, poll, stored},
    state::OPEN,
    strays, witness,
};
use crate::{
    App, Error, Tx,
    error::Result,
    fault,
    ports::{
        PortError,
        chain::{Block, BlockTag, Transfer},
    },
    queue::{self, Outcome},
};

/// Blocks read in one look: what every node grants.
const BLOCKS_A_LOOK: u64 = 500;
/// With no deposit open the chain is read this many times less often.
const IDLE_FACTOR: i32 = 10;

/// Reads on from where the last look ended, and queues the next look. The last blocks are read again each time: a node that
/// lags, or lies behind a load balancer, may have answered with nothing for a block that it did not know yet.
///
/// What was found is written thing by thing, each in a transaction of its own: no payment is waited for while another is
/// held. Should the process die between them, the same blocks are read again, and what is known already changes nothing.
pub async fn run(app: &App) -> Result<Outcome> {
    let head = block(app, BlockTag::Latest).await?;
    let Some(cursor) = cursor(app, &head).await? else { return Ok(Outcome::Done) };
    if cursor.due_at.is_none_or(|due| due > app.clock.now()) {
        // It was doubled by another look, which has queued the next already: each line of looks goes on by itself.
        return Ok(Outcome::Done);
    }
    let scanned = height(cursor.scanned_block)?;
    let reorganised = !still_canonical(app, &cursor, scanned).await?;
    let back = if reorganised {
        tracing::warn!(block = scanned, "the chain was reorganised: reading back");
        scanned.saturating_sub(REORG_DEPTH)
    } else {
        (scanned + 1).saturating_sub(REORG_DEPTH)
    };
    // No address had been given out before the first scan.
    let from = back.max(height(cursor.first_block)? + 1);
    let to = head.number.min(from + BLOCKS_A_LOOK - 1);
    let mut arrivals = Vec::new();
    let mut last = None;
    if from <= to {
        let before = block(app, BlockTag::Number(to)).await?;
        let news = moved::news(app, app.chain.deposits(from, to).await?).await?;
        arrivals = with_times(app, news).await?;
        let after = block(app, BlockTag::Number(to)).await?;
        // What was read before may have been replaced meanwhile, too.
        let below = reorganised || still_canonical(app, &cursor, scanned).await?;
        if before != after || !below {
            // The logs may be of blocks that are gone: they are read again.
            return Err(changed());
        }
        // A node that merely lags does not take the scanner back.
        last = (reorganised || to > scanned).then_some(after);
    }
    fault::point("deposit.answer").await?;
    // The chain is asked before each transaction: a slow node must not hold the write lock. Deposits come first: whoever
    // showers the treasury with dust keeps nobody waiting.
    for (transfers, time) in &arrivals {
        let tx = app.db.begin().await?;
        allocate::record(app, &tx, transfers, *time).await?;
        fault::point("deposit.record").await?;
        tx.commit().await?;
    }
    let depth = Depth::now(app).await?;
    let needs_final = app.settings.large_deposits.finalized_from.is_some();
    let trouble = witness::trouble(app, &depth, needs_final).await;
    fallen::see_to(app, &depth, reorganised.then_some(from)).await?;
    strays::settle(app, &depth).await?;
    let tx = app.db.begin().await?;
    advance(app, &tx, &cursor, last.as_ref(), to < head.number, trouble).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

fn changed() -> Error {
    let reason = "the chain changed while it was read".to_owned();
    PortError::Transient { port: "chain", reason }.into()
}

/// Starts the scanner if nobody did: from the present head, because no deposit address was given out before.
pub async fn start(app: &App) -> Result<()> {
    let head = block(app, BlockTag::Latest).await?;
    cursor(app, &head).await.map(drop)
}

/// A deposit is asked for: the scanner, which rests while none is open, reads on soon. `false` when it has
/// not started yet: it does not know then from where on to read, and no address may be given out.
pub(crate) async fn hasten(app: &App, tx: &Tx) -> Result<bool> {
    let chain_id = chain_id(app)?;
    let row = chain_cursor::Entity::find_by_id(chain_id).lock_exclusive().one(&**tx).await?;
    let Some(row) = row else { return Ok(false) };
    let soon = app.clock.now() + poll(app);
    if row.due_at.is_none_or(|due| due > soon) {
        look_at(app, tx, &row, soon).await?;
    }
    Ok(true)
}

/// What is wrong with the nodes, and since when: deposits wait meanwhile, all of them or those that need a final block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrouble {
    /// What, in words.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// What the scanner last found wrong with the nodes.
///
/// # Errors
///
/// When the database fails.
pub async fn trouble(app: &App) -> Result<Option<NodeTrouble>> {
    let cursor = chain_cursor::Entity::find_by_id(chain_id(app)?).one(app.db.reader()).await?;
    Ok(cursor.and_then(|cursor| Some(NodeTrouble { reason: cursor.trouble?, since: cursor.trouble_since? })))
}

/// Makes the scanner due at a moment: the sweep calls it for a look that got lost.
pub async fn look_at(app: &App, tx: &Tx, cursor: &chain_cursor::Model, due: DateTime<Utc>) -> Result<()> {
    let look = cursor.look + 1;
    let change = chain_cursor::ActiveModel {
        chain_id: Set(cursor.chain_id),
        look: Set(look),
        due_at: Set(Some(due)),
        ..Default::default()
    };
    change.update(&**tx).await?;
    queue::enqueue(app, &**tx, &ChainScan {}, &key(cursor.chain_id, look), due).await
}

/// The key of one look.
pub(crate) fn key(chain_id: i64, look: i32) -> String {
    queue::key(format!("chain-{chain_id}"), 0, look)
}

async fn block(app: &App, tag: BlockTag) -> Result<Block> {
    app.chain.block(tag).await?.ok_or_else(|| {
        Error::Port(PortError::Transient { port: "chain", reason: format!("no block for {tag:?} yet") })
    })
}

/// Where the scanner stands. The first call of all writes the row and queues the first look.
async fn cursor(app: &App, head: &Block) -> Result<Option<chain_cursor::Model>> {
    let chain_id = chain_id(app)?;
    if let Some(row) = chain_cursor::Entity::find_by_id(chain_id).one(app.db.reader()).await? {
        return Ok(Some(row));
    }
    let tx = app.db.begin().await?;
    let row = chain_cursor::Model {
        chain_id,
        scanned_block: stored(head.number)?,
        block_hash: head.hash.to_string(),
        first_block: stored(head.number)?,
        trouble: None,
        trouble_since: None,
        trouble_told_at: None,
        look: 0,
        due_at: Some(app.clock.now()),
        updated_at: app.clock.now(),
    };
    let once = OnConflict::column(chain_cursor::Column::ChainId).do_nothing().to_owned();
    let insert = chain_cursor::Entity::insert(chain_cursor::ActiveModel::from(row.clone()));
    if insert.on_conflict(once).exec_without_returning(&*tx).await? == 1 {
        look_at(app, &tx, &row, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(None)
}

async fn still_canonical(app: &App, cursor: &chain_cursor::Model, scanned: u64) -> Result<bool> {
    let now = app.chain.block(BlockTag::Number(scanned)).await?;
    Ok(now.is_some_and(|block| block.hash.to_string() == cursor.block_hash))
}

/// The transfers of each transaction, with the time of its block.
async fn with_times(app: &App, transfers: Vec<Transfer>) -> Result<Vec<(Vec<Transfer>, DateTime<Utc>)>> {
    let mut blocks: HashMap<u64, Block> = HashMap::new();
    let mut timed = Vec::new();
    // In chain order a transaction's transfers stand side by side.
    for sent in transfers.chunk_by(|one, next| one.transaction_hash == next.transaction_hash) {
        let Some(Transfer { block_number, block_hash, .. }) = sent.first() else { continue };
        let mined = match blocks.remove(block_number) {
            Some(mined) => mined,
            None => block(app, BlockTag::Number(*block_number)).await?,
        };
        if mined.hash != *block_hash {
            return Err(changed());
        }
        timed.push((sent.to_vec(), mined.time));
        blocks.insert(*block_number, mined);
    }
    Ok(timed)
}

async fn advance(
    app: &App,
    tx: &Tx,
    seen: &chain_cursor::Model,
    last: Option<&Block>,
    more: bool,
    trouble: Option<&str>,
) -> Result<()> {
    let row = chain_cursor::Entity::find_by_id(seen.chain_id).lock_exclusive().one(&**tx).await?;
    // Another process may have read the same blocks meanwhile; what it found is the same, and it goes on.
    let Some(row) = row.filter(|row| row.look == seen.look) else { return Ok(()) };
    let now = app.clock.now();
    // An orphaned transfer has turned the scanner back meanwhile: then it does not move on.
    if let Some(last) = last.filter(|_| row.block_hash == seen.block_hash) {
        let change = chain_cursor::ActiveModel {
            chain_id: Set(row.chain_id),
            scanned_block: Set(stored(last.number)?),
            block_hash: Set(last.hash.to_string()),
            updated_at: Set(now),
            ..Default::default()
        };
        change.update(&**tx).await?;
    }
    witness::keep(app, tx, &row, trouble).await?;
    let poll = poll(app);
    let pause = match (more, deposits_open(tx).await?) {
        (true, _) => chrono::Duration::zero(),
        (false, true) => poll,
        (false, false) => poll * IDLE_FACTOR,
    };
    look_at(app, tx, &row, now + pause).await
}

async fn deposits_open(tx: &Tx) -> Result<bool> {
    let open = payment::Entity::find()
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::Status.is_in(OPEN))
        .count(&**tx)
        .await?;
    Ok(open > 0)
}
