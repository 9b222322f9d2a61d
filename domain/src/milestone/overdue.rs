//! Handed-in work that nobody answers: both sides are reminded, then it is released by itself.

use chrono::{DateTime, Utc};
use entities::{MilestoneId, MilestoneStatus, milestone};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use super::{REMIND_BEFORE, money::release, moves, open};
use crate::{
    App,
    error::Result,
    notification::{Notice, notify},
};

/// How many milestones one look takes; the next look finds the rest.
const AT_ONCE: u64 = 100;

/// Releases what was handed in fourteen days ago and not answered; how many there were. The clock alone decides
/// it and nobody outside is asked, so it needs no job of its own: a task looks every few minutes. The state and
/// the time are looked at again under lock, so two looks at once, or an answer beside them, do it once.
pub async fn release_overdue(app: &App) -> Result<u64> {
    let due = unanswered(app.clock.now());
    let mut tally = Tally::default();
    for id in ids(app, due).await? {
        tally.add(id, release_one(app, id).await);
    }
    tally.done()
}

/// Reminds both sides of what will be released within three days; how many milestones there were. Each
/// submission is reminded of once.
pub async fn remind(app: &App) -> Result<u64> {
    let near = unanswered(app.clock.now() + REMIND_BEFORE)
        .filter(milestone::Column::AutoReleaseAt.gt(app.clock.now()))
        .filter(milestone::Column::ReleaseRemindedAt.is_null());
    let mut tally = Tally::default();
    for id in ids(app, near).await? {
        tally.add(id, remind_one(app, id).await);
    }
    tally.done()
}

fn unanswered(until: DateTime<Utc>) -> Select<milestone::Entity> {
    milestone::Entity::find()
        .filter(milestone::Column::Status.eq(MilestoneStatus::Submitted))
        .filter(milestone::Column::AutoReleaseAt.lte(until))
        .order_by_asc(milestone::Column::AutoReleaseAt)
}

async fn ids(app: &App, select: Select<milestone::Entity>) -> Result<Vec<MilestoneId>> {
    let ids = select.select_only().column(milestone::Column::Id).limit(AT_ONCE).into_tuple();
    Ok(ids.all(app.db.reader()).await?)
}

/// Counts what was done. One that fails does not keep the others from their turn.
#[derive(Default)]
struct Tally {
    done: u64,
    failed: Option<crate::Error>,
}

impl Tally {
    fn add(&mut self, id: MilestoneId, result: Result<bool>) {
        match result {
            Ok(done) => self.done += u64::from(done),
            Err(error) => {
                tracing::error!(milestone = %id, %error, "an unanswered milestone could not be seen to");
                self.failed = Some(error);
            }
        }
    }

    fn done(self) -> Result<u64> {
        self.failed.map_or(Ok(self.done), Err)
    }
}

async fn release_one(app: &App, id: MilestoneId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let (milestone, contract) = open(&tx, id).await?;
    let due = milestone.auto_release_at.is_some_and(|at| at <= app.clock.now());
    let waits = milestone.status == MilestoneStatus::Submitted && due;
    if !waits || !moves(contract.status, MilestoneStatus::Approved) {
        return Ok(false);
    }
    let (milestone, payment) = release(app, &tx, &milestone, &contract, None).await?;
    for person in [contract.client_id, contract.freelancer_id] {
        let (title, net) = (milestone.title.clone(), payment.net);
        let notice = Notice::MilestoneAutoReleased { milestone: id, title, net };
        notify(app, &tx, person, notice, &format!("{id}:APPROVED:{}", milestone.version)).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn remind_one(app: &App, id: MilestoneId) -> Result<bool> {
    let now = app.clock.now();
    let tx = app.db.begin().await?;
    let (milestone, contract) = open(&tx, id).await?;
    let Some(releases) = milestone.auto_release_at else { return Ok(false) };
    let near = milestone.status == MilestoneStatus::Submitted && releases <= now + REMIND_BEFORE;
    if !near || milestone.release_reminded_at.is_some() {
        return Ok(false);
    }
    // No change of state: its version stays, and names the submission that is reminded of.
    let change = milestone::ActiveModel {
        id: Set(id),
        release_reminded_at: Set(Some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    change.update(&*tx).await?;
    for person in [contract.client_id, contract.freelancer_id] {
        let releases = releases.format("%-d %B %Y, %H:%M UTC").to_string();
        let notice =
            Notice::MilestoneAutoReleaseNear { milestone: id, title: milestone.title.clone(), releases };
        notify(app, &tx, person, notice, &format!("{id}:RELEASE_NEAR:{}", milestone.version)).await?;
    }
    tx.commit().await?;
    Ok(true)
}
