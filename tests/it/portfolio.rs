//! Portfolios: made by freelancers, seen by everybody, and gone with their pictures.

use serde_json::{Value, json};

use crate::{
    market::merged,
    support::{Someone, TestApp, errors, ok, text},
    upload::{File, get, lies, look, png, ready, row, start},
};

const CREATE: &str = "mutation($input: PortfolioItemCreateInput!) { portfolioItemCreate(input: $input) {
    portfolioItem { id title description link images { url smallUrl thumbnailUrl upload { id } } }
    userErrors { field code message } } }";
const UPDATE: &str = "mutation($input: PortfolioItemUpdateInput!) { portfolioItemUpdate(input: $input) {
    portfolioItem { title description link images { upload { id } } } userErrors { field code message } } }";
const DELETE: &str = "mutation($input: PortfolioItemDeleteInput!) { portfolioItemDelete(input: $input) {
    portfolioItemId userErrors { field code message } } }";
const SEE: &str =
    "query($id: ID!) { user(id: $id) { portfolio { totalCount nodes { id title user { displayName }
    images { url smallUrl thumbnailUrl } } } } }";

async fn create(app: &TestApp, by: &Someone, input: Value) -> Value {
    app.mutate(&by.token, CREATE, merged(json!({ "title": "A shop" }), input)).await
}

/// The id of a new item.
async fn item(app: &TestApp, by: &Someone, uploads: &[String]) -> String {
    text(&ok(create(app, by, json!({ "uploadIds": uploads })).await)["portfolioItem"]["id"])
}

async fn image(app: &TestApp, by: &Someone, red: u8) -> String {
    ready(app, by, File::new("PORTFOLIO_IMAGE", "work.png", "image/png", &png(red))).await
}

#[tokio::test]
async fn every_limit_of_an_item_is_named_at_its_edge() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let id = item(&app, &ann, &[]).await;
    let link = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20));
    for (field, value, wrong) in [
        ("title", json!(""), Some("title:REQUIRED")),
        ("title", json!("x"), None),
        ("title", json!("é".repeat(200)), None),
        ("title", json!("x".repeat(201)), Some("title:TOO_LONG")),
        ("title", json!("two\nlines"), Some("title:INVALID")),
        ("description", json!(""), None),
        ("description", json!("x".repeat(5_000)), None),
        ("description", json!("x".repeat(5_001)), Some("description:TOO_LONG")),
        ("link", json!(null), None),
        ("link", json!(link(2_000)), None),
        ("link", json!(link(2_001)), Some("link:TOO_LONG")),
        ("link", json!("http://example.com"), Some("link:INVALID")),
        ("link", json!("javascript:alert(1)"), Some("link:INVALID")),
        ("uploadIds", json!([id]), Some("uploadIds.0:INVALID_ID")),
    ] {
        let created = create(&app, &ann, json!({ field: value })).await;
        let updated = app.mutate(&ann.token, UPDATE, json!({ "portfolioItemId": id, field: value })).await;
        let wrong: Vec<&str> = wrong.into_iter().collect();
        assert_eq!(errors(&created), wrong, "{field} {value}");
        assert_eq!(errors(&updated), wrong, "{field} {value}");
    }
    let partly = json!({ "portfolioItemId": id, "title": "Another shop", "link": "https://example.com" });
    let partly = ok(app.mutate(&ann.token, UPDATE, partly).await)["portfolioItem"].clone();
    assert_eq!(partly["link"], "https://example.com/");
    let partly = ok(app.mutate(&ann.token, UPDATE, json!({ "portfolioItemId": id, "link": null })).await);
    assert_eq!(partly["portfolioItem"]["title"], "Another shop");
    assert!(partly["portfolioItem"]["link"].is_null());
    app.finish().await;
}

#[tokio::test]
async fn a_portfolio_is_its_freelancers() {
    let app = start().await;
    let (ann, eve, carla) =
        (app.freelancer("ann").await, app.freelancer("eve").await, app.client("carla").await);
    let new = app.register("newcomer", "FREELANCER").await;
    let id = item(&app, &ann, &[]).await;
    let one = json!({ "portfolioItemId": id });
    assert_eq!(errors(&create(&app, &carla, json!({})).await), [":FORBIDDEN"]);
    assert_eq!(errors(&create(&app, &new, json!({})).await), [":UNVERIFIED"]);
    for mutation in [UPDATE, DELETE] {
        let foreign = app.mutate(&eve.token, mutation, one.clone()).await;
        assert_eq!(errors(&foreign), ["portfolioItemId:NOT_FOUND"]);
        assert_eq!(errors(&app.mutate(&carla.token, mutation, one.clone()).await), [":FORBIDDEN"]);
        let nobody = app.gql("", mutation, json!({ "input": one })).await;
        assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    let foreign = image(&app, &eve, 1).await;
    let avatar = ready(&app, &ann, File::new("AVATAR", "a.png", "image/png", &png(2))).await;
    let wrong = create(&app, &ann, json!({ "uploadIds": [foreign, avatar] })).await;
    assert_eq!(errors(&wrong), ["uploadIds.0:NOT_FOUND", "uploadIds.1:INVALID"]);
    let seen = app.gql("", SEE, json!({ "id": ann.id })).await["data"]["user"]["portfolio"].clone();
    assert_eq!(seen["totalCount"], 1, "what was refused is not there: {seen}");
    assert_eq!(seen["nodes"][0]["user"]["displayName"], "ann");
    let node = "query($id: ID!) { node(id: $id) { ... on PortfolioItem { title } } }";
    assert_eq!(app.gql("", node, json!({ "id": id })).await["data"]["node"]["title"], "A shop");
    app.finish().await;
}

#[tokio::test]
async fn its_pictures_are_for_everybody_and_go_with_it() {
    let app = start().await;
    let (ann, eve) = (app.freelancer("ann").await, app.freelancer("eve").await);
    let [first, second, third] =
        [image(&app, &ann, 1).await, image(&app, &ann, 2).await, image(&app, &ann, 3).await];
    assert_eq!(look(&app, &eve, &first).await, Value::Null, "not before it is attached");
    let id = item(&app, &ann, &[first.clone(), second.clone()]).await;
    let seen = app.gql("", SEE, json!({ "id": ann.id })).await;
    let images = seen["data"]["user"]["portfolio"]["nodes"][0]["images"].clone();
    assert_eq!(images.as_array().unwrap().len(), 2);
    for link in ["url", "smallUrl", "thumbnailUrl"] {
        assert_eq!(get(&images[0][link]).await.status(), 200, "{link}");
    }
    assert!(look(&app, &eve, &first).await["url"].is_string());

    // One stays, one goes, one comes.
    let change = json!({ "portfolioItemId": id, "uploadIds": [second, third] });
    let changed = ok(app.mutate(&ann.token, UPDATE, change.clone()).await)["portfolioItem"].clone();
    let ids: Vec<String> =
        changed["images"].as_array().unwrap().iter().map(|image| text(&image["upload"]["id"])).collect();
    assert_eq!(ids, [second.clone(), third.clone()]);
    ok(app.mutate(&ann.token, UPDATE, change).await);
    app.drain().await;
    let gone = row(&app, &first).await.object_key;
    for key in [gone.clone(), format!("{gone}-1024"), format!("{gone}-256")] {
        assert!(!lies(&app, &key).await, "{key}");
    }
    assert_eq!(look(&app, &ann, &first).await["status"], "REJECTED");
    assert!(lies(&app, &row(&app, &second).await.object_key).await);
    let elsewhere = create(&app, &ann, json!({ "uploadIds": [second] })).await;
    assert_eq!(errors(&elsewhere), ["uploadIds.0:TAKEN"]);
    // A change that fails gives up nothing.
    let bad = json!({ "portfolioItemId": id, "uploadIds": [first] });
    assert_eq!(errors(&app.mutate(&ann.token, UPDATE, bad).await), ["uploadIds.0:ILLEGAL_STATE"]);
    assert_eq!(look(&app, &ann, &second).await["status"], "READY");

    let deleted = ok(app.mutate(&ann.token, DELETE, json!({ "portfolioItemId": id })).await);
    assert_eq!(deleted["portfolioItemId"], id);
    app.drain().await;
    for upload in [&second, &third] {
        let key = row(&app, upload).await.object_key;
        for key in [key.clone(), format!("{key}-1024"), format!("{key}-256")] {
            assert!(!lies(&app, &key).await, "{key}");
        }
        assert_eq!(look(&app, &eve, upload).await, Value::Null);
    }
    let again = app.mutate(&ann.token, DELETE, json!({ "portfolioItemId": id })).await;
    assert_eq!(errors(&again), ["portfolioItemId:NOT_FOUND"]);
    app.finish().await;
}

/// PORTFOLIO_IMAGE: ten an owner and thing.
#[tokio::test]
async fn rule_a_portfolio_item_has_at_most_ten_pictures() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let mut uploads = Vec::new();
    for red in 0..11 {
        uploads.push(image(&app, &ann, red).await);
    }
    let eleven = create(&app, &ann, json!({ "uploadIds": uploads })).await;
    assert_eq!(errors(&eleven), ["uploadIds:LIMIT_REACHED"]);
    let id = item(&app, &ann, &uploads[..10]).await;
    let change = async |ids: &[String]| {
        app.mutate(&ann.token, UPDATE, json!({ "portfolioItemId": id, "uploadIds": ids })).await
    };
    assert_eq!(errors(&change(&uploads).await), ["uploadIds:LIMIT_REACHED"]);
    let moved = ok(change(&uploads[1..]).await);
    assert_eq!(moved["portfolioItem"]["images"].as_array().unwrap().len(), 10, "one went, one came");
    app.finish().await;
}

#[tokio::test]
async fn a_portfolio_has_at_most_fifty_items() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let mut last = String::new();
    for _ in 0..50 {
        last = item(&app, &ann, &[]).await;
    }
    assert_eq!(errors(&create(&app, &ann, json!({})).await), [":LIMIT_REACHED"]);
    ok(app.mutate(&ann.token, DELETE, json!({ "portfolioItemId": last })).await);
    item(&app, &ann, &[]).await;
    app.finish().await;
}
