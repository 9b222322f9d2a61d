//! What subscriptions listen to: the `events` table, tailed by one task of this process while anybody listens.
//!
//! The worker that writes an event may be another process, hence a table. Ids are given out before transactions
//! commit, so on PostgreSQL row 7 may appear after row 8: an id that was skipped is looked for again until it is
//! too old to come.

mod tail;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::ErrorExtensions as _;
use chrono::{DateTime, Utc};
use domain::{App, Clock, entities::event};
use futures::{Stream, stream};
use sea_orm::DatabaseConnection;
use tokio::sync::broadcast::{self, error::RecvError};

use tail::Tail;

/// How often the table is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long to wait after a database error.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// Events that a subscriber may be behind before it is cut off.
const BEHIND: usize = 1_024;

/// The events of the whole process. Cheap to clone; clones share one tail.
#[derive(Clone)]
pub struct EventFeed(Arc<Inner>);

struct Inner {
    /// A reader.
    db: DatabaseConnection,
    clock: Clock,
    events: broadcast::Sender<event::Model>,
    /// Whether the tail runs.
    tailing: Mutex<bool>,
}

/// The subscriber was too slow and has missed events.
fn lagged() -> async_graphql::Error {
    async_graphql::Error::new(
        "This subscription fell behind and has missed events: subscribe again and read what you show anew.",
    )
    .extend_with(|_, extensions| extensions.set("code", "SUBSCRIPTION_LAGGED"))
}

impl EventFeed {
    /// A feed that nobody listens to yet: it does nothing until then.
    pub fn new(app: App) -> Self {
        Self::over(app.db.reader().clone(), app.clock)
    }

    fn over(db: DatabaseConnection, clock: Clock) -> Self {
        let (events, _) = broadcast::channel(BEHIND);
        Self(Arc::new(Inner { db, clock, events, tailing: Mutex::new(false) }))
    }

    /// Every event that is committed from now on, in about the order of writing. It ends after an error, which
    /// says that this subscriber was too slow.
    ///
    /// It is everybody's: whoever listens leaves out what its actor may not see.
    pub fn subscribe(&self) -> impl Stream<Item = async_graphql::Result<event::Model>> + Send + use<> {
        let receiver = {
            // Under the lock, so that a tail that is about to stop sees this receiver, or leaves the flag down.
            let mut tailing = self.0.tailing.lock().unwrap_or_else(PoisonError::into_inner);
            let receiver = self.0.events.subscribe();
            if !*tailing {
                *tailing = true;
                tokio::spawn(self.0.clone().follow(self.0.clock.now()));
            }
            receiver
        };
        stream::unfold(Some(receiver), async |receiver| {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Ok(event) => Some((Ok(event), Some(receiver))),
                Err(RecvError::Lagged(_)) => Some((Err(lagged()), None)),
                Err(RecvError::Closed) => None,
            }
        })
    }
}

impl Inner {
    async fn follow(self: Arc<Self>, from: DateTime<Utc>) {
        let mut tail = Tail::starting(from);
        while self.is_heard() {
            let pause = match tail.read(&self.db).await {
                Ok(events) => {
                    for event in events {
                        // Nobody may be left by now: is_heard finds that.
                        let _ = self.events.send(event);
                    }
                    EVERY
                }
                Err(error) => {
                    tracing::warn!(%error, "the events cannot be read; trying again");
                    AFTER_ERROR
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether anybody listens. If not, the tail is over, and the next subscriber starts a new one.
    fn is_heard(&self) -> bool {
        let mut tailing = self.tailing.lock().unwrap_or_else(PoisonError::into_inner);
        *tailing = self.events.receiver_count() > 0;
        *tailing
    }
}

#[cfg(test)]
mod tests;
