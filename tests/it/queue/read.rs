//! The queue as administrators see it, and what they may do.

use chrono::Duration as Span;
use domain::{
    page::PageRequest,
    queue::{self, JobFilter, JobState, Outcome},
};

use super::fixture::{Fixture, done, transient};

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    for n in 0..5 {
        f.enqueue(&format!("j{n}"), &format!("pay_{}:1:{n}", n % 2), now + Span::hours(n)).await;
    }
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    f.app.clock.advance(Span::hours(2));
    let count = async |filter: JobFilter| queue::count(&f.app, &filter).await.unwrap();
    assert_eq!(count(JobFilter::default()).await, 5);
    assert_eq!(count(JobFilter { queue: Some("other".to_owned()), ..JobFilter::default() }).await, 0);
    assert_eq!(count(JobFilter { subject: Some("pay_0".to_owned()), ..JobFilter::default() }).await, 3);
    for (state, wanted) in
        [(JobState::Done, 1), (JobState::Ready, 2), (JobState::Scheduled, 2), (JobState::Dead, 0)]
    {
        let filter = JobFilter { state: Some(state), queue: Some("probe".to_owned()), subject: None };
        assert_eq!(count(filter.clone()).await, wanted, "{state:?}");
        let page = queue::list(&f.app, &filter, &PageRequest::default()).await.unwrap();
        assert!(page.rows.iter().all(|(_, job)| job.state == state));
    }

    let list =
        async |request: PageRequest| queue::list(&f.app, &JobFilter::default(), &request).await.unwrap();
    let first = list(PageRequest { first: Some(2), ..PageRequest::default() }).await;
    let keys = |page: &domain::page::Page<queue::JobRow>| -> Vec<String> {
        page.rows.iter().map(|(_, job)| job.payload.clone()).collect()
    };
    assert_eq!(keys(&first), [r#"{"name":"j4"}"#, r#"{"name":"j3"}"#]);
    assert!(first.has_next && !first.has_previous);
    let rest =
        list(PageRequest { first: Some(5), after: Some(first.rows[1].0.clone()), ..PageRequest::default() })
            .await;
    assert_eq!(keys(&rest), [r#"{"name":"j2"}"#, r#"{"name":"j1"}"#, r#"{"name":"j0"}"#]);
    assert!(!rest.has_next && rest.has_previous);
    let last = list(PageRequest { last: Some(2), ..PageRequest::default() }).await;
    assert_eq!(keys(&last), [r#"{"name":"j1"}"#, r#"{"name":"j0"}"#]);
    let bad = PageRequest { after: Some("'; DROP TABLE Jobs".to_owned()), ..PageRequest::default() };
    assert!(queue::list(&f.app, &JobFilter::default(), &bad).await.is_err());

    let queues = queue::queues(&f.app).await.unwrap();
    assert_eq!(queues.len(), 1);
    assert_eq!(
        (queues[0].name.as_str(), queues[0].of(JobState::Ready), queues[0].of(JobState::Done)),
        ("probe", 2, 1)
    );
    assert_eq!(queues[0].oldest_ready, Some(Span::hours(1)));
    f.finish().await;
}

#[tokio::test]
async fn a_dead_job_can_be_tried_again_with_all_its_attempts() {
    let f = Fixture::frozen().await;
    f.enqueue("a", "x:0:0", f.app.clock.now()).await;
    let id = f.job().await.id;
    assert!(!queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap(), "it is ready already");
    f.drain(&f.probe(|_| async { Ok(Outcome::Fail("no".to_owned())) })).await;
    assert!(!queue::cancel(&f.app, f.app.db.writer(), &id).await.unwrap(), "it is dead already");
    assert!(queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap());
    assert!(!queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap(), "somebody else was quicker");
    let job = queue::find(&f.app, &id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts, job.finished_at), (JobState::Ready, 0, None));
    assert_eq!(f.drain(&f.probe(done)).await, 1);
    assert_eq!(f.job().await.state, JobState::Done);
    assert!(!queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap(), "it is done");
    assert!(!queue::retry(&f.app, f.app.db.writer(), "no such job").await.unwrap());
    f.finish().await;
}

#[tokio::test]
async fn only_a_waiting_job_can_be_cancelled() {
    let f = Fixture::frozen().await;
    let now = f.app.clock.now();
    f.enqueue("a", "x:0:0", now + Span::hours(1)).await;
    let id = f.job().await.id;
    assert!(queue::cancel(&f.app, f.app.db.writer(), &id).await.unwrap());
    assert_eq!(f.job().await.state, JobState::Cancelled);
    f.app.clock.advance(Span::days(1));
    assert_eq!(f.drain(&f.probe(done)).await, 0);

    assert!(queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap());
    queue::claim_next(&f.app, "somebody").await.unwrap().unwrap();
    assert_eq!(f.job().await.state, JobState::Running);
    assert!(f.job().await.started_at.is_some());
    assert!(!queue::cancel(&f.app, f.app.db.writer(), &id).await.unwrap(), "it is running");
    assert!(!queue::retry(&f.app, f.app.db.writer(), &id).await.unwrap(), "it is running");

    queue::release(&f.app, "somebody").await.unwrap();
    f.drain(&f.probe(|_| async { Err(transient("rain")) })).await;
    assert_eq!(f.job().await.state, JobState::Failed);
    assert!(queue::cancel(&f.app, f.app.db.writer(), &id).await.unwrap());
    assert_eq!(f.job().await.state, JobState::Cancelled);
    f.finish().await;
}
