//! The numbers of accounts and profiles, each at its edge.

use domain::entities::user;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{access_token, add_skill, mailed_token, register, verify, viewer};
use crate::support::{TestApp, errors};

const PROFILE: &str = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) {
    user { headline bio availability skills { proficiency years } } userErrors { field code message } } }";

/// Tries values of a profile's fields: each passes, or fails with these errors.
async fn profile(app: &TestApp, token: &str, tries: impl IntoIterator<Item = (Value, Option<&str>)>) {
    for (input, wrong) in tries {
        let wrong: Vec<&str> = wrong.into_iter().collect();
        assert_eq!(errors(&app.mutate(token, PROFILE, input.clone()).await), wrong, "{input}");
    }
}

/// E-mail: unique, compared case-insensitively, verified by a mailed token.
#[tokio::test]
async fn rule_email_is_unique_whatever_its_case_and_verified_by_mail() {
    let app = TestApp::start().await;
    let ada = register(&app, json!({ "email": "Ada@Example.com" })).await;
    for taken in ["Ada@Example.com", "ada@example.com", " aDA@example.COM "] {
        assert_eq!(errors(&register(&app, json!({ "email": taken })).await), ["email:TAKEN"], "{taken}");
    }
    assert!(errors(&register(&app, json!({ "email": "ada2@example.com" })).await).is_empty());

    let token = access_token(&ada);
    assert!(viewer(&app, &token).await["data"]["viewer"]["emailVerifiedAt"].is_null());
    assert_eq!(verify(&app, "0".repeat(43).as_str()).await, ["token:INVALID"]);
    assert!(verify(&app, &mailed_token(&app).await).await.is_empty());
    assert!(viewer(&app, &token).await["data"]["viewer"]["emailVerifiedAt"].is_string());
    app.finish().await;
}

/// Password: 8 to 128 characters, refused when among the common ones, Argon2id.
#[tokio::test]
async fn rule_password_is_8_to_128_characters_and_not_common() {
    let app = TestApp::start().await;
    let long = "plum-ferry-anchor-42".repeat(7);
    for (index, (password, wrong)) in [
        ("", Some("password:REQUIRED")),
        ("v9kQzp2", Some("password:TOO_SHORT")),
        ("v9kQzp2t", None),
        ("ünd-ärmö", None),
        (&long[..128], None),
        (&long[..129], Some("password:TOO_LONG")),
        ("password123", Some("password:INVALID")),
        ("Qwertyuiop1!", Some("password:INVALID")),
        ("aaaaaaaaaaaa", Some("password:INVALID")),
    ]
    .into_iter()
    .enumerate()
    {
        let input = json!({ "email": format!("ada{index}@example.com"), "password": password });
        let wrong: Vec<&str> = wrong.into_iter().collect();
        assert_eq!(errors(&register(&app, input).await), wrong, "{password:?}");
    }
    let rows = user::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.password_hash.starts_with("$argon2id$")));
    app.finish().await;
}

/// Freelancer profile: headline <=120.
#[tokio::test]
async fn rule_headline_has_at_most_120_characters() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    profile(
        &app,
        &ada,
        [
            (json!({ "headline": "é".repeat(120) }), None),
            (json!({ "headline": "x".repeat(121) }), Some("headline:TOO_LONG")),
            (json!({ "headline": "" }), None),
            (json!({ "headline": null }), None),
        ],
    )
    .await;
    app.finish().await;
}

/// Freelancer profile: bio <=5,000.
#[tokio::test]
async fn rule_bio_has_at_most_5000_characters() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    profile(
        &app,
        &ada,
        [
            (json!({ "bio": "é".repeat(5_000) }), None),
            (json!({ "bio": "x".repeat(5_001) }), Some("bio:TOO_LONG")),
        ],
    )
    .await;
    app.finish().await;
}

/// Freelancer profile: skills (proficiency 1-5, years 0-60, one row per user and skill).
#[tokio::test]
async fn rule_skills_have_proficiency_1_to_5_and_years_0_to_60_once_each() {
    let app = TestApp::start().await;
    let (rust, sql) = (add_skill(&app, "Rust").await, add_skill(&app, "SQL").await);
    let ada = access_token(&register(&app, json!({})).await);
    let one = |proficiency: i32, years: i32| json!({ "skills": [{ "skillId": rust, "proficiency": proficiency, "years": years }] });
    let two = |other| {
        json!({ "skills": [{ "skillId": rust, "proficiency": 1, "years": 0 },
            { "skillId": other, "proficiency": 5, "years": 60 }] })
    };
    profile(
        &app,
        &ada,
        [
            (one(0, 1), Some("skills.0.proficiency:OUT_OF_RANGE")),
            (one(1, 1), None),
            (one(5, 1), None),
            (one(6, 1), Some("skills.0.proficiency:OUT_OF_RANGE")),
            (one(3, -1), Some("skills.0.years:OUT_OF_RANGE")),
            (one(3, 0), None),
            (one(3, 60), None),
            (one(3, 61), Some("skills.0.years:OUT_OF_RANGE")),
            (two(rust), Some("skills.1.skillId:INVALID")),
            (two(sql), None),
        ],
    )
    .await;
    let shown = app.mutate(&ada, PROFILE, json!({})).await["user"]["skills"].clone();
    assert_eq!(shown.as_array().unwrap().len(), 2);
    app.finish().await;
}

#[tokio::test]
async fn availability_is_a_freelancers() {
    let app = TestApp::start().await;
    let ada = access_token(&register(&app, json!({})).await);
    let client = app.register("bob", "CLIENT").await.token;
    let set =
        async |token: &str, value: Value| app.mutate(token, PROFILE, json!({ "availability": value })).await;
    for value in ["IMMEDIATE", "ONE_TO_TWO_WEEKS", "ONE_MONTH", "FLEXIBLE"] {
        assert_eq!(set(&ada, json!(value)).await["user"]["availability"], value);
    }
    assert_eq!(app.mutate(&ada, PROFILE, json!({ "bio": "x" })).await["user"]["availability"], "FLEXIBLE");
    assert!(set(&ada, json!(null)).await["user"]["availability"].is_null());
    assert_eq!(errors(&set(&client, json!("FLEXIBLE")).await), ["availability:FORBIDDEN"]);
    app.finish().await;
}
