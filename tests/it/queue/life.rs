//! The life of a job, without workers: what `drain` shows is what workers do, but for the fetching.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{sync::Arc, time::Duration};

use chrono::Duration as Span;
use domain::queue::{self, JobState, Outcome};

use super::fixture::{Fixture, Probe, done, transient};

#[tokio::test]
async fn a_job_joins_the_callers_transaction() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    let tx = f.app.db.begin().await.unwrap();
    queue::enqueue(&f.app, &*tx, &Probe { name: "a".to_owned() }, "x:0:0", now).await.unwrap();
    drop(tx);
    assert_eq!(f.jobs().await, []);
    assert_eq!(f.drain(&f.probe(done)).await, 0);
    f.finish().await;
}

#[tokio::test]
async fn a_key_counts_once_even_when_its_job_is_done() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("a", "x:0:0", now).await;
    f.enqueue("b", "x:0:0", now).await;
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    f.enqueue("c", "x:0:0", now).await;
    assert_eq!(f.drain(&f.probe(done)).await, 0);
    assert_eq!(f.ran(), ["a"]);
    let job = f.job().await;
    assert_eq!((job.state, job.attempts, job.subject.as_deref()), (JobState::Done, 1, Some("x")));
    assert_eq!(job.payload, r#"{"name":"a"}"#);
    f.finish().await;
}

#[tokio::test]
async fn jobs_run_by_due_time_then_as_written_and_only_when_due() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("late", "1:0:0", now + Span::hours(1)).await;
    for n in 0..20 {
        f.enqueue(&format!("now-{n}"), &format!("now-{n}:0:0"), now).await;
    }
    f.enqueue("early", "3:0:0", now - Span::seconds(1)).await;
    assert_eq!(f.drain(&f.probe(done)).await, 21);
    let wanted: Vec<String> =
        ["early".to_owned()].into_iter().chain((0..20).map(|n| format!("now-{n}"))).collect();
    assert_eq!(f.ran(), wanted);
    assert_eq!(f.jobs().await[0].run_at, now + Span::hours(1));
    f.app.clock.advance(Span::minutes(59));
    assert_eq!(f.drain(&f.probe(done)).await, 0);
    f.app.clock.advance(Span::minutes(1));
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    f.finish().await;
}

#[tokio::test]
async fn a_job_that_asks_for_later_waits_and_uses_no_attempt() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("a", "x:0:0", now).await;
    let registry = f.probe(|_| async { Ok(Outcome::RetryIn(Duration::from_secs(600))) });
    for round in 1..=10 {
        assert_eq!(f.drain(&registry).await, 1);
        let job = f.job().await;
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Scheduled, 0, None));
        assert_eq!(job.run_at, now + Span::seconds(600 * round));
        f.app.clock.advance(Span::seconds(599));
        assert_eq!(f.drain(&registry).await, 0);
        f.app.clock.advance(Span::seconds(1));
    }
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    assert_eq!(f.job().await.state, JobState::Done);
    f.finish().await;
}

#[tokio::test]
async fn errors_back_off_and_end_dead() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("a", "x:0:0", now).await;
    let registry = f.probe(|_| async { Err(transient("it rains")) });
    let mut due = now;
    for (attempt, wait) in [(1, 2), (2, 4), (3, 5)] {
        assert_eq!(f.drain(&registry).await, 1);
        let job = f.job().await;
        assert_eq!((job.state, job.attempts), (JobState::Failed, attempt));
        assert_eq!(job.last_error.as_deref(), Some("test: it rains"));
        due += Span::seconds(wait);
        assert_eq!(job.run_at, due);
        assert_eq!(job.finished_at, None);
        f.app.clock.advance(Span::seconds(wait));
    }
    assert_eq!(f.drain(&registry).await, 1);
    let job = f.job().await;
    assert_eq!((job.state, job.attempts), (JobState::Dead, 4));
    assert!(job.finished_at.is_some());
    f.app.clock.advance(Span::days(1));
    assert_eq!(f.drain(&registry).await, 0);
    f.finish().await;
}

#[tokio::test]
async fn a_panic_does_not_lose_the_job() {
    let f = Fixture::frozen().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let calls = Arc::new(AtomicU32::new(0));
    let registry = f.probe(move |name| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        assert!(call > 0, "the first call of {name} ends badly, before its future is made");
        async move {
            assert!(call > 1, "and the second in the future");
            Ok(Outcome::Done)
        }
    });
    for (state, error) in [
        (JobState::Failed, Some("panicked: the first call of a ends badly, before its future is made")),
        (JobState::Failed, Some("panicked: and the second in the future")),
        (JobState::Done, None),
    ] {
        assert_eq!(f.drain(&registry).await, 1);
        let job = f.job().await;
        assert_eq!((job.state, job.last_error.as_deref()), (state, error));
        f.app.clock.advance(Span::seconds(10));
    }
    f.finish().await;
}

#[tokio::test]
async fn what_will_never_work_is_dead_with_the_reason() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("fail", "1:0:0", now).await;
    f.enqueue("bug", "2:0:0", now).await;
    let registry = f.probe(|name| async move {
        if name == "bug" {
            Err(domain::Error::bug("two and two"))
        } else {
            Ok(Outcome::Fail("no \"way\"".to_owned()))
        }
    });
    assert_eq!(f.drain(&registry).await, 2);
    let jobs = f.jobs().await;
    let seen: Vec<_> = jobs.iter().map(|job| (job.state, job.attempts, job.last_error.as_deref())).collect();
    assert_eq!(
        seen,
        [(JobState::Dead, 1, Some("no \"way\"")), (JobState::Dead, 1, Some("bug: two and two"))]
    );
    f.finish().await;
}

#[tokio::test]
async fn an_attempt_has_a_time_limit() {
    let f = Fixture::frozen().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let registry = f.probe(|_| std::future::pending());
    assert_eq!(f.drain(&registry).await, 1);
    let job = f.job().await;
    assert_eq!((job.state, job.last_error.as_deref()), (JobState::Failed, Some("took longer than 5s")));
    f.finish().await;
}

/// The only job, with as many attempts as real ones have.
async fn job_of_25_attempts(f: &Fixture) {
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    f.sql("UPDATE Jobs SET max_attempts = 25", "UPDATE apalis.jobs SET max_attempts = 25").await;
}

/// A process takes the only job and dies with it; apalis gives the row of a silent worker back.
async fn crash(f: &Fixture) {
    let job = queue::claim_next(&f.app, "doomed").await.unwrap().unwrap();
    assert_eq!(job.key.as_deref(), Some("x:0:0"));
    f.sql(
        "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL, attempts = attempts + 1",
        "UPDATE apalis.jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL, attempts = attempts + 1",
    )
    .await;
}

#[tokio::test]
async fn three_crashes_are_quarantined_for_a_while_and_errors_are_no_crashes() {
    let f = Fixture::frozen().await;
    job_of_25_attempts(&f).await;
    // An error is an answer: it is no crash, and makes no wait longer.
    let failing = || f.probe(|_| async { Err(transient("once")) });
    assert_eq!(f.drain(&failing()).await, 1);
    f.app.clock.advance(Span::seconds(10));
    for _ in 0..3 {
        crash(&f).await;
    }
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    let job = f.job().await;
    assert_eq!((job.state, job.attempts), (JobState::Failed, 5));
    let error = "quarantined for 30 s: the process died 3 times while running this";
    assert_eq!(job.last_error.as_deref(), Some(error));
    f.app.clock.advance(Span::seconds(29));
    assert_eq!(f.drain(&f.probe(done)).await, 0, "it is kept away");
    assert_eq!(f.ran(), ["a"]);

    // One more crash is one too many, and the wait longer.
    f.app.clock.advance(Span::seconds(1));
    crash(&f).await;
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    let error = "quarantined for 120 s: the process died 3 times while running this";
    assert_eq!(f.job().await.last_error.as_deref(), Some(error));
    f.app.clock.advance(Span::seconds(120));
    assert_eq!(f.drain(&failing()).await, 1);
    assert_eq!(f.job().await.last_error.as_deref(), Some("test: once"));
    f.app.clock.advance(Span::hours(1));
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    let job = f.job().await;
    assert_eq!((job.state, job.attempts), (JobState::Done, 9));
    assert_eq!(f.ran(), ["a"; 3]);
    f.finish().await;
}

#[tokio::test]
async fn what_kills_every_process_is_kept_away_longer_and_longer_and_ends() {
    let f = Fixture::frozen().await;
    job_of_25_attempts(&f).await;
    let (mut crashes, mut waits) = (0, Vec::new());
    while f.job().await.finished_at.is_none() {
        // Whatever its wait is, it is over after the longest one.
        f.app.clock.advance(Span::minutes(30));
        crash(&f).await;
        crashes += 1;
        if crashes >= 3 {
            assert_eq!(f.drain(&f.probe(done)).await, 1);
            waits.extend(f.job().await.last_error);
        }
    }
    let waits: Vec<_> =
        waits.iter().filter_map(|error| error.split(' ').nth(2)?.parse::<u64>().ok()).collect();
    assert_eq!(waits[..4], [30, 120, 480, 1800]);
    assert!(waits[4..].iter().all(|wait| *wait == 1800), "{waits:?}");
    assert_eq!(f.job().await.state, JobState::Dead);
    assert!(f.ran().is_empty());
    f.finish().await;
}

#[tokio::test]
async fn a_late_end_is_not_written_over_another_workers() {
    let f = Fixture::frozen().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let slow = queue::claim_next(&f.app, "slow").await.unwrap().unwrap();
    assert_eq!(queue::release(&f.app, "slow").await.unwrap(), 1);
    let quick = queue::claim_next(&f.app, "quick").await.unwrap().unwrap();
    assert_eq!(queue::load(&f.app, &slow.id, "slow").await.unwrap(), None);
    assert!(!queue::finish(&f.app, &slow, &queue::End::Dead("too late".to_owned())).await.unwrap());
    assert!(queue::finish(&f.app, &quick, &queue::End::Done).await.unwrap());
    assert_eq!(f.job().await.state, JobState::Done);
    f.finish().await;
}

#[tokio::test]
async fn a_queue_that_never_rests_is_an_error() {
    let f = Fixture::frozen().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let registry = f.probe(|_| async { Ok(Outcome::RetryIn(Duration::ZERO)) });
    let error = jobs::drain_with(&registry, &f.app).await.unwrap_err().to_string();
    assert!(error.contains("does not come to rest: probe Some(\"x:0:0\")"), "{error}");
    f.finish().await;
}
