//! Time, ids and randomness: nothing else in the project reads them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, DurationRound, Utc};
use tokio::sync::Notify;
use uuid::{ContextV7, Timestamp, Uuid};

/// The project's clock. Cheap to clone; clones share their time.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    /// What is added to real time, in microseconds; a frozen clock holds its whole time here.
    micros: AtomicI64,
    frozen: bool,
    /// Tells whoever waits for the clock to be moved.
    moved: Notify,
    /// Orders the ids of one millisecond.
    ids: Mutex<ContextV7>,
}

impl Clock {
    /// Real time plus an offset (zero in production; `megilance dev` keeps one that can be moved).
    pub fn real(offset: Duration) -> Self {
        Self::new(offset.num_microseconds().unwrap_or(0), false)
    }

    /// A clock for tests that stands still until it is moved.
    pub fn frozen(at: DateTime<Utc>) -> Self {
        Self::new(at.timestamp_micros(), true)
    }

    fn new(micros: i64, frozen: bool) -> Self {
        Self(Arc::new(Inner {
            micros: AtomicI64::new(micros),
            frozen,
            moved: Notify::new(),
            ids: Mutex::new(ContextV7::new()),
        }))
    }

    /// Now, to the microsecond: the finest that both databases keep.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = self.0.micros.load(Ordering::SeqCst);
        if self.0.frozen {
            return DateTime::from_timestamp_micros(micros).unwrap_or_default();
        }
        let now = self.wall() + Duration::microseconds(micros);
        now.duration_trunc(Duration::microseconds(1)).unwrap_or(now)
    }

    /// The machine's own time: for what the outside compares with its own clock (apalis' rows, S3, TLS).
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// When a moment of this clock will be on the machine's clock.
    pub fn to_wall(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.wall() + (at - self.now())
    }

    /// Moves the clock forward, and with that wakes the sweep.
    pub fn advance(&self, by: Duration) {
        self.0.micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        self.0.moved.notify_one();
    }

    /// Returns when the clock was moved since the last call. For one waiter: the sweep.
    pub async fn moved(&self) {
        self.0.moved.notified().await;
    }

    /// How far this clock is from the machine's; zero for a frozen one.
    pub fn offset(&self) -> Duration {
        if self.0.frozen {
            Duration::zero()
        } else {
            Duration::microseconds(self.0.micros.load(Ordering::SeqCst))
        }
    }

    /// A new id: a UUIDv7 of this clock's time, rising within the process.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let context = self.0.ids.lock().unwrap_or_else(PoisonError::into_inner);
        I::from(Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos())))
    }
}

/// Unguessable bytes from the operating system.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
pub fn random_bytes<const N: usize>() -> Result<[u8; N], crate::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| crate::Error::bug(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// An unguessable token of 256 bits, in URL-safe text.
pub fn random_token() -> Result<String, crate::Error> {
    use base64::Engine as _;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_while_the_clock_stands_still() {
        let clock = Clock::frozen(DateTime::UNIX_EPOCH + Duration::days(20_000));
        let ids: Vec<Uuid> = (0..1000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted());
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn a_moved_clock_keeps_its_wall_time_straight() {
        let clock = Clock::real(Duration::days(3));
        let due = clock.now() + Duration::hours(1);
        let wall = clock.to_wall(due) - clock.wall();
        assert!((wall - Duration::hours(1)).num_seconds().abs() <= 1, "{wall}");
        clock.advance(Duration::hours(1));
        assert!((clock.to_wall(due) - clock.wall()).num_seconds().abs() <= 1);
    }
}
