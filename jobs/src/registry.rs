//! One line a job: its queue, how many at once, how long it may take, how it backs off, and who does it.

use std::{fmt, sync::Arc, time::Duration};

use domain::{
    App, Error, Result,
    queue::{Job, Outcome},
};
use futures::future::BoxFuture;

use crate::handlers::{notification, payment, schedule, upload};

/// How long to wait after an error: the base doubled by each error, up to the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first error.
    pub base: Duration,
    /// At the most.
    pub cap: Duration,
}

impl Backoff {
    /// How long to wait when there were `errors` errors before this one.
    pub fn after(self, errors: i64) -> Duration {
        let doublings = u32::try_from(errors.clamp(0, 30)).unwrap_or(0);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }
}

/// What a queue is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Jobs at once, in one process.
    pub concurrency: usize,
    /// An attempt that takes longer is ended, and tried again.
    pub time: Duration,
    /// How it is spaced out after errors.
    pub backoff: Backoff,
}

type Handler = Arc<dyn Fn(App, Vec<u8>) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// A queue with its handler.
#[derive(Clone)]
pub struct Queue {
    /// The name, which is apalis' job type.
    pub(crate) name: &'static str,
    pub(crate) limits: Limits,
    pub(crate) handler: Handler,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The queues of a process.
#[derive(Debug, Clone, Default)]
pub struct Registry(Vec<Arc<Queue>>);

impl Registry {
    /// No queue yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every queue that there is.
    pub fn standard() -> Self {
        Self::new()
            //            at once, seconds, back-off from and to in seconds
            .with(limits(4, 60, 2, 300), payment::deposit_confirm)
            .with(limits(1, 120, 2, 60), payment::chain_scan)
            .with(limits(2, 60, 2, 300), payment::release_send)
            .with(limits(2, 60, 2, 300), payment::refund_send)
            .with(limits(4, 60, 2, 300), payment::payout_track)
            .with(limits(4, 60, 5, 3600), notification::mail_send)
            .with(limits(2, 300, 2, 60), schedule::task_run)
            .with(limits(2, 60, 5, 3600), upload::object_delete)
            .with(limits(2, 120, 5, 600), upload::upload_process)
    }

    /// Adds a queue.
    #[must_use]
    pub fn with<J, F, Fut>(mut self, limits: Limits, handler: F) -> Self
    where
        J: Job,
        F: Fn(App, J) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |app, payload| match serde_json::from_slice(&payload) {
            Ok(job) => Box::pin(handler(app, job)),
            Err(error) => {
                let error = Error::bug(format!("the payload of a job in {}: {error}", J::QUEUE));
                Box::pin(async move { Err(error) })
            }
        });
        self.0.push(Arc::new(Queue { name: J::QUEUE, limits, handler }));
        self
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Queue>> {
        self.0.iter().find(|queue| queue.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.0.iter()
    }
}

const fn limits(concurrency: usize, seconds: u64, base: u64, cap: u64) -> Limits {
    let backoff = Backoff { base: Duration::from_secs(base), cap: Duration::from_secs(cap) };
    Limits { concurrency, time: Duration::from_secs(seconds), backoff }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_the_cap() {
        let backoff = limits(1, 1, 2, 300).backoff;
        let seconds: Vec<u64> = (0..10).map(|errors| backoff.after(errors).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff.after(i64::MAX), backoff.cap);
    }

    #[test]
    fn no_queue_is_registered_twice() {
        let registry = Registry::standard();
        let mut names: Vec<_> = registry.iter().map(|queue| queue.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!((names.len(), all), (9, 9));
    }
}
