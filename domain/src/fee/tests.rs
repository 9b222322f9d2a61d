use chrono::Duration;
use entities::{Role, audit_entry};

use super::*;
use crate::fixture::{
    app, noon,
    rows::{id, person},
};

fn admin() -> Actor {
    Actor::Admin(person(id(5), Role::Admin))
}

fn client() -> Actor {
    Actor::User(person(id(1), Role::Client))
}

#[tokio::test]
async fn versions_are_counted_and_listed_the_newest_first() {
    let app = app().await;
    let first = schedules(&app, &admin()).await.unwrap();
    let told: Vec<_> = first.iter().map(|row| (row.version, row.basis_points)).collect();
    assert_eq!(told, [(1, 1_000)]);
    let later = noon() + Duration::days(30);
    let second = create(&app, &admin(), 800, later).await.unwrap();
    assert_eq!(second, fee_schedule::Model { version: 2, basis_points: 800, effective_at: later });
    // From the same moment on: the later version mends the one before.
    let third = create(&app, &admin(), 900, later).await.unwrap();
    assert_eq!(third.version, 3);
    let listed = schedules(&app, &admin()).await.unwrap();
    assert_eq!(listed, [third, second, first[0].clone()]);
    let audited = audit_entry::Entity::find().all(app.db.reader()).await.unwrap();
    let told: Vec<_> = audited.iter().map(|row| (row.action.as_str(), row.actor_id)).collect();
    assert_eq!(told, [("feeSchedule.create", Some(id(5))); 2]);
}

#[tokio::test]
async fn a_fee_is_none_to_thirty_percent_from_a_time_in_the_future_on() {
    let app = app().await;
    let micro = Duration::microseconds(1);
    let told = async |basis_points: i32, from: DateTime<Utc>| match create(&app, &admin(), basis_points, from)
        .await
    {
        Ok(row) => row.basis_points.to_string(),
        Err(Error::Rejected { problems }) => {
            let each = problems.iter().map(|it| format!("{} {}", it.field.join("."), it.code.as_str()));
            each.collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(told(0, noon() + micro).await, "0");
    assert_eq!(told(3_000, noon() + micro).await, "3000");
    assert_eq!(told(-1, noon() + micro).await, "basisPoints OUT_OF_RANGE");
    assert_eq!(told(3_001, noon() + micro).await, "basisPoints OUT_OF_RANGE");
    assert_eq!(told(1_000, noon()).await, "effectiveAt OUT_OF_RANGE");
    assert_eq!(told(1_000, noon() - micro).await, "effectiveAt OUT_OF_RANGE");
    assert_eq!(told(-1, noon()).await, "basisPoints OUT_OF_RANGE, effectiveAt OUT_OF_RANGE");
    assert_eq!(schedules(&app, &admin()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn fees_are_the_administrators_business() {
    let app = app().await;
    let refused = "This needs the role ADMIN.";
    assert_eq!(schedules(&app, &client()).await.unwrap_err().to_string(), refused);
    let created = create(&app, &client(), 0, noon() + Duration::days(1)).await;
    assert_eq!(created.unwrap_err().to_string(), refused);
    assert_eq!(schedules(&app, &admin()).await.unwrap().len(), 1);
}
