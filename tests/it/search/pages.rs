//! Pages of what is found.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{PROJECTS, names, write};
use crate::{market, support::TestApp};

/// A page, and the cursors of its ends.
async fn page(app: &TestApp, search: &str, at: Value) -> (Vec<String>, Value) {
    let mut variables = at;
    variables["filter"] = json!({ "search": search });
    let answer = app.gql("", PROJECTS, variables).await;
    (names(&answer["data"]["projects"], "title"), answer["data"]["projects"]["pageInfo"].clone())
}

#[tokio::test]
async fn pages_stay_while_more_is_posted() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    for title in ["Lamp 1", "Other 2", "Lamp 3", "Other 4", "Lamp 5", "Other 6"] {
        write(&app, &client, title, "About a lamp.").await;
    }
    let (first, info) = page(&app, "lamp", json!({ "first": 2 })).await;
    assert_eq!(first, ["Lamp 5", "Lamp 3"]);
    write(&app, &client, "Lamp 7", "Comes before everything.").await;
    write(&app, &client, "Other 8", "A lamp below.").await;
    write(&app, &client, "Other 9", "None at all.").await;

    let (second, info) = page(&app, "lamp", json!({ "first": 3, "after": info["endCursor"] })).await;
    assert_eq!(second, ["Lamp 1", "Other 8", "Other 6"]);
    assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(true), &json!(true)));
    let (third, end) = page(&app, "lamp", json!({ "first": 3, "after": info["endCursor"] })).await;
    assert_eq!(
        (third, &end["hasNextPage"]),
        (vec!["Other 4".to_owned(), "Other 2".to_owned()], &json!(false))
    );

    let (back, start) = page(&app, "lamp", json!({ "last": 2, "before": info["startCursor"] })).await;
    assert_eq!(
        (back, &start["hasPreviousPage"]),
        (vec!["Lamp 5".to_owned(), "Lamp 3".to_owned()], &json!(true))
    );
    let (front, start) = page(&app, "lamp", json!({ "last": 2, "before": start["startCursor"] })).await;
    assert_eq!((front, &start["hasPreviousPage"]), (vec!["Lamp 7".to_owned()], &json!(false)));
    let (last, _) = page(&app, "lamp", json!({ "last": 2 })).await;
    assert_eq!(last, ["Other 4", "Other 2"]);
    app.finish().await;
}

#[tokio::test]
async fn a_cursor_is_good_in_its_own_order_only() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    write(&app, &client, "Lamp 1", "").await;
    let filter = json!({ "search": "lamp" });
    let newest = json!({ "field": "CREATED_AT", "direction": "DESC" });
    let answer = app.gql("", PROJECTS, json!({ "filter": filter, "order": newest })).await;
    let (by_time, (_, info)) =
        (&answer["data"]["projects"]["pageInfo"]["endCursor"], page(&app, "lamp", json!({})).await);
    let by_relevance = &info["endCursor"];
    let id = uuid::Uuid::nil();
    let forged = |cursor: Value| json!(URL_SAFE_NO_PAD.encode(cursor.to_string()));
    for (after, order, good) in [
        (by_relevance.clone(), Value::Null, true),
        (by_time.clone(), newest.clone(), true),
        (by_time.clone(), Value::Null, false),
        (by_relevance.clone(), newest, false),
        (forged(json!(["relevance", { "Number": i64::MAX }, id])), Value::Null, true),
        (forged(json!(["relevance", { "Text": "1" }, id])), Value::Null, false),
        (forged(json!(["relevance", "None", id])), Value::Null, false),
    ] {
        let variables = json!({ "filter": filter, "order": order, "after": after });
        let answer = app.gql("", PROJECTS, variables).await;
        assert_eq!(answer.get("errors").is_none(), good, "{after}: {answer}");
        assert!(good || answer["errors"][0]["extensions"]["code"] == "INVALID", "{answer}");
    }
    app.finish().await;
}
