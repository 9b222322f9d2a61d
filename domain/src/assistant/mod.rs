//! What is asked of the assistant, and how often: each of its services has a budget a day, and rests when it fails. Both
//! stand in a row that all processes share. Of the texts that are compared one person may use a part alone; drafts are limited
//! where requests are. Nobody waits for what may not be asked: everything works without it.
//!
//! A service has a row of its own, because servers differ: one that has no embeddings may write very well.

use std::fmt;

use chrono::{DateTime, Utc};
use entities::{UserId, assistant_meter, assistant_share};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, QuerySelect};

use crate::{
    App, Tx,
    error::{Error, Result},
    ports::openai::NoAnswer,
    settings::AssistantBudget,
};

mod meter;
mod share;

use meter::Leave;

/// What it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// What texts mean; counted in texts.
    Embeddings,
    /// Texts that it writes.
    Drafts,
}

/// Why nothing came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The budget is 0: it is never asked for this.
    Off,
    /// The budget of the day is used up, or what one person may use of it, or less is left than would be needed.
    Spent {
        /// When it begins anew.
        until: DateTime<Utc>,
    },
    /// It failed several times in a row.
    Resting {
        /// When it is asked again.
        until: DateTime<Utc>,
    },
    /// It was asked.
    NoAnswer(NoAnswer),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("its budget is 0"),
            Self::Spent { until } => {
                write!(f, "its budget, or this person's share of it, is used up until {until}")
            }
            Self::Resting { until } => write!(f, "it rests until {until}"),
            Self::NoAnswer(why) => why.fmt(f),
        }
    }
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "EMBEDDINGS",
            Self::Drafts => "DRAFTS",
        }
    }

    fn budget(self, of: &AssistantBudget) -> i64 {
        i64::from(match self {
            Self::Embeddings => of.embeddings,
            Self::Drafts => of.drafts,
        })
    }
}

/// Asks by `call` for so many texts or drafts, unless the service rests, or the day's budget has no room for them, or the share
/// of who asks, where one is named. What was asked is counted before, and stays so when nothing comes of it or nobody waits for it
/// any more: it may have cost as much. For nothing new nobody needs leave.
pub(crate) async fn ask<T>(
    app: &App,
    service: Service,
    asker: Option<UserId>,
    units: usize,
    call: impl Future<Output = Result<T, NoAnswer>>,
) -> Result<Result<T, Silence>> {
    if units == 0 {
        return Ok(call.await.map_err(Silence::NoAnswer));
    }
    let leave = match enter(app, service, asker, i64::try_from(units).unwrap_or(i64::MAX)).await? {
        Ok(leave) => leave,
        Err(silence) => return Ok(Err(silence)),
    };
    let answer = call.await;
    let noted = match answer {
        // Who declines one question is there for the others.
        Ok(_) | Err(NoAnswer::Declined(_)) => answered(app, service, leave).await,
        Err(NoAnswer::Failed(_)) => failed(app, service, leave).await,
    };
    if let Err(error) = noted {
        // An answer is not thrown away over the book that is kept of it.
        tracing::warn!(%error, service = service.name(), "what the assistant did could not be written down");
    }
    Ok(answer.map_err(Silence::NoAnswer))
}

/// Leave to ask, counted.
async fn enter(
    app: &App,
    service: Service,
    asker: Option<UserId>,
    units: i64,
) -> Result<Result<Leave, Silence>> {
    let budget = service.budget(&app.settings.assistant_budget);
    // Who is refused hears it without a lock: while it rests, that is everybody.
    let seen = assistant_meter::Entity::find_by_id(service.name()).one(app.db.reader()).await?;
    let seen = seen.ok_or_else(gone)?;
    if let Err(silence) = admit(app, app.db.reader(), &seen, asker, (budget, units)).await? {
        return Ok(Err(silence));
    }
    let tx = app.db.begin().await?;
    let row = locked(&tx, service).await?;
    let (next, leave, share) = match admit(app, &*tx, &row, asker, (budget, units)).await? {
        Ok(admitted) => admitted,
        Err(silence) => return Ok(Err(silence)),
    };
    if let Some(share) = share {
        share::write(&*tx, share).await?;
    }
    if meter::runs_short(&row, &next, budget) {
        let (service, used) = (service.name(), next.used);
        tracing::warn!(service, used, budget, "the assistant's budget of the day is nearly used up");
    }
    write(&*tx, next).await?;
    tx.commit().await?;
    Ok(Ok(leave))
}

/// What a service's row and its asker's say when so much more is asked.
async fn admit(
    app: &App,
    conn: &impl ConnectionTrait,
    row: &assistant_meter::Model,
    asker: Option<UserId>,
    (budget, units): (i64, i64),
) -> Result<Result<(assistant_meter::Model, Leave, Option<assistant_share::Model>), Silence>> {
    let (next, leave) = match meter::enter(row, budget, units, app.clock.now()) {
        Ok(entered) => entered,
        Err(silence) => return Ok(Err(silence)),
    };
    let (Some(asker), Some(until)) = (asker, next.resets_at) else { return Ok(Ok((next, leave, None))) };
    Ok(match share::with(conn, asker, (budget, units), until).await? {
        Some(share) => Ok((next, leave, Some(share))),
        None => Err(Silence::Spent { until }),
    })
}

async fn answered(app: &App, service: Service, leave: Leave) -> Result<()> {
    if !leave.troubled {
        return Ok(());
    }
    let tx = app.db.begin().await?;
    let row = locked(&tx, service).await?;
    if row.rests > 0 {
        tracing::info!(service = service.name(), "the assistant answers again");
    }
    write(&*tx, meter::answered(row)).await?;
    tx.commit().await
}

async fn failed(app: &App, service: Service, leave: Leave) -> Result<()> {
    let tx = app.db.begin().await?;
    let row = locked(&tx, service).await?;
    let Some(next) = meter::failed(row, leave, app.clock.now()) else { return Ok(()) };
    if let Some(until) = next.rests_until {
        let (service, failures) = (service.name(), next.failures);
        tracing::warn!(service, failures, %until, "the assistant rests: it failed too often in a row");
    }
    write(&*tx, next).await?;
    tx.commit().await
}

/// A service's row, locked until the transaction ends. Nothing else is locked with it.
async fn locked(tx: &Tx, service: Service) -> Result<assistant_meter::Model> {
    let row = assistant_meter::Entity::find_by_id(service.name()).lock_exclusive().one(&**tx).await?;
    row.ok_or_else(gone)
}

async fn write(conn: &impl ConnectionTrait, row: assistant_meter::Model) -> Result<()> {
    let change = assistant_meter::ActiveModel {
        service: Set(row.service),
        used: Set(row.used),
        resets_at: Set(row.resets_at),
        failures: Set(row.failures),
        rests: Set(row.rests),
        rests_until: Set(row.rests_until),
    };
    change.update(conn).await?;
    Ok(())
}

fn gone() -> Error {
    Error::bug("a meter of the assistant is gone")
}
