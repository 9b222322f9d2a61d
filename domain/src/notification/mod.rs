//! Telling people: a notification in the app and a mail, both written in the transaction of the event.

use std::collections::HashMap;

use entities::{MailStatus, NotificationId, UserId, mail as mail_row, notification, user};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::OnConflict,
};

use crate::{
    Actor, App, Error, Tx, account,
    error::Result,
    events, fault,
    page::{Below, List},
    queue,
};

pub mod jobs;
pub mod mail;
mod notice;
mod render;

pub use notice::Notice;

/// Tells one person of one event, once: in the app, to subscribers and by mail. `event` names the event
/// (`pay_...:COMPLETED`); the same event tells the same person nothing twice, also after a crash.
pub async fn notify(app: &App, tx: &Tx, to: UserId, notice: Notice, event: &str) -> Result<()> {
    let mut story = notice.story();
    // A subject is one line: a mail with another in it is never taken.
    story.title = story.title.replace(char::is_control, " ");
    let now = app.clock.now();
    let id: NotificationId = app.clock.new_id();
    let row = notification::ActiveModel {
        id: Set(id),
        user_id: Set(to),
        kind: Set(notice.kind()),
        priority: Set(story.priority),
        title: Set(story.title.clone()),
        body: Set(story.lines.join("\n\n")),
        subject: Set(story.subject.clone()),
        event_key: Set(format!("{event}:{to}")),
        read_at: Set(None),
        expires_at: Set(None),
        created_at: Set(now),
    };
    let once = OnConflict::column(notification::Column::EventKey).do_nothing().to_owned();
    if notification::Entity::insert(row).on_conflict(once).exec_without_returning(&**tx).await? == 0 {
        return Ok(());
    }
    events::notification_received(app, &**tx, id, to).await?;
    let person = user::Entity::find_by_id(to).one(&**tx).await?.ok_or_else(|| Error::bug("told nobody"))?;
    let mail = mail_row::Model {
        id: app.clock.new_id(),
        user_id: Some(to),
        to_address: person.email,
        kind: notice.kind(),
        subject: story.title.clone(),
        html: render::html(app, &story, &person.display_name)?,
        text: render::text(app, &story, &person.display_name)?,
        // Made of the notification's id: one event, one person, one Message-ID.
        message_id: format!("{id}@{}", app.settings.public_url.host_str().unwrap_or("localhost")),
        status: MailStatus::Pending,
        last_error: None,
        attempts: 0,
        look: 0,
        due_at: Some(now),
        sent_at: None,
        created_at: now,
    };
    let (mail_id, key) = (mail.id, queue::key(mail.id, 0, mail.look));
    mail_row::Entity::insert(mail_row::ActiveModel::from(mail)).exec_without_returning(&**tx).await?;
    fault::point("notify.write").await?;
    queue::enqueue(app, &**tx, &jobs::MailSend { id: mail_id }, &key, now).await
}

/// Tells every administrator of one event, as [`notify`].
pub(crate) async fn notify_admins(app: &App, tx: &Tx, notice: &Notice, event: &str) -> Result<()> {
    for admin in account::admins(tx).await? {
        notify(app, tx, admin, notice.clone(), event).await?;
    }
    Ok(())
}

/// People's notifications, newest first. Who may ask for whose is decided before.
pub fn of_users(unread_only: bool) -> Below<notification::Entity> {
    let mut select = notification::Entity::find();
    if unread_only {
        select = select.filter(notification::Column::ReadAt.is_null());
    }
    List::by_id(select, notification::Column::Id, true).below([notification::Column::UserId])
}

/// How many some people have not read; who has read everything is left out.
pub async fn unread(
    conn: &impl ConnectionTrait,
    users: impl IntoIterator<Item = UserId>,
) -> Result<HashMap<UserId, i64>> {
    let counts: Vec<(UserId, i64)> = notification::Entity::find()
        .select_only()
        .column(notification::Column::UserId)
        .column_as(notification::Column::Id.count(), "unread")
        .filter(notification::Column::UserId.is_in(users))
        .filter(notification::Column::ReadAt.is_null())
        .group_by(notification::Column::UserId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(counts.into_iter().collect())
}

/// One of the actor's own notifications.
pub async fn find(app: &App, actor: &Actor, id: NotificationId) -> Result<notification::Model> {
    actor.signed_in()?;
    visible(actor)
        .filter(notification::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("notificationId", "notification"))
}

/// The actor's own notifications: nobody else reads them one by one.
pub fn visible(actor: &Actor) -> Select<notification::Entity> {
    let all = notification::Entity::find();
    match actor.user_id() {
        Some(user) => all.filter(notification::Column::UserId.eq(user)),
        None => all.filter(notification::Column::Id.is_null()),
    }
}

/// Marks some of the actor's notifications as read, or all of them when `ids` is empty. How many changed.
pub async fn mark_read(app: &App, actor: &Actor, ids: &[NotificationId]) -> Result<u64> {
    let person = actor.signed_in()?;
    let tx = app.db.begin().await?;
    let mut update = notification::Entity::update_many()
        .col_expr(notification::Column::ReadAt, sea_orm::sea_query::Expr::value(app.clock.now()))
        .filter(notification::Column::UserId.eq(person.id))
        .filter(notification::Column::ReadAt.is_null());
    if !ids.is_empty() {
        update = update.filter(notification::Column::Id.is_in(ids.iter().copied()));
    }
    let changed = update.exec(&*tx).await?.rows_affected;
    tx.commit().await?;
    Ok(changed)
}
