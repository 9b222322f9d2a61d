//! Projects: who posts what, who sees it, and how a list is narrowed.

mod life;
mod pages;
mod rules;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::{Actor, App, Db};
use serde_json::{Value, json};

use crate::{
    market::{self, CREATE, category, code, post, project},
    support::TestApp,
};

#[tokio::test]
async fn a_client_posts_a_project_with_its_skills_in_order() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let skills = [market::skill(&app, "Rust").await, market::skill(&app, "GraphQL").await];
    let mut input = project(&app).await;
    input["skillIds"] = json!([skills[1], skills[0]]);
    let answer = app.gql(&client, CREATE, json!({ "input": input })).await;
    let project = &answer["data"]["projectCreate"]["project"];
    assert_eq!(answer["data"]["projectCreate"]["userErrors"], json!([]));
    assert_eq!(project["status"], "OPEN");
    assert_eq!(project["skills"], json!([{ "name": "GraphQL" }, { "name": "Rust" }]));
    assert_eq!(
        project["budgetMax"],
        json!({ "amount": "900.00", "currency": "USDC", "baseUnits": "900000000" })
    );
    assert_eq!(project["proposalCount"], 0);
    app.finish().await;
}

#[tokio::test]
async fn only_a_client_posts() {
    let app = TestApp::start().await;
    let freelancer = market::freelancer(&app).await;
    let input = project(&app).await;
    let answer = app.gql(&freelancer, CREATE, json!({ "input": input })).await;
    assert_eq!(code(&answer, "projectCreate"), "FORBIDDEN");
    let answer = app.gql("", CREATE, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

const PUBLISH: &str = "mutation($id: ID!) { projectPublish(input: { projectId: $id }) {
    project { status publishedAt } userErrors { field code message } } }";
const SEE: &str = "query($id: ID!) { project(id: $id) { id status } }";

#[tokio::test]
async fn a_draft_is_its_clients_until_it_is_published_once() {
    let app = TestApp::start().await;
    let (client, other) = (market::client(&app).await, market::client(&app).await);
    let freelancer = market::freelancer(&app).await;
    let draft = post(&app, &client, json!({ "publish": false })).await;

    for (token, sees) in [(client.as_str(), true), (&other, false), (&freelancer, false), ("", false)] {
        let seen = app.gql(token, SEE, json!({ "id": draft })).await;
        assert_eq!(seen["data"]["project"].is_object(), sees, "{seen}");
        let listed = app.gql(token, "{ projects { totalCount } }", json!({})).await;
        assert_eq!(listed["data"]["projects"]["totalCount"], i32::from(sees), "{listed}");
    }
    assert_eq!(code(&app.gql(&other, PUBLISH, json!({ "id": draft })).await, "projectPublish"), "NOT_FOUND");
    assert_eq!(
        code(&app.gql(&freelancer, PUBLISH, json!({ "id": draft })).await, "projectPublish"),
        "FORBIDDEN"
    );

    let answer = app.gql(&client, PUBLISH, json!({ "id": draft })).await;
    assert_eq!(answer["data"]["projectPublish"]["project"]["status"], "OPEN");
    assert!(answer["data"]["projectPublish"]["project"]["publishedAt"].is_string());
    assert!(app.gql("", SEE, json!({ "id": draft })).await["data"]["project"].is_object());

    let again = app.gql(&client, PUBLISH, json!({ "id": draft })).await;
    let error = &again["data"]["projectPublish"]["userErrors"][0];
    assert_eq!(error["code"], "ILLEGAL_STATE");
    assert_eq!(error["message"], "The project is OPEN; it cannot become OPEN from there.");
    app.finish().await;
}

const LIST: &str = "query($filter: ProjectFilter, $order: ProjectOrder) {
    projects(filter: $filter, orderBy: $order) { totalCount nodes { title } } }";

async fn titles(app: &TestApp, filter: Value, order: Value) -> Vec<String> {
    let answer = app.gql("", LIST, json!({ "filter": filter, "order": order })).await;
    let nodes = answer["data"]["projects"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_narrowed_and_sorted() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let rust = market::skill(&app, "Rust").await;
    let money = |amount: &str| json!({ "amount": amount });
    let design = category(&app, 3).await;
    post(
        &app,
        &client,
        json!({ "title": "Save 50% on hosting", "budgetMin": money("10"), "budgetMax": money("20") }),
    )
    .await;
    post(&app, &client, json!({ "title": "A 50x faster page", "skillIds": [rust] })).await;
    post(
        &app,
        &client,
        json!({ "title": "Écran for a shop", "categoryId": design, "experienceLevel": "ENTRY" }),
    )
    .await;
    let newest_first = ["Écran for a shop", "A 50x faster page", "Save 50% on hosting"];

    assert_eq!(titles(&app, Value::Null, Value::Null).await, newest_first);
    for (filter, wanted) in [
        (json!({ "search": "50%" }), vec!["Save 50% on hosting"]),
        (json!({ "search": "FASTER" }), vec!["A 50x faster page"]),
        (json!({ "search": "Écran" }), vec!["Écran for a shop"]),
        (json!({ "search": "described at some length" }), newest_first.to_vec()),
        (json!({ "search": "_" }), vec![]),
        (json!({ "search": "  " }), newest_first.to_vec()),
        (json!({ "categories": [design] }), vec!["Écran for a shop"]),
        (json!({ "skills": [rust] }), vec!["A 50x faster page"]),
        (json!({ "status": ["DRAFT", "CANCELLED"] }), vec![]),
        (json!({ "status": "OPEN", "experienceLevel": "ENTRY" }), vec!["Écran for a shop"]),
        (json!({ "budgetMin": money("20.01") }), newest_first[..2].to_vec()),
        (json!({ "budgetMax": money("10") }), vec!["Save 50% on hosting"]),
    ] {
        assert_eq!(titles(&app, filter.clone(), Value::Null).await, wanted, "{filter}");
    }
    let cheapest = json!({ "field": "BUDGET_MAX", "direction": "ASC" });
    assert_eq!(titles(&app, Value::Null, cheapest).await[0], "Save 50% on hosting");
    let oldest = json!({ "field": "CREATED_AT", "direction": "ASC" });
    assert_eq!(titles(&app, Value::Null, oldest).await[2], "Écran for a shop");
    app.finish().await;
}

const DEEP: &str =
    "{ projects(first: 50) { nodes { title category { name } skills { name } client { displayName }
    proposalCount contract { id amount { amount } inEscrow { amount } milestones { title } }
    files { id } } } }";

#[tokio::test]
async fn a_page_costs_the_same_statements_however_long_it_is() {
    let app = TestApp::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let mut reader = app.app.db.reader().clone();
    let counter = asked.clone();
    reader.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let db = Db::new(app.app.db.writer().clone(), reader);
    let schema = api::schema(App { db, ..app.app.clone() });
    let (skills, freelancer) = ([market::skill(&app, "Rust").await], market::freelancer(&app).await);

    let mut counts = Vec::new();
    for _ in 0..2 {
        for _ in 0..3 {
            let client = market::client(&app).await;
            let project = post(&app, &client, json!({ "skillIds": skills })).await;
            let proposal = market::propose(&app, &freelancer, &project, json!({})).await;
            market::offer(&app, &client, &proposal).await;
        }
        asked.store(0, Ordering::Relaxed);
        let answer = schema.execute(async_graphql::Request::new(DEEP).data(Actor::System)).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        counts.push(asked.load(Ordering::Relaxed));
    }
    assert!(counts[0] > 0);
    assert_eq!(counts[0], counts[1], "three projects, then six");
    app.finish().await;
}
