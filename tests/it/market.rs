//! What the tests of projects, proposals and contracts share: the way from a posted project to an offer.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::entities::{SkillId, skill};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, ok, text};

pub(crate) const CREATE: &str = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) {
    project { id title status skills { name } proposalCount budgetMax { amount currency baseUnits } }
    userErrors { field code message } } }";
pub(crate) const SUBMIT: &str = "mutation($input: ProposalSubmitInput!) { proposalSubmit(input: $input) {
    proposal { id status bid { amount } milestones { title amount { amount } position } }
    userErrors { field code message } } }";
pub(crate) const ACCEPT: &str = "mutation($input: ProposalAcceptInput!) { proposalAccept(input: $input) {
    proposal { id status }
    contract { id status amount { amount } lapsesAt milestones { title status position amount { amount } } }
    userErrors { field code message } } }";
pub(crate) const SHORTLIST: &str = "mutation($id: ID!, $on: Boolean!) {
    proposalShortlist(input: { proposalId: $id, shortlisted: $on }) {
    proposal { status } userErrors { field code message } } }";

pub(crate) const CONTRACT_ACCEPT: &str = "mutation($id: ID!) { contractAccept(input: { contractId: $id }) {
    contract { status } userErrors { field code message } } }";

/// A new client's token.
pub(crate) async fn client(app: &TestApp) -> String {
    person(app, "CLIENT").await
}

/// A new freelancer's token.
pub(crate) async fn freelancer(app: &TestApp) -> String {
    person(app, "FREELANCER").await
}

/// Somebody verified and without a wallet: nothing here pays anybody.
async fn person(app: &TestApp, role: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let name = format!("{}-{}", role.to_lowercase(), COUNT.fetch_add(1, Ordering::Relaxed));
    let someone = app.register(&name, role).await;
    app.verify(&someone.email).await;
    someone.token
}

/// A new access token of somebody who registered before.
pub(crate) async fn sign_in(app: &TestApp, email: &str) -> String {
    let query = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
        session { accessToken } userErrors { code message } } }";
    let payload = ok(app.mutate("", query, json!({ "email": email, "password": PASSWORD })).await);
    text(&payload["session"]["accessToken"])
}

/// A new skill's id.
pub(crate) async fn skill(app: &TestApp, name: &str) -> String {
    let id: SkillId = app.app.clock.new_id();
    let row = skill::Model {
        id,
        name: name.to_owned(),
        name_key: name.to_lowercase(),
        category_id: None,
        verified_at: None,
        deleted_at: None,
        created_at: app.app.clock.now(),
    };
    let insert = skill::Entity::insert(skill::ActiveModel::from(row));
    insert.exec_without_returning(app.app.db.writer()).await.expect("written");
    id.to_string()
}

/// One of the categories, by its place in the list.
pub(crate) async fn category(app: &TestApp, index: usize) -> String {
    let answer = app.gql("", "{ categories { id } }", json!({})).await;
    text(&answer["data"]["categories"][index]["id"])
}

/// A project that keeps to every limit, to be changed at will.
pub(crate) async fn project(app: &TestApp) -> Value {
    json!({
        "title": "A shop that works",
        "description": "A shop for lamps, described at some length so that the limit is kept.",
        "categoryId": category(app, 0).await,
        "budgetType": "FIXED",
        "budgetMin": { "amount": "500" },
        "budgetMax": { "amount": "900" },
        "experienceLevel": "INTERMEDIATE",
        "publish": true,
    })
}

/// Posts a project with some fields changed; its id.
pub(crate) async fn post(app: &TestApp, client: &str, changes: Value) -> String {
    let input = merged(project(app).await, changes);
    let answer = app.gql(client, CREATE, json!({ "input": input })).await;
    let id = &answer["data"]["projectCreate"]["project"]["id"];
    assert!(id.is_string(), "{answer}");
    text(id)
}

/// A bid that keeps to every limit of a FIXED project, to be changed at will.
pub(crate) fn bid(project: &str) -> Value {
    json!({
        "projectId": project,
        "coverLetter": "I have built three shops for lamps, and all of them still shine.",
        "bid": { "amount": "600" },
        "availability": "IMMEDIATE",
    })
}

/// Bids with some fields changed; the proposal's id.
pub(crate) async fn propose(app: &TestApp, freelancer: &str, project: &str, changes: Value) -> String {
    let input = merged(bid(project), changes);
    let answer = app.gql(freelancer, SUBMIT, json!({ "input": input })).await;
    let id = &answer["data"]["proposalSubmit"]["proposal"]["id"];
    assert!(id.is_string(), "{answer}");
    text(id)
}

/// Accepts a proposal; the whole answer.
pub(crate) async fn accept(app: &TestApp, client: &str, proposal: &str) -> Value {
    let input = json!({ "proposalId": proposal, "description": "As the proposal says." });
    app.gql(client, ACCEPT, json!({ "input": input })).await
}

/// Accepts a proposal; the offered contract's id.
pub(crate) async fn offer(app: &TestApp, client: &str, proposal: &str) -> String {
    let answer = accept(app, client, proposal).await;
    let id = &answer["data"]["proposalAccept"]["contract"]["id"];
    assert!(id.is_string(), "{answer}");
    text(id)
}

/// The state of a project, as its client sees it.
pub(crate) async fn project_status(app: &TestApp, token: &str, id: &str) -> String {
    let answer = app.gql(token, "query($id: ID!) { project(id: $id) { status } }", json!({ "id": id })).await;
    text(&answer["data"]["project"]["status"])
}

/// The state of a proposal, as one who may see it.
pub(crate) async fn proposal_status(app: &TestApp, token: &str, id: &str) -> String {
    let query = "query($id: ID!) { node(id: $id) { ... on Proposal { status } } }";
    let answer = app.gql(token, query, json!({ "id": id })).await;
    text(&answer["data"]["node"]["status"])
}

/// What a person was told: the kinds of their notifications, oldest first.
pub(crate) async fn told(app: &TestApp, token: &str) -> Vec<String> {
    let query = "{ viewer { notifications(first: 100) { nodes { kind } } } }";
    let answer = app.gql(token, query, json!({})).await;
    let nodes =
        answer["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let market = |kind: &String| !kind.starts_with("ACCOUNT_");
    nodes.iter().rev().map(|node| text(&node["kind"])).filter(market).collect()
}

/// The dotted fields and codes of a mutation's user errors.
pub(crate) fn codes(answer: &Value, mutation: &str) -> Vec<(String, String)> {
    let errors = answer["data"][mutation]["userErrors"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let field = |error: &Value| {
        let parts = error["field"].as_array().cloned().unwrap_or_default();
        parts.iter().map(text).collect::<Vec<_>>().join(".")
    };
    errors.iter().map(|error| (field(error), text(&error["code"]))).collect()
}

/// The code of a mutation's first user error.
pub(crate) fn code(answer: &Value, mutation: &str) -> String {
    codes(answer, mutation).first().unwrap_or_else(|| panic!("no user error: {answer}")).1.clone()
}

pub(crate) fn merged(mut base: Value, changes: Value) -> Value {
    if let (Some(base), Value::Object(changes)) = (base.as_object_mut(), changes) {
        base.extend(changes);
    }
    base
}
