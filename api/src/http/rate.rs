//! How much one caller may ask for.
//!
//! Counted in this process alone, in real time: with several servers behind one address each of them counts for
//! itself.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::entities::UserId;
use domain::{Actor, Clock};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest as _, Sha256};

use super::peer::Peer;
use crate::graphql::limits::{Operation, RootField};

/// Mutations that check or store a password: guesses have to be slow, and each costs an Argon2 hash. And the one that
/// mails a link for another: what it tells nobody must not be asked of many addresses either.
const PASSWORDS: [&str; 6] = [
    "accountRegister",
    "passwordChange",
    "passwordResetBegin",
    "passwordResetComplete",
    "sessionCreate",
    "walletSetPayout",
];
/// Mutations that have a model write: each costs whoever runs the service money.
const DRAFTS: &str = "draftCreate";
/// Every that many checks, callers that have been still are forgotten.
const SWEEP: u32 = 4_096;
/// What is shown where nothing is limited: the largest Int of GraphQL.
const UNLIMITED: u32 = i32::MAX as u32;

/// The limits, each a number a minute (of drafts an hour) that may be used in one burst; none for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests of a person, or of an address where nobody is signed in.
    pub requests: Option<NonZeroU32>,
    /// Sign-ins, registrations, resets and other checks of a password by one address.
    pub passwords_by_address: Option<NonZeroU32>,
    /// Sign-ins and resets with one e-mail address, right or wrong, from wherever; and as many other checks of the
    /// password of one who is signed in.
    pub passwords_by_email: Option<NonZeroU32>,
    /// Drafts that an assistant writes for a person, an hour.
    pub drafts: Option<NonZeroU32>,
    /// Keys of notifications that Circle is asked for, because nobody has seen them yet, by all callers together.
    pub key_lookups: Option<NonZeroU32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            requests: NonZeroU32::new(3_000),
            passwords_by_address: NonZeroU32::new(60),
            passwords_by_email: NonZeroU32::new(10),
            drafts: NonZeroU32::new(20),
            key_lookups: NonZeroU32::new(10),
        }
    }
}

impl RateLimits {
    /// No limits: for load tests, and for tests that sign up many people in a moment.
    pub const fn unlimited() -> Self {
        Self {
            requests: None,
            passwords_by_address: None,
            passwords_by_email: None,
            drafts: None,
            key_lookups: None,
        }
    }
}

/// What a caller has left, as the `rateLimit` field tells it. It is in the data of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a minute.
    pub limit: u32,
    /// Requests that are left now, this one taken off.
    pub remaining: u32,
    /// When `remaining` is `limit` again, if nothing is asked until then.
    pub reset_at: DateTime<Utc>,
}

/// Too much. The same request may be sent again after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    /// What there was too much of.
    pub(super) what: &'static str,
    /// How long to wait.
    pub(super) wait: Duration,
}

impl TooMany {
    /// The wait in whole seconds, at least one.
    pub(super) const fn seconds(self) -> u64 {
        self.wait.as_secs().saturating_add(1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Caller {
    User(UserId),
    Address(IpAddr),
}

/// Counts.
pub(super) struct Limiter {
    requests: Budget<Caller>,
    passwords_by_address: Budget<IpAddr>,
    /// By the hash: the addresses themselves need not lie about in memory.
    passwords_by_email: Budget<[u8; 32]>,
    passwords_by_user: Budget<UserId>,
    drafts: Budget<UserId>,
    key_lookups: Budget<()>,
}

impl Limiter {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            requests: Budget::new("requests", limits.requests, Quota::per_minute),
            passwords_by_address: Budget::new(
                "sign-ins and resets from your address",
                limits.passwords_by_address,
                Quota::per_minute,
            ),
            passwords_by_email: Budget::new(
                "sign-ins and resets with this e-mail address",
                limits.passwords_by_email,
                Quota::per_minute,
            ),
            passwords_by_user: Budget::new(
                "checks of your password",
                limits.passwords_by_email,
                Quota::per_minute,
            ),
            drafts: Budget::new("drafts", limits.drafts, Quota::per_hour),
            key_lookups: Budget::new("keys of notifications", limits.key_lookups, Quota::per_minute),
        }
    }

    /// Takes one request of the caller: of the person, else of the address.
    pub(super) fn request(&self, clock: &Clock, actor: &Actor, peer: Peer) -> Result<RateLimit, TooMany> {
        let caller = actor.user_id().map_or_else(|| Caller::Address(peer.network()), Caller::User);
        let (limit, remaining) = self.requests.take(&caller)?;
        let refill = 60_000 * i64::from(limit - remaining) / i64::from(limit.max(1));
        let reset_at = clock.now() + chrono::Duration::milliseconds(refill);
        Ok(RateLimit { limit, remaining, reset_at })
    }

    /// Takes one question to Circle for the key of a notification.
    pub(super) fn key_lookup(&self) -> Result<(), TooMany> {
        self.key_lookups.take(&()).map(drop)
    }

    /// Takes the attempts at passwords that an operation makes: each of them counts, aliases too. They count for
    /// the account whose password is tried: that of the e-mail address, else the caller's own.
    pub(super) fn passwords(&self, operation: &Operation, actor: &Actor, peer: Peer) -> Result<(), TooMany> {
        let attempts = operation.mutations.iter().filter(|field| PASSWORDS.contains(&field.name.as_str()));
        for RootField { email, .. } in attempts {
            self.passwords_by_address.take(&peer.network())?;
            match (email, actor.user_id()) {
                (Some(email), _) => {
                    let email = email.trim().to_lowercase();
                    self.passwords_by_email.take(&Sha256::digest(email).into())?;
                }
                (None, Some(user)) => {
                    self.passwords_by_user.take(&user)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Takes the drafts that an operation has written: each of them counts, aliases too. Nobody writes for who is not
    /// signed in.
    pub(super) fn drafts(&self, operation: &Operation, actor: &Actor) -> Result<(), TooMany> {
        let Some(user) = actor.user_id() else { return Ok(()) };
        for _ in operation.mutations.iter().filter(|field| field.name.as_str() == DRAFTS) {
            self.drafts.take(&user)?;
        }
        Ok(())
    }
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

struct Budget<K: Hash + Eq + Clone> {
    what: &'static str,
    counts: Option<(NonZeroU32, Keyed<K>)>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Budget<K> {
    fn new(what: &'static str, limit: Option<NonZeroU32>, quota: fn(NonZeroU32) -> Quota) -> Self {
        let counts = limit.map(|limit| {
            let limiter = RateLimiter::dashmap(quota(limit));
            (limit, limiter.with_middleware::<StateInformationMiddleware>())
        });
        Self { what, counts, checks: AtomicU32::new(0) }
    }

    /// The limit and what is left of it.
    fn take(&self, key: &K) -> Result<(u32, u32), TooMany> {
        let Some((limit, limiter)) = &self.counts else { return Ok((UNLIMITED, UNLIMITED)) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            limiter.retain_recent();
        }
        match limiter.check_key(key) {
            Ok(left) => Ok((limit.get(), left.remaining_burst_capacity().min(limit.get()))),
            Err(until) => Err(TooMany { what: self.what, wait: until.wait_time_from(limiter.clock().now()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Request;

    use super::*;
    use crate::graphql::limits;

    fn limiter() -> Limiter {
        Limiter::new(RateLimits {
            requests: NonZeroU32::new(3),
            passwords_by_address: NonZeroU32::new(4),
            passwords_by_email: NonZeroU32::new(2),
            drafts: NonZeroU32::new(3),
            key_lookups: NonZeroU32::new(2),
        })
    }

    fn peer(last: u8) -> Peer {
        Peer(IpAddr::from([127, 0, 0, last]))
    }

    #[test]
    fn each_caller_has_a_budget() {
        let (limiter, clock) = (limiter(), Clock::frozen(DateTime::UNIX_EPOCH));
        let ask = |last| limiter.request(&clock, &Actor::Anonymous, peer(last));
        for left in [2, 1, 0] {
            let status = ask(1).expect("within the limit");
            assert_eq!((status.limit, status.remaining), (3, left));
            assert_eq!((status.reset_at - clock.now()).num_seconds(), i64::from(3 - left) * 20);
        }
        let refused = ask(1).expect_err("above the limit");
        assert!((19..=21).contains(&refused.seconds()), "{refused:?}");
        assert!(ask(2).is_ok(), "another caller");
    }

    #[test]
    fn passwords_have_their_own() {
        let attempt = |email: &str, times: usize| {
            let field = format!("sessionCreate(input: {{ email: \"{email}\" }}) {{ x }}");
            let fields: Vec<String> = (0..times).map(|n| format!("a{n}: {field}")).collect();
            limits::prepare(&mut Request::new(format!("mutation {{ {} }}", fields.join(" ")))).expect("fine")
        };
        let all = limiter();
        assert!(all.passwords(&attempt("a@b.c", 1), &Actor::Anonymous, peer(1)).is_ok());
        assert!(all.passwords(&attempt(" A@B.C", 1), &Actor::Anonymous, peer(2)).is_ok());
        assert!(all.passwords(&attempt("a@b.c", 1), &Actor::Anonymous, peer(3)).is_err(), "from anywhere");
        assert!(all.passwords(&attempt("d@b.c", 1), &Actor::Anonymous, peer(3)).is_ok());

        let all = limiter();
        for n in 0..4 {
            assert!(all.passwords(&attempt(&format!("{n}@b.c"), 1), &Actor::Anonymous, peer(1)).is_ok());
        }
        assert!(
            all.passwords(&attempt("4@b.c", 1), &Actor::Anonymous, peer(1)).is_err(),
            "one address, many e-mails"
        );
        assert!(
            limiter().passwords(&attempt("a@b.c", 3), &Actor::Anonymous, peer(1)).is_err(),
            "aliases count"
        );
        let all = limiter();
        let reset = |email: &str| {
            let field = format!("passwordResetBegin(input: {{ email: \"{email}\" }}) {{ x }}");
            limits::prepare(&mut Request::new(format!("mutation {{ {field} }}"))).expect("fine")
        };
        assert!(all.passwords(&reset("a@b.c"), &Actor::Anonymous, peer(1)).is_ok());
        assert!(all.passwords(&attempt("a@b.c", 1), &Actor::Anonymous, peer(2)).is_ok());
        assert!(all.passwords(&reset("a@b.c"), &Actor::Anonymous, peer(3)).is_err(), "mails count as well");
        let other = limits::prepare(&mut Request::new("mutation { x }")).expect("fine");
        assert!((0..9).all(|_| all.passwords(&other, &Actor::Anonymous, peer(1)).is_ok()));
    }

    #[test]
    fn drafts_are_counted_by_the_hour_for_each_person() {
        let person = |id: u128| {
            Actor::User(domain::Person {
                id: UserId::from(uuid::Uuid::from_u128(id)),
                role: domain::entities::Role::Client,
                session_id: domain::entities::SessionId::from(uuid::Uuid::from_u128(id)),
                verified: true,
                suspended: false,
            })
        };
        let drafts = |times: usize| {
            let fields: Vec<String> = (0..times).map(|n| format!("a{n}: draftCreate {{ draft }}")).collect();
            limits::prepare(&mut Request::new(format!("mutation {{ {} }}", fields.join(" ")))).expect("fine")
        };
        let limiter = limiter();
        assert!(limiter.drafts(&drafts(3), &person(1)).is_ok(), "as many at once");
        let refused = limiter.drafts(&drafts(1), &person(1)).expect_err("above the limit");
        assert!((1_195..=1_201).contains(&refused.seconds()), "{refused:?}");
        assert!(limiter.drafts(&drafts(1), &person(2)).is_ok(), "another person");
        assert!(limiter.drafts(&drafts(9), &Actor::Anonymous).is_ok(), "who is nobody gets none anyway");
        assert!(self::limiter().drafts(&drafts(4), &person(1)).is_err(), "aliases count");
    }

    /// Who made the ids up does not matter: Circle would count the questions as ours.
    #[test]
    fn keys_are_looked_up_so_often_and_no_more() {
        let limiter = limiter();
        assert!((0..2).all(|_| limiter.key_lookup().is_ok()));
        let refused = limiter.key_lookup().expect_err("above the limit");
        assert!((29..=31).contains(&refused.seconds()), "{refused:?}");
    }

    #[test]
    fn off_is_off() {
        let limiter = Limiter::new(RateLimits::unlimited());
        let clock = Clock::frozen(DateTime::UNIX_EPOCH);
        let status = limiter.request(&clock, &Actor::Anonymous, peer(1)).expect("no limit");
        assert_eq!((status.remaining, status.reset_at), (UNLIMITED, clock.now()));
    }
}
