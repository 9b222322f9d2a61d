//! Joining, proving an address, and what is there for everybody; below it signing in, passwords and profiles.

mod freelancers;
mod password;
mod profile;
mod rules;
mod session;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use domain::entities::{SkillId, account_token, skill};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, errors, text};

const REGISTER: &str = "mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
    session { id accessToken refreshToken expiresAt refreshExpiresAt } user { id email }
    userErrors { field code message } } }";
const VERIFY: &str = "mutation($input: AccountVerifyInput!) { accountVerify(input: $input) {
    user { displayName } userErrors { field code message } } }";
const RESEND: &str = "mutation { accountVerifyResend { user { id } userErrors { field code message } } }";
const SIGN_IN: &str = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
    session { id accessToken } user { displayName } userErrors { field code message } } }";
const REFRESH: &str = "mutation($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
    session { accessToken refreshToken } userErrors { field code message } } }";
const REVOKE: &str = "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) {
    sessionId userErrors { field code message } } }";
const PROFILE: &str = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) {
    user { headline bio location timeZone hourlyRate { amount } skills { skill { name } proficiency years } }
    userErrors { field code message } } }";
const VIEWER: &str = "{ viewer { email emailVerifiedAt role } }";

/// Registers Ada, a freelancer, with some fields of the input replaced.
async fn register(app: &TestApp, changes: Value) -> Value {
    let mut input = json!({
        "email": "Ada@Example.com", "password": PASSWORD, "displayName": "Ada", "role": "FREELANCER"
    });
    for (field, value) in changes.as_object().expect("an object") {
        input[field] = value.clone();
    }
    app.mutate("", REGISTER, input).await
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Value {
    app.mutate("", SIGN_IN, json!({"email": email, "password": password})).await
}

async fn refresh(app: &TestApp, token: &str) -> Value {
    app.mutate("", REFRESH, json!({"refreshToken": token})).await
}

async fn verify(app: &TestApp, token: &str) -> Vec<String> {
    errors(&app.mutate("", VERIFY, json!({"token": token})).await)
}

async fn viewer(app: &TestApp, token: &str) -> Value {
    app.gql(token, VIEWER, json!({})).await
}

/// The token in the newest verification mail that Ada got.
async fn mailed_token(app: &TestApp) -> String {
    app.drain().await;
    let mails = app.mails("Ada@Example.com");
    let link = mails.iter().find_map(|mail| mail.text.split_once("/verify?token=")).expect("a link");
    link.1.split_whitespace().next().expect("a token").to_owned()
}

async fn add_skill(app: &TestApp, name: &str) -> SkillId {
    let id = app.app.clock.new_id();
    let row = skill::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        name_key: Set(name.to_lowercase()),
        category_id: Set(None),
        verified_at: Set(None),
        deleted_at: Set(None),
        created_at: Set(app.app.clock.now()),
    };
    skill::Entity::insert(row).exec_without_returning(app.app.db.writer()).await.expect("inserts");
    id
}

fn access_token(payload: &Value) -> String {
    text(&payload["session"]["accessToken"])
}

#[track_caller]
fn assert_unauthenticated(answer: &Value) {
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

#[tokio::test]
async fn registering_signs_in_and_mails_the_link() {
    let app = TestApp::start().await;
    let payload = register(&app, json!({})).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["user"]["email"], json!(null), "the mutation itself was anonymous");
    let access = access_token(&payload);
    assert_eq!(
        viewer(&app, &access).await["data"]["viewer"],
        json!({"email": "Ada@Example.com", "emailVerifiedAt": null, "role": "FREELANCER"})
    );

    let token = mailed_token(&app).await;
    assert!(verify(&app, &token).await.is_empty());
    let proven = viewer(&app, &access).await;
    assert!(proven["data"]["viewer"]["emailVerifiedAt"].is_string(), "{proven}");
    assert_eq!(verify(&app, &token).await, ["token:INVALID"], "a token is good once");
    app.finish().await;
}

#[tokio::test]
async fn a_bad_registration_names_everything_that_is_wrong() {
    let app = TestApp::start().await;
    let bad = json!({"email": "nobody", "password": "short", "displayName": " ", "role": "ADMIN"});
    let all = register(&app, bad).await;
    let mut wrong = errors(&all);
    wrong.sort();
    assert_eq!(wrong, ["displayName:REQUIRED", "email:INVALID", "password:TOO_SHORT", "role:FORBIDDEN"]);
    assert!(all["session"].is_null() && all["user"].is_null());

    let own = register(&app, json!({"password": "ada@example.com"})).await;
    assert_eq!(errors(&own), ["password:INVALID"]);
    let line_break = register(&app, json!({"displayName": "Ada\r\nBcc: x@example.com"})).await;
    assert_eq!(errors(&line_break), ["displayName:INVALID"]);
    app.finish().await;
}

#[tokio::test]
async fn two_who_register_the_same_address_at_once_get_one_account() {
    let app = TestApp::start().await;
    let (one, other) = tokio::join!(register(&app, json!({})), register(&app, json!({})));
    let mut results = [errors(&one), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], vec!["email:TAKEN".to_owned()]]);
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_after_a_day_and_another_can_be_asked_for() {
    let app = TestApp::start().await;
    let access = access_token(&register(&app, json!({})).await);
    let resend =
        async |access: &str| errors(&app.gql(access, RESEND, json!({})).await["data"]["accountVerifyResend"]);
    let first = mailed_token(&app).await;
    assert_eq!(resend(&access).await, [":LIMIT_REACHED"], "one a minute");

    app.advance(Duration::hours(24));
    assert_eq!(verify(&app, &first).await, ["token:EXPIRED"]);
    let access = access_token(&sign_in(&app, "ada@example.com", PASSWORD).await);
    assert!(resend(&access).await.is_empty());
    let second = mailed_token(&app).await;
    assert_ne!(first, second);
    assert!(verify(&app, &second).await.is_empty());
    assert_eq!(resend(&access).await, [":ILLEGAL_STATE"], "nothing is left to prove");

    let kept = account_token::Entity::find().all(app.app.db.reader()).await.expect("reads");
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|row| row.token_hash.len() == 64 && row.token_hash != second), "only hashes");
    app.finish().await;
}

#[tokio::test]
async fn skills_and_categories_are_there_for_everybody() {
    let app = TestApp::start().await;
    for name in ["Rust", "SQL", "Ruby"] {
        add_skill(&app, name).await;
    }
    let query =
        r#"{ skills(filter: {search: "rU"}) { nodes { name category { id } } } categories { name slug } }"#;
    let data = app.gql("", query, json!({})).await["data"].clone();
    let names: Vec<String> =
        data["skills"]["nodes"].as_array().expect("nodes").iter().map(|node| text(&node["name"])).collect();
    assert_eq!(names, ["Ruby", "Rust"]);
    assert_eq!(data["categories"][2], json!({"name": "Data & Analytics", "slug": "data"}));
    app.finish().await;
}

/// SQLite takes a NUL and PostgreSQL does not: nobody may tell which one it is, or meet its error.
#[tokio::test]
async fn what_no_database_holds_is_answered_alike() {
    let app = TestApp::start().await;
    add_skill(&app, "Rust").await;
    let nobody = sign_in(&app, "nobody@example.com", PASSWORD).await;
    assert_eq!(sign_in(&app, "ada\0@example.com", PASSWORD).await, nobody);
    assert_eq!(errors(&nobody), [":INVALID"]);

    let id = uuid::Uuid::nil();
    let skills = "query($after: String, $search: String) {
        skills(after: $after, filter: { search: $search }) { nodes { id } } }";
    let projects = "query($after: String) { projects(after: $after) { nodes { id } } }";
    for (query, cursor) in [
        (skills, json!(["name_key", {"Text": "a\0b"}, id])),
        (skills, json!(["name_key", {"Number": 1}, id])),
        (skills, json!(["name_key", {"Time": "2026-01-01T00:00:00Z"}, id])),
        (projects, json!(["created_at", {"Text": "a"}, id])),
        (projects, json!(["created_at", {"Time": "-9000-01-01T00:00:00Z"}, id])),
    ] {
        let after = URL_SAFE_NO_PAD.encode(cursor.to_string());
        let answer = app.gql("", query, json!({ "after": after })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID", "{cursor}: {answer}");
    }
    for (query, cursor) in [
        (skills, json!(["name_key", {"Text": "a"}, id])),
        (projects, json!(["created_at", {"Time": "2026-01-01T00:00:00Z"}, id])),
    ] {
        let after = URL_SAFE_NO_PAD.encode(cursor.to_string());
        let answer = app.gql("", query, json!({ "after": after })).await;
        assert!(answer.get("errors").is_none(), "{cursor}: {answer}");
    }
    let answer = app.gql("", skills, json!({ "search": "a\u{0}b" })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INVALID", "{answer}");

    let admin = app.admin().await;
    let jobs = "{ jobs(filter: { queue: \"a\\u0000b\" }) { totalCount } node(id: \"job_a\\u0000b\") { id } }";
    let answer = app.gql(&admin.token, jobs, json!({})).await;
    assert_eq!(answer["data"], json!({ "jobs": { "totalCount": 0 }, "node": null }), "{answer}");
    app.finish().await;
}
