//! What the assistant adds: matches in the order of what their texts mean, and drafts. It is a server of our own that
//! speaks OpenAI's interface, and what it finds alike is a matter of counting words.

mod budget;
mod drafts;
mod matches;
mod model;
mod rest;

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::Router;
use domain::entities::user;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::support::{ASSISTANT_KEY, Someone, TestApp, ok, post, text};

/// What somebody says of themselves, and the mean of their ten reviews in hundredths.
async fn says(app: &TestApp, who: &Someone, bio: Option<&str>, rating: i32) {
    let change = user::ActiveModel {
        id: Set(who.id.parse().unwrap()),
        bio: Set(bio.map(str::to_owned)),
        rating: Set(rating),
        review_count: Set(if rating == 0 { 0 } else { 10 }),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
}

/// A project that says this.
async fn posts(app: &TestApp, client: &Someone, description: &str, publish: bool) -> String {
    let category =
        app.gql("", "{ categories { id } }", json!({})).await["data"]["categories"][0]["id"].clone();
    let input = json!({
        "title": "Something to do", "description": description, "categoryId": category, "budgetType": "FIXED",
        "budgetMin": { "amount": "100" }, "budgetMax": { "amount": "500" }, "experienceLevel": "ENTRY",
        "publish": publish,
    });
    let query = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) {
        project { id } userErrors { field code message } } }";
    text(&ok(app.mutate(&client.token, query, input).await)["project"]["id"])
}

const DESCRIPTION: &str = "A shop for plants, and plants for the shop: nothing else.";

/// A client and their project, and three freelancers: the best by score, the likest, and one who says nothing.
struct Market {
    client: Someone,
    project: String,
    best: Someone,
    likest: Someone,
    silent: Someone,
}

async fn market(app: &TestApp) -> Market {
    let client = app.client("carla").await;
    let project = posts(app, &client, DESCRIPTION, true).await;
    let best = app.register("barnabas", "FREELANCER").await;
    let likest = app.register("leopold", "FREELANCER").await;
    let silent = app.register("sylvester", "FREELANCER").await;
    says(app, &best, Some("I keep the ledger of a shop."), 500).await;
    says(app, &likest, Some("I grow plants. Write to leopold@example.com"), 0).await;
    Market { client, project, best, likest, silent }
}

/// Whom a project matches, as its client sees it: who, how like, and why there.
async fn matches(app: &TestApp, client: &Someone, project: &str) -> Vec<(String, Value, String)> {
    ranked(&app.router, client, project).await
}

/// The same, by one of several processes.
async fn ranked(process: &Router, client: &Someone, project: &str) -> Vec<(String, Value, String)> {
    let query =
        "query($id: ID!) { project(id: $id) { matches { freelancer { id } score similarity rankedBy } } }";
    let body = json!({ "query": query, "variables": { "id": project } });
    let answer = post(process, &client.token, body).await;
    assert!(answer.get("errors").is_none() && !answer.to_string().contains(ASSISTANT_KEY), "{answer:#}");
    let matches = answer["data"]["project"]["matches"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    let row = |found: &Value| {
        (text(&found["freelancer"]["id"]), found["similarity"].clone(), text(&found["rankedBy"]))
    };
    matches.iter().map(row).collect()
}

fn by_score(market: &Market) -> Vec<(String, Value, String)> {
    let row = |who: &Someone| (who.id.clone(), Value::Null, "SCORE".to_owned());
    [&market.best, &market.likest, &market.silent].map(row).into()
}

fn by_meaning(market: &Market) -> Vec<(String, Value, String)> {
    // 2 plants and 2 shops against 1 plant: 1 / sqrt(2); against a shop and a ledger: 1 / 2.
    let rows = [
        (&market.likest, json!(0.707)),
        (&market.best, json!(0.5)),
        // Nothing can be said of who says nothing.
        (&market.silent, Value::Null),
    ];
    rows.map(|(who, similarity)| (who.id.clone(), similarity, "SEMANTIC".to_owned())).into()
}

/// draftCreate; the payload.
async fn draft(app: &TestApp, by: &Someone, input: Value) -> Value {
    drafted(&app.router, by, input).await
}

/// The same, by one of several processes.
async fn drafted(process: &Router, by: &Someone, input: Value) -> Value {
    let query = "mutation($input: DraftCreateInput!) { draftCreate(input: $input) {
        draft userErrors { field code message } } }";
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = post(process, &by.token, body).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["draftCreate"].clone()
}

fn description(notes: &str) -> Value {
    json!({ "kind": "PROJECT_DESCRIPTION", "notes": notes })
}

fn letter(project: &str, notes: &str) -> Value {
    json!({ "kind": "COVER_LETTER", "projectId": project, "notes": notes })
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to keep what this thread logs: the test's runtime has no other.
fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}
