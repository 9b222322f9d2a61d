//! Pages of projects stay what they are while projects are posted, and cost no count that nobody asked for.

use std::sync::{Arc, Mutex};

use domain::{Actor, App, Db};
use serde_json::{Value, json};

use crate::{
    market::{self, post},
    support::TestApp,
};

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $order: ProjectOrder) {
    projects(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
        edges { cursor node { title } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// The titles of a page, and its pageInfo.
async fn page(app: &TestApp, variables: Value) -> (Vec<String>, Value) {
    let answer = app.gql("", PAGE, variables).await;
    let projects = &answer["data"]["projects"];
    let edges = projects["edges"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let titles = edges.iter().map(|edge| edge["node"]["title"].as_str().unwrap().to_owned()).collect();
    (titles, projects["pageInfo"].clone())
}

#[tokio::test]
async fn pages_stay_what_they_are_while_projects_are_posted() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    for n in 1..=7 {
        app.advance(chrono::Duration::seconds(1));
        post(&app, &client, json!({ "title": format!("Project {n}") })).await;
    }
    let (titles, info) = page(&app, json!({ "first": 3 })).await;
    assert_eq!(titles, ["Project 7", "Project 6", "Project 5"]);
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(true), &json!(false)));

    // Two more come between the pages: the next one goes on where the first ended.
    for n in 8..=9 {
        app.advance(chrono::Duration::seconds(1));
        post(&app, &client, json!({ "title": format!("Project {n}") })).await;
    }
    let (titles, second) = page(&app, json!({ "first": 3, "after": info["endCursor"] })).await;
    assert_eq!(titles, ["Project 4", "Project 3", "Project 2"]);
    let (titles, third) = page(&app, json!({ "first": 3, "after": second["endCursor"] })).await;
    assert_eq!(titles, ["Project 1"]);
    assert_eq!((&third["hasNextPage"], &third["hasPreviousPage"]), (&json!(false), &json!(true)));

    // Backwards from there; and what came meanwhile is in front.
    let (titles, back) = page(&app, json!({ "last": 2, "before": second["startCursor"] })).await;
    assert_eq!(titles, ["Project 6", "Project 5"]);
    assert_eq!((&back["hasNextPage"], &back["hasPreviousPage"]), (&json!(true), &json!(true)));
    let (titles, front) = page(&app, json!({ "last": 5, "before": back["startCursor"] })).await;
    assert_eq!(titles, ["Project 9", "Project 8", "Project 7"]);
    assert_eq!(front["hasPreviousPage"], json!(false));
    let (titles, _) = page(&app, json!({ "last": 2 })).await;
    assert_eq!(titles, ["Project 2", "Project 1"]);
    let between = json!({ "first": 10, "after": back["startCursor"], "before": second["endCursor"] });
    assert_eq!(page(&app, between).await.0, ["Project 5", "Project 4", "Project 3"]);
    app.finish().await;
}

#[tokio::test]
async fn equal_sort_keys_are_neither_left_out_nor_shown_twice() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    // One budget for all, at one moment: ties all the way.
    for n in 1..=5 {
        post(&app, &client, json!({ "title": format!("Project {n}") })).await;
    }
    let order = json!({ "field": "BUDGET_MAX", "direction": "ASC" });
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    for step in 0..5 {
        let (titles, info) = page(&app, json!({ "first": 1, "after": after, "order": order })).await;
        assert_eq!(info["hasNextPage"], json!(step < 4));
        seen.extend(titles);
        after = info["endCursor"].clone();
        if step == 1 {
            // Dearer ones go to the end, cheaper ones to the front: neither disturbs what lies between.
            let cheap = json!({ "title": "Cheap one", "budgetMin": { "amount": "1" }, "budgetMax": { "amount": "2" } });
            post(&app, &client, cheap).await;
        }
    }
    assert_eq!(seen, ["Project 1", "Project 2", "Project 3", "Project 4", "Project 5"]);
    // A cursor of another order is refused.
    let answer = app.gql("", PAGE, json!({ "first": 1, "after": after })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID", "{answer}");
    for (variables, code) in [
        (json!({ "first": 0 }), "OUT_OF_RANGE"),
        (json!({ "first": 101 }), "OUT_OF_RANGE"),
        (json!({ "last": 101 }), "OUT_OF_RANGE"),
        (json!({ "first": 1, "last": 1 }), "INVALID"),
        (json!({ "after": "nonsense" }), "INVALID"),
    ] {
        let answer = app.gql("", PAGE, variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{variables}: {answer}");
    }
    assert_eq!(page(&app, json!({ "first": 100 })).await.0.len(), 6);
    app.finish().await;
}

#[tokio::test]
async fn a_total_is_counted_only_when_somebody_asks() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    for _ in 0..3 {
        post(&app, &client, json!({})).await;
    }
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut reader = app.app.db.reader().clone();
    let log = Arc::clone(&asked);
    reader.set_metric_callback(move |info| log.lock().unwrap().push(info.statement.sql.clone()));
    let db = Db::new(app.app.db.writer().clone(), reader);
    let schema = api::schema(App { db, ..app.app.clone() });
    let mut counts = Vec::new();
    for query in
        ["{ projects(first: 2) { nodes { id } } }", "{ projects(first: 2) { totalCount nodes { id } } }"]
    {
        asked.lock().unwrap().clear();
        let answer = schema.execute(async_graphql::Request::new(query).data(Actor::Anonymous)).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        counts.push(asked.lock().unwrap().iter().filter(|sql| sql.contains("COUNT(")).count());
        if query.contains("totalCount") {
            assert_eq!(answer.data.into_json().unwrap()["projects"]["totalCount"], 3);
        }
    }
    assert_eq!(counts, [0, 1]);
    app.finish().await;
}
