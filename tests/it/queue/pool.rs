//! The real pool, in real time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::Duration as Span;
use domain::{
    Clock, Db, Purpose,
    queue::{self, JobState, Outcome},
};
use jobs::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fixture::{self, Fixture, Log, done, transient};

fn start(f: &Fixture, registry: Registry) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(jobs::run_with(registry, f.app.clone(), stop)))
}

async fn real() -> Fixture {
    // Far from the machine's clock, so that a mix-up shows.
    Fixture::new(Clock::real(Span::days(400))).await
}

async fn stop(f: Fixture, (stop, pool): (CancellationToken, JoinHandle<()>)) {
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), pool).await.unwrap().unwrap();
    f.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_what_is_queued_before_and_after_its_start() {
    let f = real().await;
    for n in 0..50 {
        f.enqueue(&n.to_string(), &format!("{n}:0:0"), f.app.clock.now()).await;
    }
    assert!(!queue::workers_beating(&f.app.db, &f.app.clock).await.unwrap());
    let pool = start(&f, f.probe(done));
    f.until(JobState::Done, 50).await;
    assert!(queue::workers_beating(&f.app.db, &f.app.clock).await.unwrap());
    // A wake-up lost by the poll would show here as a stop of seconds.
    for n in 50..70 {
        f.enqueue(&n.to_string(), &format!("{n}:0:0"), f.app.clock.now()).await;
        let queued = Instant::now();
        f.until(JobState::Done, n + 1).await;
        assert!(queued.elapsed() < Duration::from_secs(2), "{:?}", queued.elapsed());
        tokio::time::sleep(Duration::from_millis(13 * (n % 7))).await;
    }
    let mut ran = f.ran();
    ran.sort();
    ran.dedup();
    assert_eq!((ran.len(), f.ran().len()), (70, 70), "each once");
    stop(f, pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_due_times_back_offs_and_a_moved_clock() {
    let f = real().await;
    let now = f.app.clock.now();
    f.enqueue("soon", "1:0:0", now + Span::seconds(2)).await;
    f.enqueue("far", "2:0:0", now + Span::days(2)).await;
    f.enqueue("again", "3:0:0", now).await;
    f.enqueue("panic", "4:0:0", now).await;
    f.enqueue("later", "5:0:0", now).await;
    let tried = Log::default();
    let seen = Arc::clone(&tried);
    let pool = start(
        &f,
        f.probe(move |name| {
            let mut tried = seen.lock().unwrap();
            let first = !tried.contains(&name);
            tried.push(name.clone());
            async move {
                match name.as_str() {
                    "again" if first => Err(transient("rain")),
                    "later" if first => Ok(Outcome::RetryIn(Duration::from_millis(1500))),
                    "panic" if first => panic!("boo"),
                    _ => Ok(Outcome::Done),
                }
            }
        }),
    );
    f.until(JobState::Done, 4).await;
    let waited = f.app.clock.now() - now;
    assert!(waited >= Span::seconds(2) && waited < Span::seconds(8), "{waited}");
    assert_eq!(f.ran().len(), 7, "{:?}", f.ran());
    f.app.clock.advance(Span::days(2));
    f.until(JobState::Done, 5).await;
    stop(f, pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_lets_jobs_end_and_takes_no_more() {
    let f = real().await;
    for n in 0..10 {
        f.enqueue(&n.to_string(), &format!("{n}:0:0"), f.app.clock.now()).await;
    }
    let slow = |_| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Outcome::Done)
    };
    let pool = start(&f, f.probe(slow));
    f.until(JobState::Running, 3).await;
    pool.0.cancel();
    let told = Instant::now();
    tokio::time::timeout(Duration::from_secs(5), pool.1).await.unwrap().unwrap();
    assert!(told.elapsed() < Duration::from_secs(3));
    let count = async |state| {
        queue::count(&f.app, &queue::JobFilter { state: Some(state), ..Default::default() }).await.unwrap()
    };
    assert_eq!((count(JobState::Running).await, count(JobState::Done).await), (0, 3));
    assert_eq!(count(JobState::Ready).await, 7, "the others are given back");
    assert!(f.jobs().await.iter().all(|job| job.attempts == i64::from(job.state == JobState::Done)));
    f.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_missed_and_its_job_taken_over() {
    let f = real().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    // A process of its own, as far as the database can tell; it dies in the middle of the job.
    let (url, clock, log) = (f.url().await, f.app.clock.clone(), Arc::clone(&f.log));
    let doomed = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    doomed.spawn(async move {
        let app = fixture::app(Db::open(&url, Purpose::Serve).await.unwrap(), clock);
        let registry = fixture::probe(log, |_| std::future::pending());
        Box::pin(jobs::run_with(registry, app, CancellationToken::new())).await;
    });
    f.until(JobState::Running, 1).await;
    // The row says so a moment before its handler begins.
    while f.ran().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    doomed.shutdown_background();
    // Waiting for fifteen seconds of silence is left out.
    f.sql(
        "UPDATE Workers SET last_seen = last_seen - 60",
        "UPDATE apalis.workers SET last_seen = last_seen - interval '60 seconds'",
    )
    .await;
    let pool = start(&f, f.probe(done));
    f.until(JobState::Done, 1).await;
    assert_eq!(f.ran(), ["a", "a"]);
    assert_eq!(f.job().await.attempts, 2, "the crash counts");
    stop(f, pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_the_database_failed_comes_back() {
    let f = real().await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let pool = start(
        &f,
        f.probe(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            done(String::new())
        }),
    );
    f.enqueue("a", "1:0:0", f.app.clock.now()).await;
    f.until(JobState::Done, 1).await;
    for n in 2..4 {
        f.sql(
            "UPDATE Jobs SET lock_by = NULL; DELETE FROM Workers",
            "UPDATE apalis.jobs SET lock_by = NULL; DELETE FROM apalis.workers",
        )
        .await;
        f.enqueue("b", &format!("{n}:0:0"), f.app.clock.now()).await;
        f.until(JobState::Done, n).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    stop(f, pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_cannot_be_written_costs_a_second_run_and_not_the_job() {
    let f = real().await;
    f.sql(
        "CREATE TRIGGER refuse BEFORE UPDATE ON Jobs WHEN NEW.status = 'Done' BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON apalis.jobs FOR EACH ROW WHEN (NEW.status = 'Done')
         EXECUTE FUNCTION refuse()",
    )
    .await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let pool = start(&f, f.probe(done));
    for _ in 0..400 {
        if f.ran().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(f.ran(), ["a", "a"], "its worker gave it back, and another took it");
    f.sql("DROP TRIGGER refuse", "DROP TRIGGER refuse ON apalis.jobs").await;
    f.until(JobState::Done, 1).await;
    assert_eq!(f.ran().len(), 2);
    assert_eq!(f.job().await.attempts, 1, "nothing crashed");
    stop(f, pool).await;
}
