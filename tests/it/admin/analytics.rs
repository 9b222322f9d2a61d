//! Figures over known data: what is counted, in which bucket, and how many buckets there may be.

mod rows;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use domain::{
    Actor, App, Db,
    analytics::{Interval, Period, analytics},
};
use serde_json::{Value, json};

use rows::known;

use crate::support::{TestApp, text};

const QUERY: &str = "query($input: AnalyticsInput!) { analytics(input: $input) {
    total { ...all } buckets { startAt figures { ...all } } } }
    fragment all on AnalyticsFigures { clientSignUps freelancerSignUps projectsPublished proposals
    contractsAccepted contractsRunning gmv { amount } fees { amount } refunds { amount } timeToHireHours
    disputesOpened disputeRate }";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

async fn ask(app: &TestApp, token: &str, from: &str, to: &str, interval: &str) -> Value {
    let input = json!({ "input": { "from": from, "to": to, "interval": interval } });
    app.gql(token, QUERY, input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_day_are_what_happened_that_day() {
    let (app, admin) = known().await;
    let answer = ask(&app, &admin, "2025-02-28T00:00:00Z", "2025-03-04T00:00:00Z", "DAY").await;
    let money = |amount: &str| json!({ "amount": amount });
    let day = |start: &str, figures: Value| json!({ "startAt": format!("{start}T00:00:00+00:00"), "figures": figures });
    let wanted = [
        day(
            "2025-02-28",
            json!({
                "clientSignUps": 1, "freelancerSignUps": 0, "projectsPublished": 1, "proposals": 1,
                "contractsAccepted": 0, "contractsRunning": 2, "gmv": money("100.00"), "fees": money("10.00"),
                "refunds": money("0.00"), "timeToHireHours": null, "disputesOpened": 1, "disputeRate": 0.5,
            }),
        ),
        // The one that ends as the day begins is still counted: it had not ended before. 36.5 h and 12 h 20 s.
        day(
            "2025-03-01",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 2, "projectsPublished": 2, "proposals": 2,
                "contractsAccepted": 2, "contractsRunning": 4, "gmv": money("50.000007"), "fees": money("5.000001"),
                "refunds": money("0.00"), "timeToHireHours": 24.25, "disputesOpened": 1, "disputeRate": 0.25,
            }),
        ),
        day(
            "2025-03-02",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 0, "projectsPublished": 1, "proposals": 0,
                "contractsAccepted": 0, "contractsRunning": 3, "gmv": money("0.00"), "fees": money("0.00"),
                "refunds": money("20.000001"), "timeToHireHours": null, "disputesOpened": 0, "disputeRate": 0.0,
            }),
        ),
        // Empty, and there.
        day(
            "2025-03-03",
            json!({
                "clientSignUps": 0, "freelancerSignUps": 0, "projectsPublished": 0, "proposals": 0,
                "contractsAccepted": 0, "contractsRunning": 2, "gmv": money("0.00"), "fees": money("0.00"),
                "refunds": money("0.00"), "timeToHireHours": null, "disputesOpened": 0, "disputeRate": 0.0,
            }),
        ),
    ];
    let buckets = answer["data"]["analytics"]["buckets"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    for (found, wanted) in buckets.iter().zip(&wanted) {
        assert_eq!(found["figures"], wanted["figures"], "{}", wanted["startAt"]);
        assert_eq!(at(&text(&found["startAt"])), at(&text(&wanted["startAt"])));
    }
    assert_eq!(buckets.len(), wanted.len());
    assert_eq!(
        answer["data"]["analytics"]["total"],
        json!({
            "clientSignUps": 1, "freelancerSignUps": 2, "projectsPublished": 4, "proposals": 3,
            "contractsAccepted": 2, "contractsRunning": 4, "gmv": money("150.000007"), "fees": money("15.000001"),
            "refunds": money("20.000001"), "timeToHireHours": 24.25, "disputesOpened": 2, "disputeRate": 0.5,
        })
    );
    app.finish_made_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_week_and_month_begin_where_the_calendar_says() {
    let (app, admin) = known().await;
    // 2025-02-24 and 2025-03-03 are Mondays. The time begins and ends within a bucket.
    let figures = |answer: &Value, field: &str| -> Vec<(String, Value)> {
        let buckets =
            answer["data"]["analytics"]["buckets"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
        let start = |bucket: &Value| at(&text(&bucket["startAt"])).format("%F").to_string();
        buckets.iter().map(|bucket| (start(bucket), bucket["figures"][field].clone())).collect()
    };
    let weeks = ask(&app, &admin, "2025-02-28T12:00:00Z", "2025-03-03T00:00:00.000001Z", "WEEK").await;
    let wanted = [
        ("2025-02-24".to_owned(), json!({ "amount": "150.000007" })),
        ("2025-03-03".to_owned(), json!({ "amount": "0.00" })),
    ];
    assert_eq!(figures(&weeks, "gmv"), wanted, "what is exactly at `from` counts");
    let weeks = ask(&app, &admin, "2025-02-28T12:00:00.000001Z", "2025-03-03T00:00:00Z", "WEEK").await;
    let wanted = [("2025-02-24".to_owned(), json!({ "amount": "50.000007" }))];
    assert_eq!(figures(&weeks, "gmv"), wanted, "what is before `from` does not");

    let months = ask(&app, &admin, "2025-01-05T00:00:00Z", "2025-03-02T00:00:00Z", "MONTH").await;
    let counts = |field| figures(&months, field).into_iter().map(|(_, n)| n).collect::<Vec<_>>();
    assert_eq!(
        figures(&months, "contractsAccepted").iter().map(|(s, _)| s.as_str()).collect::<Vec<_>>(),
        ["2025-01-01", "2025-02-01", "2025-03-01"]
    );
    assert_eq!(counts("contractsAccepted"), [1, 0, 2]);
    assert_eq!(counts("contractsRunning"), [2, 2, 4]);
    assert_eq!(counts("freelancerSignUps"), [0, 0, 2]);
    assert_eq!(counts("clientSignUps"), [0, 1, 0]);
    assert_eq!(counts("disputesOpened"), [0, 1, 1]);
    assert_eq!(
        counts("refunds"),
        [json!({ "amount": "0.00" }), json!({ "amount": "0.00" }), json!({ "amount": "0.00" })]
    );
    app.finish_made_up().await;
}

/// Analytics: at most 400 buckets.
#[tokio::test(flavor = "multi_thread")]
async fn rule_analytics_have_at_most_400_buckets() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let from = "2025-01-01T00:00:00Z";
    for (interval, fits, beyond) in [
        ("DAY", "2026-02-05T00:00:00Z", "2026-02-05T00:00:00.000001Z"),
        // 2025-01-01 is in the week of Monday 2024-12-30.
        ("WEEK", "2032-08-30T00:00:00Z", "2032-08-30T00:00:01Z"),
        ("MONTH", "2058-05-01T00:00:00Z", "2058-05-01T00:00:01Z"),
    ] {
        let answer = ask(&app, &admin, from, fits, interval).await;
        let buckets = answer["data"]["analytics"]["buckets"].as_array().map(Vec::len);
        assert_eq!(buckets, Some(400), "{interval}: {}", answer["errors"]);
        let refused = ask(&app, &admin, from, beyond, interval).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{interval}: {refused}");
    }
    for (from, to) in [
        (from, from),
        (from, "2024-12-31T00:00:00Z"),
        ("1999-12-31T00:00:00Z", "2000-01-02T00:00:00Z"),
        (from, "+10000-01-01T00:00:00Z"),
    ] {
        let refused = ask(&app, &admin, from, to, "MONTH").await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{from} {to}: {refused}");
    }
    app.finish().await;
}

/// However many buckets there are, and however much is in them.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_by_day_costs_as_many_statements_as_one_day() {
    let (app, _) = known().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let mut reader = app.app.db.reader().clone();
    let counter = asked.clone();
    reader.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let watched = App { db: Db::new(app.app.db.writer().clone(), reader), ..app.app.clone() };
    let mut counts = Vec::new();
    for (from, to, buckets) in [("2020-01-01", "2020-01-02", 1), ("2025-01-01", "2026-01-01", 365)] {
        let (from, to) = (at(&format!("{from}T00:00:00Z")), at(&format!("{to}T00:00:00Z")));
        let found =
            analytics(&watched, &Actor::System, Period { from, to, interval: Interval::Day }).await.unwrap();
        assert_eq!(found.buckets.len(), buckets);
        counts.push(asked.swap(0, Ordering::Relaxed));
    }
    assert_eq!(counts, [8, 8]);
    app.finish_made_up().await;
}
