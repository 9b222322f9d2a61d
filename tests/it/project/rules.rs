//! The limits of a project, each at its edge.

use serde_json::{Value, json};

use crate::{
    market::{self, CREATE, codes, project},
    support::TestApp,
};

/// A field, what it is given, and the field and code of the problem with it, if there is one.
type Case<'a> = (&'a str, Value, Option<(&'a str, &'a str)>);

/// Posts with one field as given, and holds what is wrong first against what was wanted.
async fn held(app: &TestApp, client: &str, cases: &[Case<'_>]) {
    for (field, value, wanted) in cases {
        let mut input = project(app).await;
        input[*field] = value.clone();
        let answer = app.gql(client, CREATE, json!({ "input": input })).await;
        let errors = codes(&answer, "projectCreate");
        match wanted {
            None => assert!(errors.is_empty(), "{field} {value}: {errors:?}"),
            Some((at, code)) => {
                assert_eq!(errors.first(), Some(&((*at).to_owned(), (*code).to_owned())), "{field} {value}");
                assert_eq!(answer["data"]["projectCreate"]["project"], Value::Null);
            }
        }
    }
}

fn money(amount: &str) -> Value {
    json!({ "amount": amount })
}

/// Project: title 5-200.
#[tokio::test]
async fn rule_project_title_is_5_to_200_characters() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let cases = [
        ("title", json!("x".repeat(5)), None),
        ("title", json!("é".repeat(200)), None),
        ("title", json!("    four    "), Some(("title", "TOO_SHORT"))),
        ("title", json!("x".repeat(201)), Some(("title", "TOO_LONG"))),
        ("title", json!("   "), Some(("title", "REQUIRED"))),
    ];
    held(&app, &client, &cases).await;
    app.finish().await;
}

/// Project: description 30-10,000.
#[tokio::test]
async fn rule_project_description_is_30_to_10000_characters() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let cases = [
        ("description", json!("x".repeat(30)), None),
        ("description", json!("x".repeat(29)), Some(("description", "TOO_SHORT"))),
        ("description", json!("x".repeat(10_000)), None),
        ("description", json!("x".repeat(10_001)), Some(("description", "TOO_LONG"))),
    ];
    held(&app, &client, &cases).await;
    app.finish().await;
}

/// Project: 0 < budgetMin <= budgetMax.
#[tokio::test]
async fn rule_project_budget_min_is_above_0_and_at_most_budget_max() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    // budgetMax is 900.
    let cases = [
        ("budgetMin", money("0"), Some(("budgetMin", "OUT_OF_RANGE"))),
        ("budgetMin", money("-1"), Some(("budgetMin", "OUT_OF_RANGE"))),
        ("budgetMin", money("0.000001"), None),
        ("budgetMin", money("0.0000001"), Some(("budgetMin.amount", "INVALID"))),
        ("budgetMin", money("900"), None),
        ("budgetMin", money("900.000001"), Some(("budgetMax", "OUT_OF_RANGE"))),
    ];
    held(&app, &client, &cases).await;
    app.finish().await;
}

/// Project: <=15 skills.
#[tokio::test]
async fn rule_project_asks_for_at_most_15_skills() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let mut skills = Vec::new();
    for n in 1..=16 {
        skills.push(market::skill(&app, &format!("Skill {n}")).await);
    }
    let cases = [
        ("skillIds", json!([]), None),
        ("skillIds", json!(skills[..15]), None),
        ("skillIds", json!(skills), Some(("skillIds", "LIMIT_REACHED"))),
    ];
    held(&app, &client, &cases).await;
    app.finish().await;
}

/// Project: category from the table.
#[tokio::test]
async fn rule_project_category_is_from_the_table() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let skill = market::skill(&app, "Rust").await;
    let nowhere = domain::entities::CategoryId(uuid::Uuid::from_u128(1)).to_string();
    let unknown = domain::entities::SkillId(uuid::Uuid::from_u128(1)).to_string();
    let cases = [
        ("categoryId", json!(market::category(&app, 7).await), None),
        ("categoryId", json!(skill), Some(("categoryId", "INVALID_ID"))),
        ("categoryId", json!(nowhere), Some(("categoryId", "NOT_FOUND"))),
        ("skillIds", json!([skill, skill]), Some(("skillIds.1", "INVALID"))),
        ("skillIds", json!([unknown]), Some(("skillIds.0", "NOT_FOUND"))),
        ("skillIds", json!(["skl_1"]), Some(("skillIds.0", "INVALID_ID"))),
    ];
    held(&app, &client, &cases).await;
    app.finish().await;
}
