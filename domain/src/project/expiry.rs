//! Projects on which nothing happens: their client is told, and then they expire.

use chrono::{DateTime, Duration, Utc};
use entities::{ProjectId, ProjectStatus, project};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select, sea_query::Expr,
};

use super::{Step, locked, moved, state};
use crate::{
    App, Tx,
    error::Result,
    notification::{Notice, notify},
    schedule,
};

/// An open project on which nothing happened for so long expires.
pub const EXPIRES_AFTER: Duration = Duration::days(60);
/// So long before, its client is told.
pub const WARNED_BEFORE: Duration = Duration::days(7);

/// When an open project expires unless something happens on it; nothing for others.
pub fn expires_at(project: &project::Model) -> Option<DateTime<Utc>> {
    (project.status == ProjectStatus::Open).then_some(project.active_at + EXPIRES_AFTER)
}

/// Ends every open project on which nothing happened for sixty days, and tells its client; how many there were.
///
/// # Errors
///
/// When the database fails.
pub async fn expire_idle(app: &App) -> Result<u64> {
    let before = app.clock.now() - EXPIRES_AFTER;
    schedule::each(|skip| page(app, idle(before), skip), |id| expire(app, id)).await
}

/// Tells the client of every open project that expires within seven days, once; how many there were.
///
/// # Errors
///
/// When the database fails.
pub async fn warn_idle(app: &App) -> Result<u64> {
    let (before, expired) = window(app);
    let find = move |skip| {
        let near = idle(before)
            .filter(project::Column::ActiveAt.gt(expired))
            .filter(project::Column::ExpiryWarnedAt.is_null());
        page(app, near, skip)
    };
    schedule::each(find, |id| warn(app, id)).await
}

/// Open projects on which nothing happened since.
fn idle(before: DateTime<Utc>) -> Select<project::Entity> {
    project::Entity::find()
        .filter(project::Column::Status.eq(ProjectStatus::Open))
        .filter(project::Column::ActiveAt.lte(before))
        .order_by_asc(project::Column::ActiveAt)
        .order_by_asc(project::Column::Id)
}

async fn page(app: &App, due: Select<project::Entity>, skip: u64) -> Result<Vec<ProjectId>> {
    let ids = due.select_only().column(project::Column::Id).offset(skip).limit(schedule::BATCH);
    Ok(ids.into_tuple().all(app.db.reader()).await?)
}

/// Who was last active in between is told: before the one, after the other.
fn window(app: &App) -> (DateTime<Utc>, DateTime<Utc>) {
    let now = app.clock.now();
    (now - (EXPIRES_AFTER - WARNED_BEFORE), now - EXPIRES_AFTER)
}

async fn expire(app: &App, id: ProjectId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    // Read again under the lock: something may have happened on it.
    if expires_at(&project).is_none_or(|expires| expires > app.clock.now()) {
        return Ok(false);
    }
    let status = state::next(project.status, Step::Expire)?;
    let project = moved(app, project, status).update(&*tx).await?;
    let notice = Notice::ProjectExpired { project: project.id, title: project.title.clone() };
    let event = format!("{}:EXPIRED:{}", project.id, project.version);
    notify(app, &tx, project.client_id, notice, &event).await?;
    tx.commit().await?;
    Ok(true)
}

async fn warn(app: &App, id: ProjectId) -> Result<bool> {
    let tx = app.db.begin().await?;
    let project = locked(&tx, id, "projectId", "project").await?;
    let (before, expired) = window(app);
    let near = project.active_at <= before && project.active_at > expired;
    let Some(expires) = expires_at(&project).filter(|_| near && project.expiry_warned_at.is_none()) else {
        return Ok(false);
    };
    let notice = Notice::ProjectExpiring {
        project: project.id,
        title: project.title.clone(),
        expires: expires.format("%Y-%m-%d %H:%M UTC").to_string(),
    };
    let event = format!("{}:EXPIRING:{}", project.id, project.active_at.timestamp_micros());
    notify(app, &tx, project.client_id, notice, &event).await?;
    let mut change = project.into_active_model();
    change.expiry_warned_at = Set(Some(app.clock.now()));
    change.update(&*tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Something happens on a project by a change of its row: its sixty days begin anew.
pub(super) fn awake(app: &App, change: &mut project::ActiveModel) {
    change.active_at = Set(app.clock.now());
    change.expiry_warned_at = Set(None);
}

/// Something happens below a project that the transaction has locked: its sixty days begin anew.
pub(crate) async fn touch(app: &App, tx: &Tx, id: ProjectId) -> Result<()> {
    project::Entity::update_many()
        .col_expr(project::Column::ActiveAt, Expr::value(app.clock.now()))
        .col_expr(project::Column::ExpiryWarnedAt, Expr::value(None::<DateTime<Utc>>))
        .filter(project::Column::Id.eq(id))
        .exec(&**tx)
        .await?;
    Ok(())
}
