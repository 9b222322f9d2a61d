//! What happens at an armed point.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::POINTS;
use crate::{
    Error,
    error::{Code, Result},
    ports::PortError,
};

tokio::task_local! {
    static SCOPE: Scope;
}

/// Tells scopes apart.
static SCOPES: AtomicU32 = AtomicU32::new(0);

/// What is armed in a scope happens in the futures that it [runs](Scope::run), and nowhere else.
#[derive(Clone, Debug)]
pub struct Scope(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    hits: AtomicU32,
    hit: Notify,
}

impl Scope {
    /// One in which nothing is armed.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("scope-{}", SCOPES.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(Inner { name, hits: AtomicU32::new(0), hit: Notify::new() }))
    }

    /// Says what happens at a point, in `fail`'s words: `1*return(error)`, or `2*off->1*return(hang)` for the third time that
    /// it is passed.
    ///
    /// # Errors
    /// There is no such point, or the words make no sense.
    pub fn arm(&self, point: &str, actions: &str) -> Result<()> {
        known(point)?;
        fail::cfg(self.name(point), actions).map_err(senseless)
    }

    /// Nothing happens at a point any more.
    pub fn disarm(&self, point: &str) {
        fail::remove(self.name(point));
    }

    /// How often something happened.
    #[must_use]
    pub fn hits(&self) -> u32 {
        self.0.hits.load(Ordering::SeqCst)
    }

    /// Returns once something has happened since the last call.
    pub async fn hit(&self) {
        self.0.hit.notified().await;
    }

    /// Runs a future with what is armed here. What it spawns runs without.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        SCOPE.scope(self.clone(), work).await
    }

    fn name(&self, point: &str) -> String {
        format!("{}/{point}", self.0.name)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

/// Arms points for the whole process: `payout.send=1*return(abort);payment.lock=5%return(error)`. Always true: this build has
/// them.
///
/// # Errors
/// There is no such point, or the words make no sense.
pub fn arm(points: &str) -> Result<bool> {
    for one in points.split(';').map(str::trim).filter(|one| !one.is_empty()) {
        let (point, actions) = one.split_once('=').ok_or_else(|| senseless(one.to_owned()))?;
        known(point)?;
        fail::cfg(point, actions).map_err(senseless)?;
    }
    Ok(true)
}

fn known(point: &str) -> Result<()> {
    if POINTS.contains(&point) {
        return Ok(());
    }
    let message = format!("There is no failpoint {point}. There are: {}.", POINTS.join(", "));
    Err(Error::rejected("FAILPOINTS", Code::Invalid, message))
}

fn senseless(what: String) -> Error {
    let message = format!("Not a failpoint's setting: {what}. One is: payout.send=1*return(abort).");
    Error::rejected("FAILPOINTS", Code::Invalid, message)
}

/// A place where something may be made to happen: `error` gives a transient error, `panic` panics, `hang` never comes back
/// (whoever drops it sees what a kill leaves behind), `abort` ends the process at once, and `sleep N` takes N milliseconds.
///
/// # Errors
/// If one was asked for.
pub async fn point(name: &'static str) -> Result<(), PortError> {
    debug_assert!(POINTS.contains(&name), "{name} stands in no list");
    let scope = SCOPE.try_with(Scope::clone).ok();
    let asked = scope.as_ref().and_then(|scope| asked(&scope.name(name))).or_else(|| asked(name));
    let Some(asked) = asked else { return Ok(()) };
    if let Some(scope) = scope {
        scope.0.hits.fetch_add(1, Ordering::SeqCst);
        scope.0.hit.notify_one();
    }
    tracing::warn!(point = name, asked, "a failpoint was hit");
    happen(name, &asked).await
}

fn asked(name: &str) -> Option<String> {
    fail::fail_point!(name, |asked: Option<String>| Some(asked.unwrap_or_default()));
    None
}

#[expect(clippy::panic, reason = "that is what was asked for")]
async fn happen(name: &'static str, asked: &str) -> Result<(), PortError> {
    match asked {
        "panic" => panic!("the failpoint {name}"),
        "hang" => std::future::pending().await,
        "abort" => std::process::abort(),
        _ => {}
    }
    if let Some(milliseconds) = asked.strip_prefix("sleep ").and_then(|number| number.parse().ok()) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        return Ok(());
    }
    Err(PortError::Transient { port: "failpoint", reason: format!("{name}: {asked}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_armed_happens_in_its_scope_as_often_as_it_says() {
        let (scope, other) = (Scope::new(), Scope::new());
        scope.arm("payout.sign", "1*off->1*return(error)").unwrap();
        for (expected, hits) in [(true, 0), (false, 1), (true, 1)] {
            assert_eq!(scope.run(point("payout.sign")).await.is_ok(), expected);
            assert_eq!(scope.hits(), hits);
        }
        scope.arm("payout.sign", "return(error)").unwrap();
        assert!(other.run(point("payout.sign")).await.is_ok());
        assert!(point("payout.sign").await.is_ok());
        assert!(scope.run(point("payout.send")).await.is_ok());
        let error = scope.run(point("payout.sign")).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        scope.disarm("payout.sign");
        assert!(scope.run(point("payout.sign")).await.is_ok());
    }

    #[tokio::test]
    async fn what_hangs_can_be_dropped() {
        let scope = Scope::new();
        scope.arm("payout.send", "return(hang)").unwrap();
        tokio::select! {
            biased;
            () = scope.hit() => (),
            _ = scope.run(point("payout.send")) => panic!("it came back"),
        }
        assert_eq!(scope.hits(), 1);
    }

    #[test]
    fn a_typing_error_is_told() {
        for wrong in ["payout.sing=return(error)", "payout.sign", "payout.sign=retrun", "=return(error)"] {
            let error = arm(wrong).unwrap_err().to_string();
            assert!(error.contains("failpoint"), "{error}");
        }
        assert!(matches!(arm(" ; "), Ok(true)));
    }
}
