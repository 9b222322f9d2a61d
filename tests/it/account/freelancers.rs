//! Finding freelancers by what they say, what they know and ask, when they can start and how they are rated.

use domain::entities::{UserId, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::{PROFILE, access_token, add_skill, register};
use crate::support::{TestApp, text};

const FIND: &str = "query($filter: FreelancerFilter, $order: FreelancerOrder) {
    freelancers(filter: $filter, orderBy: $order, first: 10) { nodes { displayName rating reviewCount } } }";

async fn find(app: &TestApp, filter: Value, order: Value) -> Vec<String> {
    let answer = app.gql("", FIND, json!({ "filter": filter, "order": order })).await;
    let nodes = answer["data"]["freelancers"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| text(&node["displayName"])).collect()
}

#[tokio::test]
async fn freelancers_are_found_by_availability_and_rating() {
    let app = TestApp::start().await;
    for (name, availability, rating, reviews) in [
        ("Ada", Some("IMMEDIATE"), 450, 2),
        ("Bea", Some("ONE_MONTH"), 500, 1),
        ("Cleo", Some("FLEXIBLE"), 0, 0),
        ("Dora", None, 433, 3),
    ] {
        let email = format!("{}@example.com", name.to_lowercase());
        let payload = register(&app, json!({ "email": email, "displayName": name })).await;
        app.mutate(&access_token(&payload), PROFILE, json!({ "availability": availability })).await;
        let id: UserId = text(&payload["user"]["id"]).parse().unwrap();
        let reviewed = user::ActiveModel {
            id: Set(id),
            rating: Set(rating),
            review_count: Set(reviews),
            ..Default::default()
        };
        reviewed.update(app.app.db.writer()).await.unwrap();
    }
    let newest = json!(null);
    let by_rating = |direction: &str| json!({ "field": "RATING", "direction": direction });
    assert_eq!(
        find(&app, json!({ "availability": ["IMMEDIATE", "FLEXIBLE"] }), newest.clone()).await,
        ["Cleo", "Ada"]
    );
    assert_eq!(find(&app, json!({ "availability": [] }), newest.clone()).await.len(), 4);
    assert_eq!(find(&app, json!({}), by_rating("DESC")).await, ["Bea", "Ada", "Dora", "Cleo"]);
    assert_eq!(find(&app, json!({}), by_rating("ASC")).await, ["Cleo", "Dora", "Ada", "Bea"]);
    for (least, found) in [
        (1.0, vec!["Bea", "Ada", "Dora"]),
        (4.33, vec!["Bea", "Ada", "Dora"]),
        (4.5, vec!["Bea", "Ada"]),
        (4.51, vec!["Bea"]),
        (5.0, vec!["Bea"]),
    ] {
        assert_eq!(find(&app, json!({ "minRating": least }), by_rating("DESC")).await, found, "{least}");
    }
    for bad in [0.99, 5.01, -1.0] {
        let answer = app.gql("", FIND, json!({ "filter": { "minRating": bad } })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{bad}: {answer}");
    }
    let answer = app.gql("", FIND, json!({ "order": by_rating("ASC") })).await;
    let nodes = &answer["data"]["freelancers"]["nodes"];
    assert_eq!((&nodes[0]["rating"], &nodes[0]["reviewCount"]), (&json!(null), &json!(0)));
    assert_eq!((&nodes[1]["rating"], &nodes[1]["reviewCount"]), (&json!(4.33), &json!(3)));

    // The order keeps over pages.
    let page = "query($after: String) { freelancers(first: 2, after: $after, orderBy: { field: RATING, direction: DESC }) {
        pageInfo { endCursor } nodes { displayName } } }";
    let first = app.gql("", page, json!({})).await["data"]["freelancers"].clone();
    let second = app.gql("", page, json!({ "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(
        second["data"]["freelancers"]["nodes"],
        json!([
            { "displayName": "Dora" }, { "displayName": "Cleo" }
        ])
    );
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
