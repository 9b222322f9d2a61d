//! Orders in a database from before it was noted which askings Circle had answered.

use chrono::Duration;
use migration::{Migrator, MigratorTrait};
use sandbox::circle::Fault;

use super::World;

/// It may have been asked for a moment ago: for ten minutes from the change on that is kept in mind.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_under_way_is_in_doubt_when_the_database_is_changed() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.circle().set_fault(Some(Fault::CutAfterPayout));
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "SUBMITTED");

    let db = world.app.app.db.writer();
    let changes = Migrator::migrations();
    let newer = changes.iter().skip_while(|change| change.name() != "m20261126_000016_rails").count();
    Migrator::down(db, Some(u32::try_from(newer).unwrap())).await.unwrap();
    Migrator::up(db, None).await.unwrap();
    let order = world.order(&release).await.unwrap();
    // By the database's clock, which is long past the test's.
    let until = order.doubt_until.unwrap();
    assert!(until > order.updated_at + Duration::days(1), "{order:?}");

    world.circle().set_fault(None);
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}
