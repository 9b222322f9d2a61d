//! What an operator wants to know of the treasury in the middle of the night: the books answer at once, and the chain when
//! it does.

use std::time::Duration;

use entities::{
    ChainTransferStatus, PaymentKind, PaymentRail, PaymentStatus, Usdc, chain_nonce, chain_transfer, payment,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Actor, App,
    error::Result,
    ledger::{self, Account, sum_of},
    payment::{numbers::chain_id, payout},
    policy::{self, Action},
    ports::chain::BlockTag,
};

/// How long the chain is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Money on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// How much.
    pub amount: Usdc,
    /// In how many parts.
    pub count: i64,
}

/// What the database says, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// What the treasury has by the ledger.
    pub in_ledger: Usdc,
    /// What is at Circle by the ledger.
    pub at_circle: Usdc,
    /// What others took for moving our money.
    pub costs: Usdc,
    /// What came and is not booked yet.
    pub pending_in: Flow,
    /// What is queued or under way to somebody.
    pub pending_out: Flow,
    /// How many payments are held.
    pub held: i64,
    /// The next nonce to be signed with; `None` when nothing was signed yet.
    pub next_nonce: Option<i64>,
    /// How many moves used one from there on, and are recorded: the counter passes them when what comes before is known.
    pub moved_ahead: i64,
}

/// What the chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnChain {
    /// The treasury's USDC, in the newest block.
    pub usdc: Usdc,
    /// Its native coin, in wei.
    pub gas: u128,
    /// How many of its transactions are mined.
    pub mined_nonce: u64,
}

/// Refuses everybody but admins: call it before anything below.
///
/// # Errors
///
/// When the actor is no admin.
pub fn enter(actor: &Actor) -> Result<()> {
    policy::authorise(actor, Action::Administer, "", "treasury")
}

/// What the database says.
///
/// # Errors
///
/// When the database fails.
pub async fn books(app: &App) -> Result<Books> {
    use payment::Column;
    let snapshot = app.db.snapshot().await?;
    let db = &*snapshot;
    let outgoing = |states: &[PaymentStatus]| {
        payment::Entity::find()
            .filter(Column::Kind.ne(PaymentKind::Deposit))
            .filter(Column::Status.is_in(states.iter().copied()))
    };
    let seen =
        chain_transfer::Entity::find().filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen));
    let waits = [PaymentStatus::Queued, PaymentStatus::OnHold];
    let under_way = [PaymentStatus::Submitted, PaymentStatus::Confirming];
    let counter = (app.chain.treasury().to_string(), chain_id(app)?);
    let nonce = chain_nonce::Entity::find_by_id(counter).one(db).await?;
    let ahead = match &nonce {
        Some(row) => payout::used_by_moves(db, row).await?.len(),
        None => 0,
    };
    Ok(Books {
        in_ledger: ledger::balance(db, Account::Treasury(PaymentRail::Chain)).await?,
        at_circle: ledger::balance(db, Account::Treasury(PaymentRail::Circle)).await?,
        costs: ledger::balance(db, Account::Costs).await?,
        pending_in: flow(db, seen, chain_transfer::Column::Amount).await?,
        pending_out: flow(db, outgoing(&[waits, under_way].concat()), Column::Net).await?,
        held: flow(db, outgoing(&[PaymentStatus::OnHold]), Column::Net).await?.count,
        next_nonce: nonce.map(|row| row.next_nonce),
        moved_ahead: i64::try_from(ahead).unwrap_or(i64::MAX),
    })
}

/// What the chain says; `None` when it does not answer in time.
pub async fn on_chain(app: &App) -> Option<OnChain> {
    let treasury = app.chain.treasury();
    let asked = futures::future::try_join3(
        app.chain.usdc_balance(treasury),
        app.chain.native_balance(treasury),
        app.chain.mined_nonce(treasury, BlockTag::Latest),
    );
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok((usdc, gas, mined_nonce))) => Some(OnChain { usdc, gas, mined_nonce }),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the chain does not say what the treasury has");
            None
        }
        Err(_) => {
            tracing::warn!(after = ?PATIENCE, "the chain does not say what the treasury has");
            None
        }
    }
}

/// What Circle says that we have there; `None` when it is not set up, or does not answer in time.
pub async fn at_circle(app: &App) -> Option<Usdc> {
    let circle = app.circle.as_deref()?;
    match tokio::time::timeout(PATIENCE, circle.balance()).await {
        Ok(Ok(balance)) => Some(balance),
        Ok(Err(error)) => {
            tracing::warn!(%error, "Circle does not say what we have there");
            None
        }
        Err(_) => {
            tracing::warn!(after = ?PATIENCE, "Circle does not say what we have there");
            None
        }
    }
}

async fn flow<E: EntityTrait>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    amount: E::Column,
) -> Result<Flow> {
    let row: Option<(Option<i64>, i64)> = select
        .select_only()
        .expr(sum_of(E::default(), amount))
        .expr(Expr::col((E::default(), amount)).count())
        .into_tuple()
        .one(db)
        .await?;
    let (sum, count) = row.unwrap_or_default();
    Ok(Flow { amount: Usdc(sum.unwrap_or(0)), count })
}
