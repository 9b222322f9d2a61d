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
    schedule,
};

/// Releases what was handed in fourteen days ago and not answered; how many there were. The task
/// `milestones-release` calls it. The clock alone decides, and the state and the time are looked at again under
/// lock: two looks at once, or an answer beside them, do it once.
///
/// # Errors
///
/// When the database fails, or one could not be released; the others are then all the same.
pub async fn release_overdue(app: &App) -> Result<u64> {
    let due = unanswered(app.clock.now());
    schedule::each(|skip| ids(app, due.clone(), skip), |id| release_one(app, id)).await
}

/// Reminds both sides of what will be released within three days; how many milestones there were. Each
/// submission is reminded of once. The task `milestones-remind` calls it.
///
/// # Errors
///
/// When the database fails.
pub async fn remind(app: &App) -> Result<u64> {
    let near = unanswered(app.clock.now() + REMIND_BEFORE)
        .filter(milestone::Column::AutoReleaseAt.gt(app.clock.now()))
        .filter(milestone::Column::ReleaseRemindedAt.is_null());
    schedule::each(|skip| ids(app, near.clone(), skip), |id| remind_one(app, id)).await
}

fn unanswered(until: DateTime<Utc>) -> Select<milestone::Entity> {
    milestone::Entity::find()
        .filter(milestone::Column::Status.eq(MilestoneStatus::Submitted))
        .filter(milestone::Column::AutoReleaseAt.lte(until))
        .order_by_asc(milestone::Column::AutoReleaseAt)
        .order_by_asc(milestone::Column::Id)
}

async fn ids(app: &App, select: Select<milestone::Entity>, skip: u64) -> Result<Vec<MilestoneId>> {
    let ids = select.select_only().column(milestone::Column::Id).offset(skip).limit(schedule::BATCH);
    Ok(ids.into_tuple().all(app.db.reader()).await?)
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
