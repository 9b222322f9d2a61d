//! The queue may lose anything: the sweep finds what is due.

use chrono::Duration as Span;
use domain::queue::{self, JobFilter, JobState};
use entities::{MailId, MailStatus, NotificationKind, mail};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::fixture::{Fixture, done};

/// A mail that is due, with no job.
async fn forgotten_mail(f: &Fixture, due: chrono::DateTime<chrono::Utc>) -> MailId {
    let id: MailId = f.app.clock.new_id();
    let row = mail::Model {
        id,
        user_id: None,
        to_address: "ada@example.org".to_owned(),
        kind: NotificationKind::AccountVerify,
        subject: "s".to_owned(),
        html: "h".to_owned(),
        text: "t".to_owned(),
        message_id: format!("{id}@example.org"),
        status: MailStatus::Pending,
        last_error: None,
        attempts: 0,
        look: 0,
        due_at: Some(due),
        sent_at: None,
        created_at: f.app.clock.now(),
    };
    row.into_active_model().insert(f.app.db.writer()).await.unwrap();
    id
}

async fn look(f: &Fixture, id: MailId) -> i32 {
    mail::Entity::find_by_id(id).one(f.app.db.reader()).await.unwrap().unwrap().look
}

async fn sweep(f: &Fixture) -> u64 {
    queue::sweep::<mail::Entity>(&f.app, Span::seconds(30)).await.unwrap()
}

#[tokio::test]
async fn a_lost_wake_up_is_found_after_the_grace_and_once() {
    let f = Fixture::frozen().await;
    let id = forgotten_mail(&f, f.app.clock.now()).await;
    assert_eq!(sweep(&f).await, 0, "it may still be on its way");
    f.app.clock.advance(Span::seconds(31));
    assert_eq!(sweep(&f).await, 1);
    let job = f.job().await;
    assert_eq!((job.state, job.subject), (JobState::Ready, Some(id.to_string())));
    assert_eq!(look(&f, id).await, 1);
    // Its job is alive, however late: no second one.
    for _ in 0..3 {
        f.app.clock.advance(Span::hours(1));
        assert_eq!(sweep(&f).await, 0);
    }
    assert_eq!(look(&f, id).await, 1);
    f.finish().await;
}

#[tokio::test]
async fn the_whole_queue_may_be_lost() {
    let f = Fixture::frozen().await;
    let due = f.app.clock.now();
    for _ in 0..250 {
        forgotten_mail(&f, due).await;
    }
    f.app.clock.advance(Span::minutes(1));
    assert_eq!(sweep(&f).await, 250);
    f.sql("DELETE FROM Jobs", "DELETE FROM apalis.jobs").await;
    f.app.clock.advance(Span::minutes(1));
    assert_eq!(sweep(&f).await, 250);
    assert_eq!(sweep(&f).await, 0);
    assert_eq!(queue::count(&f.app, &JobFilter::default()).await.unwrap(), 250);
    f.finish().await;
}

#[tokio::test]
async fn two_sweeps_at_once_wake_each_row_once() {
    let f = Fixture::frozen().await;
    let due = f.app.clock.now();
    for _ in 0..120 {
        forgotten_mail(&f, due).await;
    }
    f.app.clock.advance(Span::minutes(1));
    let other = f.another().await;
    let (a, b) = tokio::join!(
        queue::sweep::<mail::Entity>(&f.app, Span::seconds(30)),
        queue::sweep::<mail::Entity>(&other, Span::seconds(30)),
    );
    assert_eq!(a.unwrap() + b.unwrap(), 120);
    assert_eq!(queue::count(&f.app, &JobFilter::default()).await.unwrap(), 120);
    f.finish().await;
}

#[tokio::test]
async fn dead_jobs_stay_dead_and_used_up_ones_get_a_second_wind() {
    let f = Fixture::frozen().await;
    let id = forgotten_mail(&f, f.app.clock.now()).await;
    f.app.clock.advance(Span::minutes(1));
    assert_eq!(sweep(&f).await, 1);
    let job = f.job().await.id;
    assert!(queue::cancel(&f.app, f.app.db.writer(), &job).await.unwrap());
    f.app.clock.advance(Span::days(2));
    assert_eq!(sweep(&f).await, 0, "cancelled");

    assert!(queue::retry(&f.app, f.app.db.writer(), &job).await.unwrap());
    f.sql("UPDATE Jobs SET max_attempts = 1", "UPDATE apalis.jobs SET max_attempts = 1").await;
    // The mail server is down.
    assert_eq!(jobs::drain(&f.app).await.unwrap(), 1);
    assert_eq!(f.job().await.state, JobState::Dead);
    f.app.clock.advance(Span::minutes(50));
    assert_eq!(sweep(&f).await, 0, "used up a moment ago");
    f.app.clock.advance(Span::minutes(11));
    assert_eq!(sweep(&f).await, 1, "it may work again by now");
    assert_eq!(look(&f, id).await, 2);
    f.finish().await;
}

#[tokio::test]
async fn drain_sweeps_too_and_moving_the_clock_makes_jobs_due_for_workers() {
    let f = Fixture::new(domain::Clock::real(Span::zero())).await;
    f.enqueue("a", "x:0:0", f.app.clock.now() + Span::days(3)).await;
    assert_eq!(queue::pull_forward(&f.app).await.unwrap(), 0);
    f.app.clock.advance(Span::days(3));
    assert_eq!(queue::pull_forward(&f.app).await.unwrap(), 1);
    assert_eq!(queue::pull_forward(&f.app).await.unwrap(), 0);
    forgotten_mail(&f, f.app.clock.now() - Span::seconds(1)).await;
    let error = jobs::drain_with(&f.probe(done), &f.app).await.unwrap_err();
    assert!(error.to_string().contains("no queue is called mail-send"), "{error}");
    f.finish().await;
}

#[tokio::test]
async fn old_rows_are_pruned_and_young_ones_kept() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    for n in 0..3 {
        f.enqueue("a", &format!("{n}:0:0"), now + Span::days(n)).await;
    }
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    assert_eq!(queue::prune(&f.app).await.unwrap(), 1, "the drain's worker, which never beat");
    f.sql(
        "UPDATE Jobs SET done_at = done_at - 90000 WHERE status = 'Done'",
        "UPDATE apalis.jobs SET done_at = done_at - interval '25 hours' WHERE status = 'Done'",
    )
    .await;
    assert_eq!(queue::prune(&f.app).await.unwrap(), 1);
    assert_eq!(f.jobs().await.len(), 2);
    queue::analyze(&f.app.db).await.unwrap();
    f.finish().await;
}
