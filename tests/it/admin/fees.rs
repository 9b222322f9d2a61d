//! The schedule of the fee: versions that are never changed.

use chrono::{DateTime, Duration, Utc};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{TestApp, errors, new_key, ok, text};

const CREATE: &str = "mutation($input: FeeScheduleCreateInput!) { feeScheduleCreate(input: $input) {
    feeSchedule { version basisPoints effectiveAt } userErrors { field code message } } }";
const QUOTE: &str = "{ quote(input: { amount: { amount: \"100\" } }) { fee { amount }
    feeSchedule { version basisPoints } } }";

async fn create(app: &TestApp, token: &str, basis_points: i32, at: DateTime<Utc>) -> Value {
    let input = json!({ "basisPoints": basis_points, "effectiveAt": at.to_rfc3339() });
    app.mutate(token, CREATE, input).await
}

/// A contract keeps the fee version it was made with.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_contract_keeps_the_fee_it_was_made_with() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let soon = app.app.clock.now() + Duration::hours(1);
    let made = ok(create(&app, &admin.token, 2_000, soon).await)["feeSchedule"].clone();
    assert_eq!((&made["version"], &made["basisPoints"]), (&json!(2), &json!(2_000)));
    assert_eq!(app.gql("", QUOTE, json!({})).await["data"]["quote"]["fee"]["amount"], "10.00", "not yet");

    app.advance(Duration::hours(1));
    let quote = app.gql("", QUOTE, json!({})).await["data"]["quote"].clone();
    assert_eq!(quote["fee"]["amount"], "20.00", "from that moment on: {quote}");
    assert_eq!(quote["feeSchedule"], json!({ "version": 2, "basisPoints": 2_000 }));

    // The old contract's money moves under the new schedule's reign, at the old fee.
    app.submitted(&deal, &deal.milestones[0]).await;
    let release = ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    assert_eq!(release["payment"]["fee"]["amount"], "10.00");
    assert_eq!(release["payment"]["net"]["amount"], "90.00");
    app.drain().await;
    app.finish().await;
}

/// Fee schedule: 0-3,000 basis points, in force in the future only.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_fee_schedule_has_0_to_3000_basis_points_and_begins_in_the_future() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let now = app.app.clock.now();
    let moment = Duration::microseconds(1);
    for (basis_points, at, wanted) in [
        (-1, now + moment, "basisPoints:OUT_OF_RANGE"),
        (3_001, now + moment, "basisPoints:OUT_OF_RANGE"),
        (1_000, now, "effectiveAt:OUT_OF_RANGE"),
        (1_000, now - moment, "effectiveAt:OUT_OF_RANGE"),
    ] {
        assert_eq!(
            errors(&create(&app, &admin.token, basis_points, at).await),
            [wanted],
            "{basis_points} {at}"
        );
    }
    let input = json!({ "basisPoints": 1, "effectiveAt": "+10000-01-01T00:00:00Z" });
    assert_eq!(errors(&app.mutate(&admin.token, CREATE, input).await), ["effectiveAt:OUT_OF_RANGE"]);
    ok(create(&app, &admin.token, 0, now + moment).await);
    ok(create(&app, &admin.token, 3_000, now + moment).await);

    let list = "{ feeSchedules { version basisPoints } }";
    let list = app.gql(&admin.token, list, json!({})).await["data"]["feeSchedules"].clone();
    let versions: Vec<_> = list.as_array().unwrap().iter().map(|row| row["version"].clone()).collect();
    assert_eq!(versions, [3, 2, 1]);
    // Of two that begin at the same moment the later one holds.
    app.advance(Duration::seconds(1));
    let quote = app.gql("", QUOTE, json!({})).await["data"]["quote"].clone();
    assert_eq!(quote["feeSchedule"]["version"], 3, "{quote}");

    let log = "{ auditLog(filter: { action: \"feeSchedule.create\" }) { nodes { subjectId details } } }";
    let log = app.gql(&admin.token, log, json!({})).await["data"]["auditLog"]["nodes"].clone();
    let details: Value = serde_json::from_str(&text(&log[0]["details"])).unwrap();
    assert_eq!((&details["version"], &details["basisPoints"]), (&json!(3), &json!(3_000)));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_never_changed_and_two_at_once_get_two_numbers() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for change in ["UPDATE fee_schedules SET basis_points = 0", "DELETE FROM fee_schedules"] {
        let error = app.app.db.writer().execute_unprepared(change).await.unwrap_err().to_string();
        assert!(error.contains("never changed"), "{error}");
    }
    let at = app.app.clock.now() + Duration::days(1);
    let all = futures::future::join_all((1..=6).map(|n| create(&app, &admin.token, n, at))).await;
    let mut versions: Vec<_> =
        all.into_iter().map(|made| ok(made)["feeSchedule"]["version"].as_i64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7]);
    for token in [app.client("carla").await.token, app.freelancer("felix").await.token] {
        assert_eq!(errors(&create(&app, &token, 1, at).await), [":FORBIDDEN"]);
    }
    app.finish().await;
}
