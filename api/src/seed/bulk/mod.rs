//! A market of any size, for lists that have pages and figures that mean something.
//!
//! Written as rows, thousands a statement: by the services it would take hours. It keeps to what the services would
//! have left behind, the ledger included: the people of this market joined while no fee was taken (fee schedule 0), so
//! that what was paid in was paid out, and the treasury holds exactly what the chain says.

mod dice;
mod money;
mod step;
mod words;
mod write;

use std::collections::HashSet;

use chrono::{DateTime, Duration, DurationRound as _, Utc};
use domain::{
    Actor, App,
    entities::{CategoryId, LedgerAccountId, SkillId, fee_schedule, user},
    ledger::{self, Account},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::OnConflict,
};

use super::Plan;
use crate::seed::Result;
use dice::Dice;
use write::Rows;

/// Steps that one transaction writes.
const AT_ONCE: u32 = 100;
/// The fee schedule of those who joined first: nothing.
const FOUNDERS_FEE: i32 = 0;

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Grown {
    /// Whether anybody was registered just now.
    pub(super) registered: bool,
    /// Rows written.
    pub(super) rows: u64,
}

/// What every step needs to know.
struct Ground<'a> {
    skills: &'a [SkillId],
    /// In the order of display, by slug.
    categories: Vec<(String, CategoryId)>,
    password_hash: String,
    chain_id: i64,
    treasury: LedgerAccountId,
    treasury_address: String,
    confirmations: Option<i32>,
    /// The last midnight: the same scale and seed make the same rows all day long.
    until: DateTime<Utc>,
}

/// The steps beyond the first, as far as they are missing.
pub(super) async fn grow(app: &App, plan: &Plan, skills: &[SkillId]) -> Result<Grown> {
    let mut grown = Grown::default();
    if plan.scale < 2 {
        return Ok(grown);
    }
    let ground = ground(app, plan, skills).await?;
    let steps: Vec<u32> = (2..=plan.scale).collect();
    for batch in steps.chunks(AT_ONCE as usize) {
        let missing = missing(app, batch).await?;
        if missing.is_empty() {
            continue;
        }
        let mut rows = Rows::default();
        for step in missing {
            step::make(&mut rows, &ground, Dice::of(plan.seed, step), step)?;
        }
        let tx = app.db.begin().await?;
        grown.rows += rows.write(&tx).await?;
        tx.commit().await?;
        grown.registered = true;
    }
    grown.rows += u64::try_from(domain::search::fill(&app.db).await?)?;
    Ok(grown)
}

async fn ground<'a>(app: &App, plan: &Plan, skills: &'a [SkillId]) -> Result<Ground<'a>> {
    let now = app.clock.now();
    let fee = fee_schedule::ActiveModel {
        version: Set(FOUNDERS_FEE),
        basis_points: Set(0),
        effective_at: Set(DateTime::UNIX_EPOCH),
    };
    let once = OnConflict::column(fee_schedule::Column::Version).do_nothing().to_owned();
    let tx = app.db.begin().await?;
    fee_schedule::Entity::insert(fee).on_conflict(once).exec_without_returning(&*tx).await?;
    let treasury = ledger::open(app, &tx, Account::Treasury(domain::entities::PaymentRail::Chain)).await?;
    tx.commit().await?;
    let categories = domain::category::list(app, &Actor::System, false).await?;
    Ok(Ground {
        skills,
        categories: categories.into_iter().map(|row| (row.slug, row.id)).collect(),
        // One for all of them: a hash each would take longer than everything else.
        password_hash: domain::account::password::hash(app, plan.password.clone()).await?,
        chain_id: i64::try_from(app.chain.chain_id())?,
        treasury,
        treasury_address: app.chain.treasury().to_string(),
        confirmations: i32::try_from(app.settings.confirmations).ok(),
        until: now.duration_trunc(Duration::days(1))?,
    })
}

/// The steps whose client is not there.
async fn missing(app: &App, steps: &[u32]) -> Result<Vec<u32>> {
    let there = user::Entity::find()
        .filter(user::Column::EmailKey.is_in(steps.iter().map(|step| step::client_of(*step))))
        .all(app.db.reader())
        .await?;
    let there: HashSet<String> = there.into_iter().map(|row| row.email_key).collect();
    Ok(steps.iter().copied().filter(|step| !there.contains(&step::client_of(*step))).collect())
}
