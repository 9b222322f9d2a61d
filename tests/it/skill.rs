//! Skills: admins keep them, everybody names them.

use serde_json::{Value, json};

use crate::{
    market::{self, skill},
    support::{Someone, TestApp, errors, ok, text},
};

const CREATE: &str = "mutation($input: SkillCreateInput!) { skillCreate(input: $input) {
    skill { id name category { name } verifiedAt deletedAt } userErrors { field code message } } }";
const UPDATE: &str = "mutation($input: SkillUpdateInput!) { skillUpdate(input: $input) {
    skill { id name category { name } } userErrors { field code message } } }";
const VERIFY: &str = "mutation($input: SkillVerifyInput!) { skillVerify(input: $input) {
    skill { verifiedAt } userErrors { field code message } } }";
const DELETE: &str = "mutation($input: SkillDeleteInput!) { skillDelete(input: $input) {
    skill { deletedAt } userErrors { field code message } } }";
const RESTORE: &str = "mutation($input: SkillRestoreInput!) { skillRestore(input: $input) {
    skill { deletedAt } userErrors { field code message } } }";
const LIST: &str = "query($filter: SkillFilter) { skills(filter: $filter, first: 100) { nodes { name } } }";

async fn names(app: &TestApp, by: &Someone, filter: Value) -> Vec<String> {
    let answer = app.gql(&by.token, LIST, json!({ "filter": filter })).await;
    let nodes = answer["data"]["skills"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| text(&node["name"])).collect()
}

async fn create(app: &TestApp, by: &Someone, name: &str) -> Value {
    app.mutate(&by.token, CREATE, json!({ "name": name })).await
}

/// Skill: name 1-100, unique case-insensitively.
#[tokio::test]
async fn rule_skill_name_is_1_to_100_unique_case_insensitively() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (name, wrong) in [
        ("", "name:REQUIRED"),
        ("  ", "name:REQUIRED"),
        (&"x".repeat(101), "name:TOO_LONG"),
        ("Ru\nst", "name:INVALID"),
    ] {
        assert_eq!(errors(&create(&app, &admin, name).await), [wrong], "{name:?}");
    }
    ok(create(&app, &admin, "R").await);
    let rust = text(&ok(create(&app, &admin, " Rust ").await)["skill"]["id"]);
    let long = text(&ok(create(&app, &admin, &"é".repeat(100)).await)["skill"]["id"]);
    for taken in ["Rust", "rUST", " RUST "] {
        assert_eq!(errors(&create(&app, &admin, taken).await), ["name:TAKEN"], "{taken}");
    }
    let rename = async |id: &str, name: &str| {
        errors(&app.mutate(&admin.token, UPDATE, json!({ "skillId": id, "name": name })).await)
    };
    assert_eq!(rename(&long, "rust").await, ["name:TAKEN"]);
    assert_eq!(rename(&long, &"x".repeat(101)).await, ["name:TOO_LONG"]);
    assert!(rename(&rust, "RUST").await.is_empty(), "its own name in other letters");
    app.finish().await;
}

/// Skill: category, soft-deleted; only admins create or verify.
#[tokio::test]
async fn rule_skill_is_soft_deleted_and_kept_by_admins_only() {
    let app = TestApp::start().await;
    let (admin, carla, felix) = (app.admin().await, app.client("carla").await, app.freelancer("felix").await);
    let categories = app.gql("", "{ categories { id name } }", json!({})).await["data"]["categories"].clone();
    let input = json!({ "name": "Rust", "categoryId": categories[0]["id"] });
    for someone in [&carla, &felix] {
        assert_eq!(errors(&app.mutate(&someone.token, CREATE, input.clone()).await), [":FORBIDDEN"]);
    }
    let answer = app.gql("", CREATE, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let rust = ok(app.mutate(&admin.token, CREATE, input).await)["skill"].clone();
    assert_eq!(rust["category"]["name"], "Web");
    assert!(rust["verifiedAt"].is_null() && rust["deletedAt"].is_null(), "{rust}");
    let id = json!({ "skillId": rust["id"] });
    for someone in [&carla, &felix] {
        for mutation in [UPDATE, VERIFY, DELETE, RESTORE] {
            assert_eq!(errors(&app.mutate(&someone.token, mutation, id.clone()).await), [":FORBIDDEN"]);
        }
    }

    let change = json!({ "skillId": rust["id"], "name": "Rust 2024", "categoryId": categories[1]["id"] });
    let changed = ok(app.mutate(&admin.token, UPDATE, change).await)["skill"].clone();
    assert_eq!((&changed["name"], &changed["category"]["name"]), (&json!("Rust 2024"), &json!("Mobile")));
    let nowhere = json!({ "skillId": rust["id"], "categoryId": null });
    let changed = ok(app.mutate(&admin.token, UPDATE, nowhere).await)["skill"].clone();
    assert_eq!((&changed["name"], &changed["category"]), (&json!("Rust 2024"), &json!(null)));
    let unknown = domain::entities::CategoryId(uuid::Uuid::from_u128(1)).to_string();
    let bad = json!({ "skillId": rust["id"], "categoryId": unknown });
    assert_eq!(errors(&app.mutate(&admin.token, UPDATE, bad).await), ["categoryId:NOT_FOUND"]);

    // On a profile, then gone from it, then there again.
    let profile = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) {
        user { skills { skill { name } } } userErrors { field code message } } }";
    let level = json!({ "skills": [{ "skillId": rust["id"], "proficiency": 5, "years": 3 }] });
    ok(app.mutate(&felix.token, profile, level.clone()).await);
    // And on a project.
    let project = market::post(&app, &carla.token, json!({ "skillIds": [rust["id"]] })).await;
    let shown = async || {
        let query =
            "query($id: ID!, $skill: ID!, $project: ID!) { user(id: $id) { skills { skill { name } } }
            node(id: $skill) { id } project(id: $project) { skills { name } } }";
        let ids = json!({ "id": felix.id, "skill": rust["id"], "project": project });
        let data = app.gql("", query, ids).await["data"].clone();
        let count = |list: &Value| list.as_array().unwrap().len();
        (count(&data["user"]["skills"]), count(&data["project"]["skills"]), data["node"].is_object())
    };
    assert_eq!(shown().await, (1, 1, true));
    let gone = ok(app.mutate(&admin.token, DELETE, id.clone()).await)["skill"]["deletedAt"].clone();
    assert!(gone.is_string());
    app.advance(chrono::Duration::minutes(1));
    assert_eq!(ok(app.mutate(&admin.token, DELETE, id.clone()).await)["skill"]["deletedAt"], gone);
    assert_eq!(shown().await, (0, 0, false));
    assert!(names(&app, &felix, json!({})).await.is_empty());
    assert_eq!(names(&app, &admin, json!({ "deleted": true })).await, ["Rust 2024"]);
    let asked = app.gql(&felix.token, LIST, json!({ "filter": { "deleted": true } })).await;
    assert_eq!(asked["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(errors(&app.mutate(&felix.token, profile, level).await), ["skills.0.skillId:NOT_FOUND"]);
    for mutation in [UPDATE, VERIFY] {
        assert_eq!(errors(&app.mutate(&admin.token, mutation, id.clone()).await), ["skillId:ILLEGAL_STATE"]);
    }
    let again = create(&app, &admin, "rust 2024").await;
    assert_eq!(errors(&again), ["name:TAKEN"]);
    let message = text(&again["userErrors"][0]["message"]);
    assert!(message.contains("restore") && message.contains(&text(&rust["id"])), "{message}");
    assert!(ok(app.mutate(&admin.token, RESTORE, id.clone()).await)["skill"]["deletedAt"].is_null());
    ok(app.mutate(&admin.token, RESTORE, id).await);
    assert_eq!(shown().await, (1, 1, true));

    let log = "{ auditLog(first: 20) { nodes { action } } }";
    let log = app.gql(&admin.token, log, json!({})).await["data"]["auditLog"]["nodes"].clone();
    let actions: Vec<&str> =
        log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let wanted = ["skill.restore", "skill.delete", "skill.update", "skill.update", "skill.create"];
    assert_eq!(actions[..5], wanted, "what changed nothing is not on the record");
    let other = json!({ "skillId": domain::entities::SkillId(uuid::Uuid::from_u128(1)).to_string() });
    assert_eq!(errors(&app.mutate(&admin.token, DELETE, other).await), ["skillId:NOT_FOUND"]);
    app.finish().await;
}

#[tokio::test]
async fn skills_are_found_by_a_piece_of_their_name_whatever_its_case() {
    let app = TestApp::start().await;
    let carla = app.client("carla").await;
    for name in ["Pâtisserie", "École design", "100% Rust"] {
        skill(&app, name).await;
    }
    for (piece, found) in [
        ("âTIS", "Pâtisserie"),
        ("PÂT", "Pâtisserie"),
        ("é", "École design"),
        ("É", "École design"),
        ("0% r", "100% Rust"),
    ] {
        assert_eq!(names(&app, &carla, json!({ "search": piece })).await, [found], "{piece}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_skill_is_verified_once_and_found_by_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (rust, _) = (skill(&app, "Rust").await, skill(&app, "Ruby").await);
    let verify = async |verified: bool| {
        let input = json!({ "skillId": rust, "verified": verified });
        ok(app.mutate(&admin.token, VERIFY, input).await)["skill"]["verifiedAt"].clone()
    };
    let first = verify(true).await;
    app.advance(chrono::Duration::minutes(1));
    assert_eq!(verify(true).await, first);
    assert_eq!(names(&app, &admin, json!({ "verified": true })).await, ["Rust"]);
    assert_eq!(names(&app, &admin, json!({ "verified": false })).await, ["Ruby"]);
    assert_eq!(names(&app, &admin, json!({})).await, ["Ruby", "Rust"]);
    assert!(verify(false).await.is_null());
    assert!(names(&app, &admin, json!({ "verified": true })).await.is_empty());
    app.finish().await;
}
