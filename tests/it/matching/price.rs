//! What work may cost.

use chrono::{DateTime, Duration, Utc};
use domain::entities::{BudgetType, CategoryId, ContractStatus, ProjectStatus};
use serde_json::{Value, json};

use super::rows::{Posted, agree, bid, post};
use crate::{
    market::{merged, skill},
    support::{Someone, TestApp, text},
};

const SUGGEST: &str = "query($input: PriceSuggestionInput!) { priceSuggestion(input: $input) {
    base { amount } hourly { low { amount } suggested { amount } high { amount } }
    total { low { amount } suggested { amount } high { amount } } likeProjectCount confidence } }";

async fn ask(app: &TestApp, input: Value) -> Value {
    app.gql("", SUGGEST, json!({ "input": input })).await
}

/// A suggestion for MODERATE work in a category, with something changed.
async fn suggest(app: &TestApp, category: &str, changes: Value) -> Value {
    let input = merged(json!({ "categoryId": category, "complexity": "MODERATE" }), changes);
    let answer = ask(app, input).await;
    assert!(answer["data"]["priceSuggestion"].is_object(), "{answer}");
    answer["data"]["priceSuggestion"].clone()
}

/// The code of the error.
async fn refused(app: &TestApp, input: Value) -> String {
    text(&ask(app, input).await["errors"][0]["extensions"]["code"])
}

fn hourly(suggestion: &Value) -> [String; 3] {
    ["low", "suggested", "high"].map(|end| text(&suggestion["hourly"][end]["amount"]))
}

/// The id of a category by its slug.
async fn category(app: &TestApp, slug: &str) -> String {
    let answer = app.gql("", "{ categories { id slug } }", json!({})).await;
    let categories = answer["data"]["categories"].as_array().unwrap();
    text(&categories.iter().find(|category| category["slug"] == slug).unwrap()["id"])
}

/// An HOURLY project on which a rate (in micro-USDC) was agreed on.
async fn agreed(app: &TestApp, by: (&Someone, &Someone), category: &str, rate: i64, at: DateTime<Utc>) {
    let category: CategoryId = category.parse().unwrap();
    let posted = Posted {
        status: ProjectStatus::InProgress,
        kind: BudgetType::Hourly,
        category: Some(category),
        ..Posted::OPEN
    };
    let project = post(app, by.0, posted).await;
    let proposal = bid(app, by.1, project, rate).await;
    agree(app, by.0, &proposal, ContractStatus::Completed, at).await;
}

/// Price: base hourly by category: web 50, mobile 60, data 70, design 45, writing 30, marketing 40, video 35, other 40.
#[tokio::test]
async fn rule_price_base_is_by_category() {
    let app = TestApp::start().await;
    for (slug, hour) in [
        ("web", "50.00"),
        ("mobile", "60.00"),
        ("data", "70.00"),
        ("design", "45.00"),
        ("writing", "30.00"),
        ("marketing", "40.00"),
        ("video", "35.00"),
        ("other", "40.00"),
    ] {
        let found = suggest(&app, &category(&app, slug).await, json!({})).await;
        assert_eq!(
            (&found["base"]["amount"], &found["confidence"]),
            (&json!(hour), &json!("NONE")),
            "{slug}"
        );
    }
    // One that an administrator adds.
    let admin = app.admin().await;
    let create = "mutation($input: CategoryCreateInput!) { categoryCreate(input: $input) { category { id } userErrors { message } } }";
    let created = app.mutate(&admin.token, create, json!({ "name": "Beekeeping" })).await;
    let found = suggest(&app, &text(&created["category"]["id"]), json!({})).await;
    assert_eq!(found["base"]["amount"], "40.00");
    let missing = json!({ "categoryId": format!("cat_{:032x}", 7), "complexity": "SIMPLE" });
    assert_eq!(refused(&app, missing).await, "NOT_FOUND");
    app.finish().await;
}

/// Price: base x complexity (.8, 1, 1.3, 1.6), range +-20%.
#[tokio::test]
async fn rule_price_is_times_complexity_with_a_fifth_to_each_side() {
    let app = TestApp::start().await;
    let web = category(&app, "web").await;
    for (complexity, range) in [
        ("SIMPLE", ["32.00", "40.00", "48.00"]),
        ("MODERATE", ["40.00", "50.00", "60.00"]),
        ("COMPLEX", ["52.00", "65.00", "78.00"]),
        ("EXPERT", ["64.00", "80.00", "96.00"]),
    ] {
        let found = suggest(&app, &web, json!({ "complexity": complexity })).await;
        assert_eq!(hourly(&found), range, "{complexity}");
        assert!(found["total"].is_null());
    }
    app.finish().await;
}

/// Price: a premium of .05 for each whole skill, at most .5; at most 15 skills.
#[tokio::test]
async fn rule_price_has_a_premium_for_skills_of_at_most_a_half() {
    let app = TestApp::start().await;
    let web = category(&app, "web").await;
    let mut skills = Vec::new();
    for number in 0..16 {
        // Names within names: "Craft 1" is in "Craft 11".
        skills.push(skill(&app, &format!("Craft {number}")).await);
    }
    for (count, suggested) in
        [(0, "50.00"), (1, "52.50"), (9, "72.50"), (10, "75.00"), (11, "75.00"), (15, "75.00")]
    {
        let found = suggest(&app, &web, json!({ "skillIds": skills[..count] })).await;
        assert_eq!(hourly(&found)[1], suggested, "{count}");
    }
    let twice = suggest(&app, &web, json!({ "skillIds": [skills[1], skills[1]] })).await;
    assert_eq!(hourly(&twice)[1], "52.50");
    let input = |skills: Value| json!({ "categoryId": web, "complexity": "MODERATE", "skillIds": skills });
    assert_eq!(refused(&app, input(json!(skills))).await, "LIMIT_REACHED");
    assert_eq!(refused(&app, input(json!([format!("skl_{:032x}", 7)]))).await, "NOT_FOUND");
    assert_eq!(refused(&app, input(json!([web]))).await, "INVALID_ID");
    app.finish().await;
}

/// Price: for 1 to 10,000 hours.
#[tokio::test]
async fn rule_price_is_for_1_to_10000_hours() {
    let app = TestApp::start().await;
    let web = category(&app, "web").await;
    for (hours, total) in
        [(1, ["40.00", "50.00", "60.00"]), (10_000, ["400000.00", "500000.00", "600000.00"])]
    {
        let found = suggest(&app, &web, json!({ "hours": hours })).await;
        assert_eq!(["low", "suggested", "high"].map(|end| text(&found["total"][end]["amount"])), total);
    }
    for hours in [0, 10_001, -1] {
        let input = json!({ "categoryId": web, "complexity": "MODERATE", "hours": hours });
        assert_eq!(refused(&app, input).await, "OUT_OF_RANGE", "{hours}");
    }
    app.finish().await;
}

/// Price: confidence by the number of like projects: HIGH from 20, MEDIUM from 10, LOW from 5.
#[tokio::test]
async fn rule_price_confidence_is_by_the_number_of_like_projects() {
    let app = TestApp::start().await;
    let (client, freelancer) =
        (app.register("carla", "CLIENT").await, app.register("felix", "FREELANCER").await);
    let (web, now) = (category(&app, "web").await, app.app.clock.now());
    for number in 1..=20_i64 {
        agreed(&app, (&client, &freelancer), &web, number * 10_000_000, now).await;
        let found = suggest(&app, &web, json!({})).await;
        let (confidence, base) = match number {
            ..=4 => ("NONE", "50.00".to_owned()),
            // The median of 10, 20, ...
            5..=9 => ("LOW", format!("{}.00", 5 * (number + 1))),
            10..=19 => ("MEDIUM", format!("{}.00", 5 * (number + 1))),
            _ => ("HIGH", format!("{}.00", 5 * (number + 1))),
        };
        assert_eq!((&found["confidence"], &found["base"]["amount"]), (&json!(confidence), &json!(base)));
        assert_eq!(found["likeProjectCount"], number);
    }
    app.finish().await;
}

/// Price: from the last 90 days' market where there is one: the median of at least 5 HOURLY projects of the category.
#[tokio::test]
async fn rule_price_is_from_the_market_of_the_last_90_days() {
    let app = TestApp::start().await;
    let (client, freelancer) =
        (app.register("carla", "CLIENT").await, app.register("felix", "FREELANCER").await);
    let (web, mobile) = (category(&app, "web").await, category(&app, "mobile").await);
    let oldest = app.app.clock.now() - Duration::days(90);
    for rate in [91, 92, 93, 94] {
        agreed(&app, (&client, &freelancer), &web, rate * 1_000_000, oldest).await;
    }
    // Too old, of another category, and of one price for the whole.
    agreed(&app, (&client, &freelancer), &web, 1_000_000, oldest - Duration::microseconds(1)).await;
    agreed(&app, (&client, &freelancer), &mobile, 1_000_000, oldest).await;
    let fixed =
        Posted { status: ProjectStatus::InProgress, category: Some(web.parse().unwrap()), ..Posted::OPEN };
    let fixed = bid(&app, &freelancer, post(&app, &client, fixed).await, 1_000_000).await;
    agree(&app, &client, &fixed, ContractStatus::Active, oldest).await;
    let found = suggest(&app, &web, json!({})).await;
    assert_eq!((&found["base"]["amount"], &found["likeProjectCount"]), (&json!("50.00"), &json!(4)));

    agreed(&app, (&client, &freelancer), &web, 95_000_001, oldest).await;
    let found = suggest(&app, &web, json!({})).await;
    assert_eq!((&found["base"]["amount"], &found["confidence"]), (&json!("93.00"), &json!("LOW")));
    // Of two in the middle the mean, rounded half up to a micro.
    agreed(&app, (&client, &freelancer), &web, 93_000_001, oldest).await;
    let found = suggest(&app, &web, json!({})).await;
    assert_eq!(found["base"]["amount"], "93.000001");
    app.finish().await;
}
