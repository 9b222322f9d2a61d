//! The task that holds the treasury, and the balance at Circle, against the books: what it finds is kept, and administrators hear
//! when it changes. Less there than in the books: no money goes out until somebody has looked.

use chrono::Duration;
use entities::{PaymentRail, ReconciliationOutcome as Outcome, Usdc, reconciliation};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Select,
};

use super::{
    circle::{self, AtCircle},
    compare::{Compared, Comparison, compare},
    switch,
};
use crate::{
    Actor, App, Error, Tx,
    error::Result,
    notification::{Notice, notify_admins},
    page::List,
    payment::numbers::stored,
    policy::{self, Action},
    ports::chain::Block,
};

/// How long nothing may be comparable before administrators hear of it.
const PATIENCE: Duration = Duration::hours(1);

/// What people read whose payouts are held because a rail holds less than the books say.
pub(super) const fn less(rail: PaymentRail) -> &'static str {
    match rail {
        PaymentRail::Chain => {
            "the treasury holds less USDC than the books say, and an administrator has to look"
        }
        PaymentRail::Circle => {
            "Circle holds less of our USDC than the books say, and an administrator has to look"
        }
    }
}

/// What a look at a rail came to.
#[derive(Debug, Clone)]
enum Look {
    /// `slack`: so much less than `expected`, or more, would do as well.
    At {
        block: Option<Block>,
        there: Usdc,
        expected: Usdc,
        slack: (Usdc, Usdc),
    },
    Not(String),
}

impl Look {
    /// What is there more than it should be, if that is known.
    fn difference(&self) -> Result<Option<Usdc>> {
        match self {
            Self::At { there, expected, .. } => Ok(Some(there.minus(*expected)?)),
            Self::Not(_) => Ok(None),
        }
    }
}

/// What was found on the chain waits no longer for Circle: the task has its time limit.
const CIRCLE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Compares each rail, and keeps what came of it. A failure of the chain or of Circle is an outcome too. How many comparisons there
/// were: the task `treasury-reconcile` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn reconcile(app: &App) -> Result<u64> {
    let mut looks = vec![(PaymentRail::Chain, twice(app, PaymentRail::Chain).await?)];
    if app.circle.is_some() {
        let late = || Ok(Look::Not(format!("Circle takes longer than {} s", CIRCLE_PATIENCE.as_secs())));
        let look = tokio::time::timeout(CIRCLE_PATIENCE, twice(app, PaymentRail::Circle)).await;
        looks.push((PaymentRail::Circle, look.unwrap_or_else(|_| late())?));
    }
    moved_unrecorded(&mut looks)?;
    let mut compared = 0;
    for (rail, look) in &looks {
        keep(app, row(app, *rail, look)?).await?;
        compared += u64::from(matches!(look, Look::At { .. }));
    }
    Ok(compared)
}

/// A difference counts when a second look finds the same.
async fn twice(app: &App, rail: PaymentRail) -> Result<Look> {
    let first = look(app, rail).await?;
    match first.difference()? {
        None | Some(Usdc::ZERO) => return Ok(first),
        Some(_) => {}
    }
    let second = look(app, rail).await?;
    Ok(match second.difference()? {
        None | Some(Usdc::ZERO) => second,
        same if same == first.difference()? => second,
        Some(_) => Look::Not("two looks found different amounts".to_owned()),
    })
}

async fn look(app: &App, rail: PaymentRail) -> Result<Look> {
    let looked = match (rail, app.circle.as_deref()) {
        (PaymentRail::Chain, _) => compare(app).await.map(|compared| match compared {
            Compared::At(Comparison { block, on_chain, expected }) => {
                Look::At { block: Some(block), there: on_chain, expected, slack: (Usdc::ZERO, Usdc::ZERO) }
            }
            Compared::Not(reason) => Look::Not(reason),
        }),
        (PaymentRail::Circle, Some(circle)) => {
            circle::compare(app, circle).await.map(|compared| match compared {
                AtCircle::Holds { there, expected, slack } => {
                    Look::At { block: None, there, expected, slack }
                }
                AtCircle::Not(reason) => Look::Not(reason),
            })
        }
        (PaymentRail::Circle, None) => Ok(Look::Not("Circle is not set up".to_owned())),
    };
    match looked {
        Err(Error::Port(error)) => Ok(Look::Not(error.to_string())),
        other => other,
    }
}

/// What one rail lacks the other has more, but for what is under way there: it was moved, and nobody has recorded it yet. Nothing
/// is missing.
fn moved_unrecorded(looks: &mut [(PaymentRail, Look)]) -> Result<()> {
    let [(_, chain), (_, other)] = looks else { return Ok(()) };
    let Look::At { slack: (less, more), .. } = *other else { return Ok(()) };
    let (Some(here), Some(there)) = (chain.difference()?, other.difference()?) else { return Ok(()) };
    let (least, most) = (there.minus(more)?, there.plus(less)?);
    if here != Usdc::ZERO && there != Usdc::ZERO && (least..=most).contains(&here.negated()?) {
        let (amount, from) =
            if here.is_positive() { (here, "Circle") } else { (here.negated()?, "the chain") };
        let reason = format!(
            "{amount} are missing from {from}, and the other rail has as much more: if they were moved, record it with treasuryMove"
        );
        *chain = Look::Not(reason.clone());
        *other = Look::Not(reason);
    }
    Ok(())
}

fn row(app: &App, rail: PaymentRail, look: &Look) -> Result<reconciliation::Model> {
    let blank = reconciliation::Model {
        id: app.clock.new_id(),
        rail,
        outcome: Outcome::Skipped,
        block_number: None,
        block_hash: None,
        on_chain: None,
        expected: None,
        difference: None,
        reason: None,
        acknowledged: false,
        created_at: app.clock.now(),
    };
    Ok(match look {
        Look::Not(reason) => reconciliation::Model { reason: Some(reason.clone()), ..blank },
        Look::At { block, there, expected, .. } => {
            let difference = there.minus(*expected)?;
            reconciliation::Model {
                outcome: match difference.micro() {
                    0 => Outcome::Ok,
                    ..0 => Outcome::Less,
                    _ => Outcome::More,
                },
                block_number: block.as_ref().map(|block| stored(block.number)).transpose()?,
                block_hash: block.as_ref().map(|block| block.hash.to_string()),
                on_chain: Some(*there),
                expected: Some(*expected),
                difference: Some(difference),
                ..blank
            }
        }
    })
}

/// Writes it down, and does what it calls for. Who does so waits for the others: each hears of a change once. Money goes out while
/// some is missing only when an administrator has let it, knowing of as much.
async fn keep(app: &App, mut row: reconciliation::Model) -> Result<()> {
    let tx = app.db.begin().await?;
    switch::locked(&tx).await?;
    let before = last_compared(&*tx, row.rail).await?;
    let old = before.as_ref().map_or(Outcome::Ok, |before| before.outcome);
    let less_now = row.outcome == Outcome::Less;
    let worse = less_now && before.as_ref().and_then(|before| before.difference) > row.difference;
    row.acknowledged = less_now && !worse && before.as_ref().is_some_and(|before| before.acknowledged);
    let row = row;
    reconciliation::Entity::insert(row.clone().into_active_model()).exec_without_returning(&*tx).await?;
    let (event, rail) = (row.id.to_string(), row.rail);
    match (row.outcome, row.difference, row.on_chain, row.expected) {
        (Outcome::Skipped, ..) => unchecked(app, &tx, before, &row).await?,
        (Outcome::Ok, ..) => {
            if old != Outcome::Ok {
                notify_admins(app, &tx, &Notice::TreasuryAgrees { rail }, &event).await?;
            }
        }
        (outcome, Some(difference), Some(there), Some(expected)) => {
            if old != outcome || worse {
                tracing::error!(%difference, %there, %expected, rail = rail.as_str(), "the treasury is not what the books say");
                let notice = Notice::TreasuryDiffers { rail, less: less_now, difference, there, expected };
                notify_admins(app, &tx, &notice, &event).await?;
            }
            if less_now && !row.acknowledged {
                switch::engage(app, &tx, None, less(rail)).await?;
            }
        }
        _ => return Err(Error::bug("a comparison without its figures")),
    }
    tx.commit().await
}

/// Money is let go although some is missing: what the newest comparisons of these rails found does not pause it again, and what is
/// missing beyond that does. The switch is locked.
pub(super) async fn acknowledge(
    tx: &Tx,
    rails: impl IntoIterator<Item = PaymentRail>,
) -> Result<Vec<&'static str>> {
    let mut known = Vec::new();
    for rail in rails {
        let last = last_compared(&**tx, rail).await?;
        let Some(last) = last.filter(|last| last.outcome == Outcome::Less) else { continue };
        let change =
            reconciliation::ActiveModel { id: Set(last.id), acknowledged: Set(true), ..Default::default() };
        change.update(&**tx).await?;
        known.push(rail.as_str());
    }
    Ok(known)
}

/// Nothing could be compared. Once it has been so for long, administrators hear of it, once.
async fn unchecked(
    app: &App,
    tx: &Tx,
    before: Option<reconciliation::Model>,
    row: &reconciliation::Model,
) -> Result<()> {
    let mut skipped = on(row.rail);
    if let Some(before) = &before {
        skipped = skipped.filter(reconciliation::Column::Id.gt(before.id));
    }
    let first = skipped.order_by_asc(reconciliation::Column::Id).one(&**tx).await?;
    let Some(first) = first.filter(|first| first.created_at + PATIENCE <= row.created_at) else {
        return Ok(());
    };
    let since = first.created_at.format("%Y-%m-%d %H:%M UTC").to_string();
    let rail = row.rail;
    let notice = Notice::TreasuryUnchecked { rail, since, reason: row.reason.clone().unwrap_or_default() };
    notify_admins(app, tx, &notice, &format!("{}:UNCHECKED", first.id)).await
}

/// The newest of a rail that compared something.
async fn last_compared(
    conn: &impl ConnectionTrait,
    rail: PaymentRail,
) -> Result<Option<reconciliation::Model>> {
    Ok(on(rail)
        .filter(reconciliation::Column::Outcome.ne(Outcome::Skipped))
        .order_by_desc(reconciliation::Column::Id)
        .one(conn)
        .await?)
}

/// The newest run on the chain, whatever came of it.
///
/// # Errors
///
/// When the database fails.
pub async fn last(conn: &impl ConnectionTrait) -> Result<Option<reconciliation::Model>> {
    last_on(conn, PaymentRail::Chain).await
}

/// The newest run on a rail, whatever came of it.
///
/// # Errors
///
/// When the database fails.
pub async fn last_on(
    conn: &impl ConnectionTrait,
    rail: PaymentRail,
) -> Result<Option<reconciliation::Model>> {
    Ok(on(rail).order_by_desc(reconciliation::Column::Id).one(conn).await?)
}

fn on(rail: PaymentRail) -> Select<reconciliation::Entity> {
    all().filter(reconciliation::Column::Rail.eq(rail))
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
