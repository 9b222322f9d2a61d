//! Notifications: what a person should know, in the app.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use domain::{
    Actor, App,
    entities::{EventKind, NotificationId, UserId, event, notification},
    notification as notifications,
};
use futures::{Stream, StreamExt as _};

use super::{
    enums::{NotificationKind, NotificationPriority},
    events::EventFeed,
    node::{self, Node},
    support::{actor, app, parse_ids},
};
use crate::error::{UserError, answer, fault};

/// Something that you should know.
#[derive(Debug, Clone)]
pub struct Notification(pub notification::Model);

/// Something that you should know. A mail told it too.
#[Object]
impl Notification {
    /// Which notification.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it tells.
    async fn kind(&self) -> NotificationKind {
        self.0.kind.into()
    }

    /// How loud it is.
    async fn priority(&self) -> NotificationPriority {
        self.0.priority.into()
    }

    /// It in one line.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The rest: paragraphs, with an empty line between them.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// What it is about; null when it is about nothing in particular, or about what you no longer see.
    #[graphql(complexity = "5 + child_complexity")]
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match &self.0.subject {
            Some(id) => node::resolve(ctx, id).await,
            None => Ok(None),
        }
    }

    /// When you read it; null until then.
    async fn read_at(&self) -> Option<DateTime<Utc>> {
        self.0.read_at
    }

    /// When it was told.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Which notifications were read.
#[derive(Debug, InputObject)]
pub struct NotificationMarkReadInput {
    /// Your notifications, at most 100; all of yours when left out. Those that are not yours are passed over.
    #[graphql(validator(max_items = 100))]
    pub notification_ids: Option<Vec<ID>>,
}

/// How many were marked.
#[derive(Debug, SimpleObject)]
pub struct NotificationMarkReadPayload {
    /// How many were unread and are read now; null when something has to be mended first.
    pub updated_count: Option<i32>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Changing notifications.
#[derive(Debug, Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks some of your notifications as read, or all of them. Marking twice changes nothing.
    async fn notification_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: NotificationMarkReadInput,
    ) -> Result<NotificationMarkReadPayload> {
        let (count, user_errors) = answer(mark_read(app(ctx)?, actor(ctx)?, input.notification_ids).await)?;
        let updated_count = count.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        Ok(NotificationMarkReadPayload { updated_count, user_errors })
    }
}

async fn mark_read(app: &App, actor: &Actor, ids: Option<Vec<ID>>) -> domain::Result<u64> {
    let Some(ids) = ids else { return notifications::mark_read(app, actor, &[]).await };
    let ids: Vec<NotificationId> = parse_ids("notificationIds", &ids)?;
    // The domain takes an empty list for all of them; who sends one means none.
    if ids.is_empty() {
        return actor.signed_in().map(|_| 0);
    }
    notifications::mark_read(app, actor, &ids).await
}

/// Hearing of notifications.
#[derive(Debug, Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// Your notifications, each as it is told.
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Notification>> + use<>> {
        let (app, actor) = (app(ctx)?.clone(), actor(ctx)?.clone());
        let user = actor.signed_in().map_err(fault)?.id;
        let events = ctx.data::<EventFeed>()?.subscribe();
        Ok(events.filter_map(move |event| {
            let (app, actor) = (app.clone(), actor.clone());
            async move {
                match event {
                    Err(lagged) => Some(Err(lagged)),
                    Ok(event) if is_for(&event, user) => {
                        let id = NotificationId(event.subject_id);
                        // Found as its own reader finds it: nobody else's ever comes through.
                        Some(notifications::find(&app, &actor, id).await.map(Notification).map_err(fault))
                    }
                    Ok(_) => None,
                }
            }
        }))
    }
}

fn is_for(event: &event::Model, user: UserId) -> bool {
    event.kind == EventKind::NotificationReceived && event.user_id == Some(user)
}
