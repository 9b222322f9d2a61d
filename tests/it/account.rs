//! Joining, proving an address, signing in and out, and the profile.

mod freelancers;
mod password;
mod rules;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use domain::account;
use domain::entities::{NotificationKind, Role, SkillId, account_token, mail, skill, user};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
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
async fn signing_in_tells_nothing_about_who_has_an_account() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let right = sign_in(&app, " ADA@example.com", PASSWORD).await;
    assert_eq!(right["user"]["displayName"], "Ada");

    let password = sign_in(&app, "ada@example.com", "plum-ferry-anchor-43").await;
    let unknown = sign_in(&app, "eve@example.com", PASSWORD).await;
    assert_eq!(errors(&password), [":INVALID"]);
    assert_eq!(password, unknown);
    let code = json!({"email": "ada@example.com", "password": PASSWORD, "code": "123456"});
    assert_eq!(errors(&app.mutate("", SIGN_IN, code).await), ["code:INVALID"]);

    let told = mail::Entity::find()
        .filter(mail::Column::Kind.eq(NotificationKind::AccountNewSignIn))
        .count(app.app.db.reader())
        .await;
    assert_eq!(told.expect("counts"), 1, "only the sign-in that worked");
    app.finish().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let app = TestApp::start().await;
    let first = text(&register(&app, json!({})).await["session"]["refreshToken"]);
    app.advance(Duration::minutes(1));
    let next = refresh(&app, &first).await;
    assert!(errors(&next).is_empty());
    let (access, second) = (access_token(&next), text(&next["session"]["refreshToken"]));
    assert_ne!(first, second);
    assert_eq!(viewer(&app, &access).await["data"]["viewer"]["email"], "Ada@Example.com");

    assert_eq!(errors(&refresh(&app, &first).await), ["refreshToken:INVALID"]);
    assert_eq!(errors(&refresh(&app, &second).await), ["refreshToken:INVALID"], "the session is ended");
    assert_unauthenticated(&viewer(&app, &access).await);
    assert_eq!(errors(&refresh(&app, "never given out").await), ["refreshToken:INVALID"]);
    app.finish().await;
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins() {
    let app = TestApp::start().await;
    let token = text(&register(&app, json!({})).await["session"]["refreshToken"]);
    let (one, other) = tokio::join!(refresh(&app, &token), refresh(&app, &token));
    let mut results = [errors(&one), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], vec!["refreshToken:INVALID".to_owned()]]);
    app.finish().await;
}

#[tokio::test]
async fn access_ends_with_its_time() {
    let app = TestApp::start().await;
    let payload = register(&app, json!({})).await;
    let ttl = app.app.settings.access_token_ttl;
    app.advance(Duration::from_std(ttl).expect("fits") - Duration::seconds(1));
    assert!(viewer(&app, &access_token(&payload)).await["data"]["viewer"].is_object());
    app.advance(Duration::seconds(1));
    assert_unauthenticated(&viewer(&app, &access_token(&payload)).await);
    app.advance(Duration::from_std(app.app.settings.session_ttl).expect("fits"));
    let late = refresh(&app, &text(&payload["session"]["refreshToken"])).await;
    assert_eq!(errors(&late), ["refreshToken:EXPIRED"]);
    app.finish().await;
}

#[tokio::test]
async fn a_session_is_ended_by_its_owner_and_at_once() {
    let app = TestApp::start().await;
    let here = access_token(&register(&app, json!({})).await);
    let there = sign_in(&app, "ada@example.com", PASSWORD).await["session"].clone();
    let there_token = text(&there["accessToken"]);
    let eve = app.register("eve", "CLIENT").await.token;
    let id = json!({"sessionId": there["id"]});

    assert_eq!(errors(&app.mutate(&eve, REVOKE, id.clone()).await), ["sessionId:NOT_FOUND"]);
    let wrong = json!({"sessionId": "prj_00000000000000000000000000000000"});
    assert_eq!(errors(&app.mutate(&here, REVOKE, wrong).await), ["sessionId:INVALID_ID"]);
    assert!(viewer(&app, &there_token).await["data"]["viewer"].is_object());
    assert_eq!(app.mutate(&here, REVOKE, id).await["sessionId"], there["id"]);
    assert_unauthenticated(&viewer(&app, &there_token).await);
    assert!(errors(&app.mutate(&here, REVOKE, json!({})).await).is_empty(), "the current one");
    assert_unauthenticated(&viewer(&app, &here).await);
    app.finish().await;
}

#[tokio::test]
async fn a_profile_changes_field_by_field() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    let ada = access_token(&register(&app, json!({})).await);
    let full = json!({
        "headline": " Engines ", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
        "hourlyRate": {"amount": "80.50"},
        "skills": [{"skillId": sql, "proficiency": 3, "years": 2}, {"skillId": rust, "proficiency": 5, "years": 9}]
    });
    assert_eq!(
        app.mutate(&ada, PROFILE, full).await["user"],
        json!({
            "headline": "Engines", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
            "hourlyRate": {"amount": "80.50"},
            "skills": [
                {"skill": {"name": "Rust"}, "proficiency": 5, "years": 9},
                {"skill": {"name": "SQL"}, "proficiency": 3, "years": 2}
            ]
        })
    );
    let partly = json!({"bio": null, "skills": [{"skillId": sql, "proficiency": 4, "years": 3}]});
    assert_eq!(
        app.mutate(&ada, PROFILE, partly).await["user"],
        json!({
            "headline": "Engines", "bio": null, "location": "London", "timeZone": "Europe/London",
            "hourlyRate": {"amount": "80.50"},
            "skills": [{"skill": {"name": "SQL"}, "proficiency": 4, "years": 3}]
        })
    );
    app.finish().await;
}

#[tokio::test]
async fn a_bad_profile_changes_nothing() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    let level = |skill: &str, proficiency: i32, years: i32| json!({"skillId": skill, "proficiency": proficiency, "years": years});
    for (input, error) in [
        (json!({"headline": "one\ntwo"}), "headline:INVALID"),
        (json!({"location": "Lon\u{7}don"}), "location:INVALID"),
        (json!({"bio": "a\u{0}b"}), "bio:INVALID"),
        (json!({"timeZone": "Europe/Atlantis"}), "timeZone:INVALID"),
        (json!({"hourlyRate": {"amount": "0.99"}}), "hourlyRate:OUT_OF_RANGE"),
        (json!({"hourlyRate": {"amount": "1000.01"}}), "hourlyRate:OUT_OF_RANGE"),
        (json!({"hourlyRate": {"amount": "a lot"}}), "hourlyRate.amount:INVALID"),
        (json!({"skills": [level("usr_1", 1, 1)]}), "skills.0.skillId:INVALID_ID"),
        (
            json!({"bio": "new", "skills": [level("skl_00000000000000000000000000000000", 1, 1)]}),
            "skills.0.skillId:NOT_FOUND",
        ),
    ] {
        assert_eq!(errors(&app.mutate(&ada, PROFILE, input.clone()).await), [error], "{input}");
    }
    let after = app.mutate(&ada, PROFILE, json!({})).await["user"].clone();
    assert!(after["bio"].is_null() && after["skills"] == json!([]), "{after}");

    let client = app.register("bob", "CLIENT").await.token;
    let rate = json!({"hourlyRate": {"amount": "10"}});
    assert_eq!(errors(&app.mutate(&client, PROFILE, rate).await), ["hourlyRate:FORBIDDEN"]);
    assert_unauthenticated(&app.gql("", PROFILE, json!({"input": {"bio": "x"}})).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_private_shows_to_oneself_and_to_admins() {
    let app = TestApp::start().await;
    let ada = register(&app, json!({})).await;
    let (eve, root) = (app.register("eve", "CLIENT").await, app.register("root", "CLIENT").await);
    let admin = account::grant_admin(&app.app, " ROOT@example.com").await.expect("granted");
    assert_eq!(admin.role, Role::Admin);
    assert!(account::grant_admin(&app.app, "nobody@example.com").await.is_err());

    let query = "query($id: ID!) { user(id: $id) { displayName email wallets { address }
        payments { totalCount } ledger { totalCount } } }";
    let id = json!({"id": ada["user"]["id"]});
    let own = access_token(&ada);
    for (who, sees) in
        [("", false), (eve.token.as_str(), false), (own.as_str(), true), (root.token.as_str(), true)]
    {
        let user = app.gql(who, query, id.clone()).await["data"]["user"].clone();
        assert_eq!(user["displayName"], "Ada", "{user}");
        for private in ["email", "wallets", "payments", "ledger"] {
            assert_eq!(!user[private].is_null(), sees, "{private}: {user}");
        }
    }
    let nobody = json!({"id": "usr_00000000000000000000000000000000"});
    assert!(app.gql("", query, nobody).await["data"]["user"].is_null());
    app.finish().await;
}

#[tokio::test]
async fn freelancers_are_found_by_text_skill_and_rate() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    for (name, rate, skills) in
        [("Ada", "80", vec![rust, sql]), ("Bea", "40", vec![rust]), ("Cleo_100%", "60", vec![])]
    {
        let email = format!("{}@example.com", &name[..3].to_lowercase());
        let access = access_token(&register(&app, json!({"email": email, "displayName": name})).await);
        let skills: Vec<Value> =
            skills.iter().map(|id| json!({"skillId": id, "proficiency": 3, "years": 1})).collect();
        app.mutate(&access, PROFILE, json!({"hourlyRate": {"amount": rate}, "skills": skills})).await;
    }
    app.register("dora", "CLIENT").await;
    app.register("eve", "FREELANCER").await;
    let query = "query($filter: FreelancerFilter, $order: FreelancerOrder) {
        freelancers(filter: $filter, orderBy: $order, first: 10) { totalCount nodes { displayName } } }";
    let find = async |filter: Value, order: Value| -> Vec<String> {
        let answer = app.gql("", query, json!({"filter": filter, "order": order})).await;
        let found = &answer["data"]["freelancers"];
        let nodes = found["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(found["totalCount"], nodes.len());
        nodes.iter().map(|node| text(&node["displayName"])).collect()
    };
    let (all, newest) = (json!(null), json!(null));
    let cheapest = json!({"field": "HOURLY_RATE", "direction": "ASC"});
    assert_eq!(find(all.clone(), newest.clone()).await, ["eve", "Cleo_100%", "Bea", "Ada"]);
    assert_eq!(find(all, cheapest.clone()).await, ["Bea", "Cleo_100%", "Ada"]);
    assert_eq!(find(json!({"skillIds": [rust]}), cheapest.clone()).await, ["Bea", "Ada"]);
    assert_eq!(find(json!({"skillIds": [rust, sql]}), newest.clone()).await, ["Ada"]);
    assert_eq!(find(json!({"maxHourlyRate": {"amount": "60"}}), cheapest).await, ["Bea", "Cleo_100%"]);
    for (search, found) in [("_100%", "Cleo_100%"), ("cleo", "Cleo_100%"), ("aDA", "Ada")] {
        assert_eq!(find(json!({"search": search}), newest.clone()).await, [found], "{search}");
    }

    user::Entity::update_many()
        .set(user::ActiveModel { suspended_at: Set(Some(app.app.clock.now())), ..Default::default() })
        .filter(user::Column::EmailKey.eq("bea@example.com"))
        .exec(app.app.db.writer())
        .await
        .expect("updates");
    assert_eq!(find(json!({"skillIds": [rust]}), newest).await, ["Ada"], "a suspended one is not offered");
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
