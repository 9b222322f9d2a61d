//! When loads begin: once everything that can be asked has been asked.
//!
//! async-graphql's DataLoader waits a moment and then reads what was asked for by then. How many statements a
//! document costs would so depend on how fast its fields resolve. Here a request has a loader of its own, which
//! reads in turns: the fields are resolved as far as they come, then every load that they asked for begins, and
//! the next one begins only when all of these are answered. So the statements of a document depend on its shape,
//! neither on how many rows it finds nor on the weather; and no batch ever holds the keys of two requests.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use async_graphql::{
    Request, Response, ServerResult,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest},
};
use domain::App;
use futures::{future::BoxFuture, task::AtomicWaker};

use super::Rows;

/// Gives each request its loader, and its turns.
pub struct Turns {
    app: App,
}

impl Turns {
    /// For the schema over this application.
    pub const fn new(app: App) -> Self {
        Self { app }
    }
}

impl ExtensionFactory for Turns {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(OfRequest { app: self.app.clone(), turn: Arc::default() })
    }
}

struct OfRequest {
    app: App,
    turn: Arc<Turn>,
}

#[async_trait::async_trait]
impl Extension for OfRequest {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let request = next.run(ctx, request).await?;
        Ok(request.data(Rows::new(self.app.clone(), self.turn.clone())))
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.turn.run(next.run(ctx, operation_name)).await
    }
}

/// The turns of one request.
#[derive(Default)]
pub(super) struct Turn {
    asked: Mutex<Asked>,
    /// Loads that have begun and are not answered.
    reading: AtomicUsize,
    /// Who resolves the fields.
    fields: AtomicWaker,
    /// Whether any field can go on since they were last looked at.
    woken: AtomicBool,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.fields.wake();
    }
}

#[derive(Default)]
struct Asked {
    /// Whether fields are being resolved right now.
    asking: bool,
    loads: Vec<BoxFuture<'static, ()>>,
}

impl Turn {
    /// Begins a load in its turn. One that is asked for outside of any begins at once.
    pub(super) fn take(self: &Arc<Self>, load: BoxFuture<'static, ()>) {
        let mut asked = self.asked();
        if asked.asking {
            asked.loads.push(load);
        } else {
            drop(asked);
            self.begin(load);
        }
    }

    /// Resolves fields, turn by turn.
    async fn run<T>(self: &Arc<Self>, fields: impl Future<Output = T>) -> T {
        let mut fields = pin!(fields);
        let woken = Waker::from(self.clone());
        poll_fn(|cx| {
            self.fields.register(cx.waker());
            self.woken.store(false, Ordering::SeqCst);
            // Looked at first: what is answered by now is seen by the fields that are resolved next.
            let answered = self.reading.load(Ordering::SeqCst) == 0;
            self.asked().asking = true;
            let resolved = fields.as_mut().poll(&mut Context::from_waker(&woken));
            let mut asked = self.asked();
            asked.asking = false;
            // Who was woken meanwhile has more to ask: sets of futures stop half-way now and then, to be fair.
            let settled = answered && !self.woken.load(Ordering::SeqCst);
            // A load that nobody waits for any longer begins too: others may wait for it after this.
            if settled || resolved.is_ready() {
                let loads = std::mem::take(&mut asked.loads);
                drop(asked);
                loads.into_iter().for_each(|load| self.begin(load));
            }
            resolved
        })
        .await
    }

    fn begin(self: &Arc<Self>, load: BoxFuture<'static, ()>) {
        self.reading.fetch_add(1, Ordering::SeqCst);
        let answered = Answered(self.clone());
        let mut load = Box::pin(async move {
            load.await;
            drop(answered);
        });
        // Its first step takes the keys. It is made here and now: what is asked for later is for the next turn.
        if load.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(load);
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a load out, also when it panics.
struct Answered(Arc<Turn>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.reading.fetch_sub(1, Ordering::SeqCst);
        self.0.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::{StreamExt, channel::oneshot, stream::FuturesUnordered};

    use super::*;

    /// What was asked for together is read together, however the answers trickle in, and although sets within
    /// sets, which is what GraphQL resolves its fields in, do not look at all of them at once.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_next_turn_waits_for_every_answer_of_this_one() {
        let turn = Arc::new(Turn::default());
        let begun: Arc<Mutex<Vec<u64>>> = Arc::default();
        let ask = |level: u64, millis: u64| {
            let (answer, answered) = oneshot::channel::<()>();
            let begun = begun.clone();
            turn.take(Box::pin(async move {
                begun.lock().unwrap().push(level);
                tokio::time::sleep(Duration::from_millis(millis)).await;
                answer.send(()).unwrap();
            }));
            async move { answered.await.unwrap() }
        };
        let ask = &ask;
        let field = |millis: u64| async move {
            for level in 0..3 {
                ask(level, millis).await;
            }
        };
        let all =
            |millis: [u64; 3]| millis.into_iter().map(field).collect::<FuturesUnordered<_>>().collect::<()>();
        let sets: FuturesUnordered<_> =
            [[0, 3, 9], [1, 0, 5], [2, 2, 0], [0, 0, 7]].map(all).into_iter().collect();
        turn.run(sets.collect::<()>()).await;
        let begun = begun.lock().unwrap();
        assert!(begun.is_sorted() && begun.len() == 36, "{begun:?}");
    }

    #[tokio::test]
    async fn a_load_outside_of_turns_and_one_that_nobody_waits_for_begin_all_the_same() {
        let turn = Arc::new(Turn::default());
        let (sent, mut done) = tokio::sync::mpsc::unbounded_channel();
        let load = |name: &'static str| {
            let sent = sent.clone();
            Box::pin(async move { sent.send(name).unwrap() })
        };
        turn.take(load("outside"));
        assert_eq!(done.recv().await, Some("outside"));
        turn.run(async { turn.take(load("left")) }).await;
        assert_eq!(done.recv().await, Some("left"));
        assert_eq!(turn.reading.load(Ordering::SeqCst), 0);
    }
}
