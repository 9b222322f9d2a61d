use std::pin::pin;

use chrono::{DateTime, Utc};
use domain::entities::EventKind;
use futures::StreamExt as _;
use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ActiveValue::Set, ConnectOptions, Database, EntityTrait as _};
use tokio::time::timeout;
use uuid::Uuid;

use super::*;

/// A feed over an empty database of its own.
async fn feed() -> (EventFeed, DatabaseConnection) {
    let mut options = ConnectOptions::new("sqlite::memory:");
    // Each connection of SQLite's memory is a database of its own.
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.expect("SQLite");
    Migrator::up(&db, None).await.expect("migrations");
    (EventFeed::over(db.clone(), Clock::real(chrono::Duration::zero())), db)
}

async fn write(db: &DatabaseConnection, ids: impl IntoIterator<Item = i64>) {
    let now: DateTime<Utc> = Clock::real(chrono::Duration::zero()).now();
    let rows = ids.into_iter().map(|id| event::ActiveModel {
        id: Set(id),
        kind: Set(EventKind::PaymentUpdated),
        subject_id: Set(Uuid::nil()),
        user_id: Set(None),
        created_at: Set(now),
    });
    event::Entity::insert_many(rows).exec_without_returning(db).await.expect("rows");
}

async fn next(stream: &mut (impl Stream<Item = async_graphql::Result<event::Model>> + Unpin)) -> i64 {
    timeout(Duration::from_secs(5), stream.next())
        .await
        .expect("in time")
        .expect("no end")
        .expect("no error")
        .id
}

#[tokio::test]
async fn every_listener_hears_what_is_new() {
    let (feed, db) = feed().await;
    write(&db, 1..4).await;
    let (mut one, mut two) = (pin!(feed.subscribe()), pin!(feed.subscribe()));
    tokio::time::sleep(EVERY).await;
    write(&db, 4..6).await;
    for id in 4..6 {
        assert_eq!(next(&mut one).await, id);
        assert_eq!(next(&mut two).await, id);
    }
}

#[tokio::test]
async fn what_is_written_before_the_first_look_is_heard() {
    let (feed, db) = feed().await;
    write(&db, 1..4).await;
    let mut stream = pin!(feed.subscribe());
    write(&db, 4..5).await;
    assert_eq!(next(&mut stream).await, 4);
}

#[tokio::test]
async fn rows_that_commit_late_are_heard_once() {
    let (feed, db) = feed().await;
    write(&db, [1, 3]).await;
    let mut stream = pin!(feed.subscribe());
    tokio::time::sleep(EVERY).await;
    write(&db, [6]).await;
    assert_eq!(next(&mut stream).await, 6);
    write(&db, [5, 2]).await;
    assert_eq!((next(&mut stream).await, next(&mut stream).await), (2, 5));
    write(&db, [4, 7]).await;
    assert_eq!((next(&mut stream).await, next(&mut stream).await), (4, 7));
    assert!(timeout(EVERY * 3, stream.next()).await.is_err(), "nothing comes twice");
}

#[tokio::test]
async fn a_slow_listener_is_told_and_cut_off() {
    let (feed, db) = feed().await;
    let mut stream = pin!(feed.subscribe());
    tokio::time::sleep(EVERY).await;
    let many = i64::try_from(BEHIND).expect("small") + 10;
    for begin in (1..=many).step_by(100) {
        write(&db, begin..(begin + 100).min(many + 1)).await;
    }
    tokio::time::sleep(EVERY * 6).await;
    let error = stream.next().await.expect("an error").expect_err("fell behind");
    assert!(error.message.contains("fell behind"), "{error:?}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn nobody_listens_nothing_is_read() {
    let (feed, db) = feed().await;
    drop(feed.subscribe());
    tokio::time::sleep(EVERY * 3).await;
    assert!(!*feed.0.tailing.lock().expect("no panic"));
    write(&db, 1..3).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let mut stream = pin!(feed.subscribe());
    tokio::time::sleep(EVERY).await;
    write(&db, 3..4).await;
    assert_eq!(next(&mut stream).await, 3);
}
