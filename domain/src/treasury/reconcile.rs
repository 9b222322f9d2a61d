//! The task that holds the treasury against the books: what it finds is kept, and administrators hear when it changes.
//! Less on the chain than in the books: no money goes out until somebody has looked.

use chrono::Duration;
use entities::{ReconciliationOutcome as Outcome, Usdc, reconciliation};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select};

use super::{
    compare::{Compared, Comparison, compare},
    switch,
};
use crate::{
    Actor, App, Error, Tx,
    error::Result,
    notification::Notice,
    page::List,
    payment::numbers::stored,
    policy::{self, Action},
};

/// How long nothing may be comparable before administrators hear of it.
const PATIENCE: Duration = Duration::hours(1);
/// What people whose payouts are held for it read.
const LESS: &str = "the treasury holds less USDC than the books say, and an administrator has to look";

/// Compares, and keeps what came of it. A failure of the chain is an outcome too. How many comparisons there were: the task
/// `treasury-reconcile` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn reconcile(app: &App) -> Result<u64> {
    let compared = match twice(app).await {
        Err(Error::Port(error)) => Compared::Not(error.to_string()),
        other => other?,
    };
    let row = row(app, &compared)?;
    keep(app, &row).await?;
    Ok(u64::from(row.outcome != Outcome::Skipped))
}

/// A difference counts when a second look finds the same.
async fn twice(app: &App) -> Result<Compared> {
    let difference = |compared: &Compared| match compared {
        Compared::At(comparison) => comparison.difference().map(Some),
        Compared::Not(_) => Ok(None),
    };
    let first = compare(app).await?;
    match difference(&first)? {
        None | Some(Usdc::ZERO) => return Ok(first),
        Some(_) => {}
    }
    let second = compare(app).await?;
    if difference(&second)? == difference(&first)? {
        return Ok(second);
    }
    Ok(match second {
        Compared::At(same) if same.difference()? == Usdc::ZERO => Compared::At(same),
        Compared::At(_) => Compared::Not("two looks found different amounts".to_owned()),
        not @ Compared::Not(_) => not,
    })
}

fn row(app: &App, compared: &Compared) -> Result<reconciliation::Model> {
    let blank = reconciliation::Model {
        id: app.clock.new_id(),
        outcome: Outcome::Skipped,
        block_number: None,
        block_hash: None,
        on_chain: None,
        expected: None,
        difference: None,
        reason: None,
        created_at: app.clock.now(),
    };
    Ok(match compared {
        Compared::Not(reason) => reconciliation::Model { reason: Some(reason.clone()), ..blank },
        Compared::At(comparison) => {
            let Comparison { block, on_chain, expected } = comparison;
            let difference = comparison.difference()?;
            reconciliation::Model {
                outcome: match difference.micro() {
                    0 => Outcome::Ok,
                    ..0 => Outcome::Less,
                    _ => Outcome::More,
                },
                block_number: Some(stored(block.number)?),
                block_hash: Some(block.hash.to_string()),
                on_chain: Some(*on_chain),
                expected: Some(*expected),
                difference: Some(difference),
                ..blank
            }
        }
    })
}

/// Writes it down, and does what it calls for when it is news. Who does so waits for the others: each hears of a change
/// once.
async fn keep(app: &App, row: &reconciliation::Model) -> Result<()> {
    let tx = app.db.begin().await?;
    switch::locked(&tx).await?;
    let before = last_compared(&*tx).await?;
    reconciliation::Entity::insert(row.clone().into_active_model()).exec_without_returning(&*tx).await?;
    let event = row.id.to_string();
    let old = before.as_ref().map_or(Outcome::Ok, |before| before.outcome);
    match (row.outcome, row.difference, row.on_chain, row.expected) {
        (Outcome::Skipped, ..) => unchecked(app, &tx, before, row).await?,
        (Outcome::Ok, ..) => {
            if old != Outcome::Ok {
                switch::tell(app, &tx, &Notice::TreasuryAgrees, &event).await?;
            }
        }
        (outcome, Some(difference), Some(on_chain), Some(expected)) => {
            let less = outcome == Outcome::Less;
            // An administrator may have let payments go on knowing of it; not of what is missing since.
            let worse = less && before.and_then(|before| before.difference) > Some(difference);
            if old != outcome || worse {
                tracing::error!(%difference, %on_chain, %expected, "the treasury is not what the books say");
                let notice = Notice::TreasuryDiffers { less, difference, on_chain, expected };
                switch::tell(app, &tx, &notice, &event).await?;
                if less {
                    switch::engage(app, &tx, None, LESS).await?;
                }
            }
        }
        _ => return Err(Error::bug("a comparison without its figures")),
    }
    tx.commit().await
}

/// Nothing could be compared. Once it has been so for long, administrators hear of it, once.
async fn unchecked(
    app: &App,
    tx: &Tx,
    before: Option<reconciliation::Model>,
    row: &reconciliation::Model,
) -> Result<()> {
    let mut skipped = reconciliation::Entity::find();
    if let Some(before) = &before {
        skipped = skipped.filter(reconciliation::Column::Id.gt(before.id));
    }
    let first = skipped.order_by_asc(reconciliation::Column::Id).one(&**tx).await?;
    let Some(first) = first.filter(|first| first.created_at + PATIENCE <= row.created_at) else {
        return Ok(());
    };
    let since = first.created_at.format("%Y-%m-%d %H:%M UTC").to_string();
    let notice = Notice::TreasuryUnchecked { since, reason: row.reason.clone().unwrap_or_default() };
    switch::tell(app, tx, &notice, &format!("{}:UNCHECKED", first.id)).await
}

/// The newest that compared something.
async fn last_compared(conn: &impl ConnectionTrait) -> Result<Option<reconciliation::Model>> {
    Ok(reconciliation::Entity::find()
        .filter(reconciliation::Column::Outcome.ne(Outcome::Skipped))
        .order_by_desc(reconciliation::Column::Id)
        .one(conn)
        .await?)
}

/// The newest run, whatever came of it.
///
/// # Errors
///
/// When the database fails.
pub async fn last(conn: &impl ConnectionTrait) -> Result<Option<reconciliation::Model>> {
    Ok(all().order_by_desc(reconciliation::Column::Id).one(conn).await?)
}

/// Every run, newest first; for admins.
///
/// # Errors
///
/// When the actor is no admin.
pub fn list(actor: &Actor) -> Result<List<reconciliation::Entity>> {
    policy::authorise(actor, Action::Administer, "", "treasury")?;
    Ok(List::by_id(all(), reconciliation::Column::Id, true))
}

fn all() -> Select<reconciliation::Entity> {
    reconciliation::Entity::find()
}
