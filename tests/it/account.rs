//! Joining, proving an address, signing in and out, and the profile.

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
    assert_eq!(errors(&payload), []);
    assert_eq!(payload["user"]["email"], json!(null), "the mutation itself was anonymous");
    let access = text(&payload["session"]["accessToken"]);
    let viewer = app.gql(Some(&access), "{ viewer { email emailVerifiedAt role } }", json!({})).await;
    assert_eq!(
        viewer["data"]["viewer"],
        json!({"email": "Ada@Example.com", "emailVerifiedAt": null, "role": "FREELANCER"})
    );

    let token = mailed_token(&app, "Ada@Example.com").await;
    let verified = app.gql(None, VERIFY, json!({"token": token})).await["data"]["accountVerify"].clone();
    assert_eq!(verified["user"]["displayName"], "Ada");
    let viewer = app.gql(Some(&access), "{ viewer { emailVerifiedAt } }", json!({})).await;
    assert!(viewer["data"]["viewer"]["emailVerifiedAt"].is_string(), "{viewer}");
    let again = app.gql(None, VERIFY, json!({"token": token})).await["data"]["accountVerify"].clone();
    assert_eq!(errors(&again), ["token:INVALID"], "a token is good once");
    app.finish().await;
}

#[tokio::test]
async fn a_bad_registration_names_everything_that_is_wrong() {
    let app = TestApp::start().await;
    let all = register(&app, json!({"email": "nobody", "password": "short", "displayName": " ", "role": "ADMIN"})).await;
    let mut wrong = errors(&all);
    wrong.sort();
    let expected = [("displayName", "REQUIRED"), ("email", "INVALID"), ("password", "TOO_SHORT"), ("role", "FORBIDDEN")];
    assert_eq!(wrong, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    assert!(all["session"].is_null() && all["user"].is_null());

    for password in ["password123", "Qwertyuiop1!", "ada@example.com", "aaaaaaaaaaaa"] {
        let payload = register(&app, json!({"password": password})).await;
        assert_eq!(errors(&payload), ["password:INVALID"], "{password}");
    }
    assert_eq!(errors(&register(&app, json!({"password": "x9".repeat(65)})).await), ["password:TOO_LONG"]);
    let line_break = register(&app, json!({"displayName": "Ada\r\nBcc: x@example.com"})).await;
    assert_eq!(errors(&line_break), ["displayName:INVALID"]);

    assert_eq!(errors(&register(&app, json!({})).await), []);
    let taken = register(&app, json!({"email": " aDA@example.COM "})).await;
    assert_eq!(errors(&taken), ["email:TAKEN"]);
    app.finish().await;
}

#[tokio::test]
async fn two_who_register_the_same_address_at_once_get_one_account() {
    let app = TestApp::start().await;
    let (one_of, other) = tokio::join!(register(&app, json!({})), register(&app, json!({})));
    let mut results = [errors(&one_of), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], ["email:TAKEN"]]);
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_after_a_day_and_another_can_be_asked_for() {
    let app = TestApp::start().await;
    let access = text(&register(&app, json!({})).await["session"]["accessToken"]);
    let first = mailed_token(&app, "Ada@Example.com").await;
    let resend = "mutation { accountVerifyResend { user { id } userErrors { field code } } }";
    let soon = app.gql(Some(&access), resend, json!({})).await["data"]["accountVerifyResend"].clone();
    assert_eq!(errors(&soon), [":LIMIT_REACHED"]);

    app.advance(Duration::hours(24));
    let late = app.gql(None, VERIFY, json!({"token": first})).await["data"]["accountVerify"].clone();
    assert_eq!(errors(&late), ["token:EXPIRED"]);
    let access = text(&sign_in(&app, json!({"email": "ada@example.com", "password": "four unrelated words"})).await["session"]["accessToken"]);
    let sent = app.gql(Some(&access), resend, json!({})).await["data"]["accountVerifyResend"].clone();
    assert_eq!(errors(&sent), []);
    let second = mailed_token(&app, "Ada@Example.com").await;
    assert_ne!(first, second);
    let verified = app.gql(None, VERIFY, json!({"token": second})).await["data"]["accountVerify"].clone();
    assert_eq!(errors(&verified), []);
    let needless = app.gql(Some(&access), resend, json!({})).await["data"]["accountVerifyResend"].clone();
    assert_eq!(errors(&needless), [":ILLEGAL_STATE"]);

    // Only hashes are kept.
    let tokens = account_token::Entity::find().all(app.db()).await.expect("reads");
    assert!(tokens.iter().all(|row| row.purpose == TokenPurpose::VerifyEmail && row.token_hash.len() == 64));
    assert!(tokens.iter().all(|row| row.token_hash != first && row.token_hash != second));
    app.finish().await;
}

#[tokio::test]
async fn signing_in_tells_nothing_about_who_has_an_account() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let right = sign_in(&app, json!({"email": " ADA@example.com", "password": "four unrelated words"})).await;
    assert_eq!(right["user"]["displayName"], "Ada");

    let password = sign_in(&app, json!({"email": "ada@example.com", "password": "four unrelated wordz"})).await;
    let unknown = sign_in(&app, json!({"email": "eve@example.com", "password": "four unrelated words"})).await;
    assert_eq!(errors(&password), [":INVALID"]);
    assert_eq!(password, unknown);
    let code = json!({"email": "ada@example.com", "password": "four unrelated words", "code": "123456"});
    assert_eq!(errors(&sign_in(&app, code).await), ["code:INVALID"]);

    let mails = entities::mail::Entity::find()
        .filter(entities::mail::Column::Kind.eq(entities::NotificationKind::AccountNewSignIn))
        .all(app.db())
        .await
        .expect("reads");
    assert_eq!(mails.len(), 1, "only the sign-in that worked is told");
    app.finish().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let app = TestApp::start().await;
    let payload = register(&app, json!({})).await;
    let first = text(&payload["session"]["refreshToken"]);
    app.advance(Duration::minutes(1));
    let next = refresh(&app, &first).await;
    assert_eq!(errors(&next), []);
    let access = text(&next["session"]["accessToken"]);
    let second = text(&next["session"]["refreshToken"]);
    assert_ne!(first, second);
    assert_eq!(app.gql(Some(&access), VIEWER, json!({})).await["data"]["viewer"]["email"], "Ada@Example.com");

    assert_eq!(errors(&refresh(&app, &first).await), ["refreshToken:INVALID"]);
    assert_eq!(errors(&refresh(&app, &second).await), ["refreshToken:INVALID"], "the session is ended");
    assert_unauthenticated(&app.gql(Some(&access), VIEWER, json!({})).await);
    assert_eq!(errors(&refresh(&app, "never given out").await), ["refreshToken:INVALID"]);
    app.finish().await;
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins() {
    let app = TestApp::start().await;
    let token = text(&register(&app, json!({})).await["session"]["refreshToken"]);
    let (one_of, other) = tokio::join!(refresh(&app, &token), refresh(&app, &token));
    let mut results = [errors(&one_of), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], ["refreshToken:INVALID"]]);
    app.finish().await;
}

#[tokio::test]
async fn access_ends_with_its_time_and_with_the_session() {
    let app = TestApp::start().await;
    let payload = register(&app, json!({})).await;
    let access = text(&payload["session"]["accessToken"]);
    let (access_ttl, session_ttl) = (app.app.settings.access_token_ttl, app.app.settings.session_ttl);
    app.advance(Duration::from_std(access_ttl).expect("fits"));
    assert_unauthenticated(&app.gql(Some(&access), VIEWER, json!({})).await);
    app.advance(Duration::from_std(session_ttl).expect("fits"));
    let late = refresh(&app, &text(&payload["session"]["refreshToken"])).await;
    assert_eq!(errors(&late), ["refreshToken:EXPIRED"]);

    // Two sessions: one ends the other, then itself.
    let credentials = json!({"email": "ada@example.com", "password": "four unrelated words"});
    let (here, there) = (sign_in(&app, credentials.clone()).await, sign_in(&app, credentials).await);
    let (here_token, there_token) = (text(&here["session"]["accessToken"]), text(&there["session"]["accessToken"]));
    let eve = token_of(&app, "Eve", "CLIENT").await;
    let id = json!({"id": there["session"]["id"]});
    let foreign = app.gql(Some(&eve), REVOKE, id.clone()).await["data"]["sessionRevoke"].clone();
    assert_eq!(foreign["userErrors"][0]["code"], "NOT_FOUND");
    let wrong = app.gql(Some(&here_token), REVOKE, json!({"id": "prj_1"})).await["data"]["sessionRevoke"].clone();
    assert_eq!(wrong["userErrors"][0]["code"], "INVALID_ID");
    let ended = app.gql(Some(&here_token), REVOKE, id).await["data"]["sessionRevoke"].clone();
    assert_eq!(ended["sessionId"], there["session"]["id"]);
    assert_unauthenticated(&app.gql(Some(&there_token), VIEWER, json!({})).await);
    app.gql(Some(&here_token), REVOKE, json!({})).await;
    assert_unauthenticated(&app.gql(Some(&here_token), VIEWER, json!({})).await);
    app.finish().await;
}

#[tokio::test]
async fn a_profile_changes_field_by_field() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    let ada = token_of(&app, "Ada", "FREELANCER").await;
    let update = async |input: Value| app.gql(Some(&ada), PROFILE, json!({"input": input})).await["data"]["profileUpdate"].clone();

    let full = json!({
        "headline": " Engines ", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
        "hourlyRate": {"amount": "80.50"},
        "skills": [{"skillId": sql, "proficiency": 3, "years": 2}, {"skillId": rust, "proficiency": 5, "years": 9}]
    });
    assert_eq!(update(full).await["user"], json!({
        "headline": "Engines", "bio": "I compute.", "location": "London", "timeZone": "Europe/London",
        "hourlyRate": {"amount": "80.50"},
        "skills": [
            {"skill": {"name": "Rust"}, "proficiency": 5, "years": 9},
            {"skill": {"name": "SQL"}, "proficiency": 3, "years": 2}
        ]
    }));
    let partly = update(json!({"bio": null, "skills": [{"skillId": sql, "proficiency": 4, "years": 3}]})).await;
    assert_eq!(partly["user"], json!({
        "headline": "Engines", "bio": null, "location": "London", "timeZone": "Europe/London",
        "hourlyRate": {"amount": "80.50"}, "skills": [{"skill": {"name": "SQL"}, "proficiency": 4, "years": 3}]
    }));

    for (input, field, code) in [
        (json!({"headline": "x".repeat(121)}), "headline", "TOO_LONG"),
        (json!({"bio": "x".repeat(5001)}), "bio", "TOO_LONG"),
        (json!({"timeZone": "Europe/Atlantis"}), "timeZone", "INVALID"),
        (json!({"hourlyRate": {"amount": "0.99"}}), "hourlyRate", "OUT_OF_RANGE"),
        (json!({"hourlyRate": {"amount": "a lot"}}), "hourlyRate.amount", "INVALID"),
        (json!({"skills": [{"skillId": rust, "proficiency": 6, "years": 0}]}), "skills.0.proficiency", "OUT_OF_RANGE"),
        (json!({"skills": [{"skillId": rust, "proficiency": 1, "years": 61}]}), "skills.0.years", "OUT_OF_RANGE"),
        (json!({"skills": [{"skillId": rust, "proficiency": 1, "years": 1}, {"skillId": rust, "proficiency": 2, "years": 1}]}), "skills.1.skillId", "INVALID"),
        (json!({"skills": [{"skillId": "skl_00000000000000000000000000000000", "proficiency": 1, "years": 1}]}), "skills.0.skillId", "NOT_FOUND"),
        (json!({"skills": [{"skillId": "usr_1", "proficiency": 1, "years": 1}]}), "skills.0.skillId", "INVALID_ID"),
    ] {
        assert_eq!(errors(&update(input.clone()).await), one(field, code), "{input}");
    }
    let client = token_of(&app, "Bob", "CLIENT").await;
    let refused = app.gql(Some(&client), PROFILE, json!({"input": {"hourlyRate": {"amount": "10"}}})).await;
    assert_eq!(errors(&refused["data"]["profileUpdate"]), ["hourlyRate:FORBIDDEN"]);
    assert_unauthenticated(&app.gql(None, PROFILE, json!({"input": {"bio": "x"}})).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_private_shows_to_oneself_and_to_admins() {
    let app = TestApp::start().await;
    let ada = register(&app, json!({})).await;
    let eve = token_of(&app, "Eve", "CLIENT").await;
    let root = token_of(&app, "Root", "CLIENT").await;
    let admin = account::grant_admin(&app.app, " ROOT@example.com").await.expect("granted");
    assert_eq!(admin.role, Role::Admin);
    assert!(account::grant_admin(&app.app, "nobody@example.com").await.is_err());

    let query = "query($id: ID!) { user(id: $id) { displayName email emailVerifiedAt wallets { address } } }";
    let id = json!({"id": ada["user"]["id"]});
    let own = text(&ada["session"]["accessToken"]);
    for (who, sees) in [(None, false), (Some(&eve), false), (Some(&own), true), (Some(&root), true)] {
        let user = app.gql(who.map(String::as_str), query, id.clone()).await["data"]["user"].clone();
        assert_eq!(user["displayName"], "Ada");
        assert_eq!(user["email"].is_string(), sees, "{user}");
        assert_eq!(user["wallets"].is_array(), sees, "{user}");
    }
    let nobody = json!({"id": "usr_00000000000000000000000000000000"});
    assert!(app.gql(None, query, nobody).await["data"]["user"].is_null());
    app.finish().await;
}

#[tokio::test]
async fn freelancers_are_found_by_text_skill_and_rate() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    for (name, rate, skills) in [("Ada", "80", vec![rust, sql]), ("Bea", "40", vec![rust]), ("Cleo_100%", "60", vec![])] {
        let email = format!("{}@example.com", &name[..3].to_lowercase());
        let payload = register(&app, json!({"email": email, "displayName": name})).await;
        let skills: Vec<Value> = skills.iter().map(|id| json!({"skillId": id, "proficiency": 3, "years": 1})).collect();
        let input = json!({"input": {"hourlyRate": {"amount": rate}, "skills": skills}});
        app.gql(Some(&text(&payload["session"]["accessToken"])), PROFILE, input).await;
    }
    token_of(&app, "Dora", "CLIENT").await;
    register(&app, json!({"email": "eve@example.com", "displayName": "Eve"})).await;
    let query = "query($filter: FreelancerFilter, $order: FreelancerOrder) {
        freelancers(filter: $filter, orderBy: $order, first: 10) { totalCount nodes { displayName } } }";
    let find = async |filter: Value, order: Value| -> Vec<String> {
        let answer = app.gql(None, query, json!({"filter": filter, "order": order})).await;
        let found = &answer["data"]["freelancers"];
        let names: Vec<String> = found["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|n| text(&n["displayName"])).collect();
        assert_eq!(found["totalCount"], names.len());
        names
    };
    assert_eq!(find(json!(null), json!(null)).await, ["Eve", "Cleo_100%", "Bea", "Ada"]);
    let by_rate = json!({"field": "HOURLY_RATE", "direction": "ASC"});
    assert_eq!(find(json!(null), by_rate.clone()).await, ["Bea", "Cleo_100%", "Ada"]);
    assert_eq!(find(json!({"skillIds": [rust]}), by_rate.clone()).await, ["Bea", "Ada"]);
    assert_eq!(find(json!({"skillIds": [rust, sql]}), json!(null)).await, ["Ada"]);
    assert_eq!(find(json!({"maxHourlyRate": {"amount": "60"}}), by_rate).await, ["Bea", "Cleo_100%"]);
    assert_eq!(find(json!({"search": "_100%"}), json!(null)).await, ["Cleo_100%"]);
    assert_eq!(find(json!({"search": "%"}), json!(null)).await, ["Cleo_100%"]);
    assert_eq!(find(json!({"search": "aDA"}), json!(null)).await, ["Ada"]);

    let suspended = user::ActiveModel { suspended_at: Set(Some(app.app.clock.now())), ..Default::default() };
    user::Entity::update_many()
        .set(suspended)
        .filter(user::Column::EmailKey.eq("bea@example.com"))
        .exec(app.app.db.writer())
        .await
        .expect("updates");
    assert_eq!(find(json!({"skillIds": [rust]}), json!(null)).await, ["Ada"]);
    let skills = app.gql(None, r#"{ skills(filter: {search: "R"}) { nodes { name } } categories { slug } }"#, json!({})).await;
    assert_eq!(skills["data"]["skills"]["nodes"], json!([{"name": "Rust"}]));
    assert_eq!(skills["data"]["categories"].as_array().map(Vec::len), Some(8));
    app.finish().await;
}
