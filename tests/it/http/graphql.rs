//! GraphQL over HTTP. The 61 audits of npm `graphql-http` run in tests/peers.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::*;

const GRAPHQL: (&str, &str) = ("accept", "application/graphql-response+json");
const JSON: (&str, &str) = ("accept", "application/json");

#[tokio::test]
async fn statuses_and_media_types() {
    let app = TestApp::start().await;
    for (body, of_graphql, of_json) in [
        (json!({ "query": "{ __typename }" }), 200, 200),
        (json!({ "query": "query A { __typename } query B { __typename }", "operationName": "B" }), 200, 200),
        (
            json!({ "query": "{ __typename }", "operationName": null, "variables": null, "extensions": null }),
            200,
            200,
        ),
        (json!({ "query": "{" }), 400, 200),
        (json!({ "query": "{ nothing }" }), 400, 200),
        (json!({ "query": "query($id: ID!) { node(id: $id) { id } }" }), 400, 200),
        (json!({ "query": "query A { __typename }", "operationName": "B" }), 400, 200),
        (json!({ "query": "subscription { notificationReceived { id } }" }), 400, 200),
        (json!({ "query": 1 }), 400, 400),
        (json!({ "query": "{ __typename }", "variables": [] }), 400, 400),
        (json!({}), 400, 400),
        (json!([{ "query": "{ __typename }" }]), 400, 400),
        (json!("{ __typename }"), 400, 400),
    ] {
        for (accept, status) in [(GRAPHQL, of_graphql), (JSON, of_json)] {
            let answer = post(&app.router, &[accept], body.to_string()).await;
            assert_eq!(answer.status, status, "{body} {accept:?}: {:#}", answer.body);
            assert!(answer.header("content-type").starts_with(accept.1), "{body}");
            let refused = of_graphql == 400;
            assert_eq!(answer.body.get("data").is_none(), refused, "{body}: {:#}", answer.body);
            assert_eq!(answer.code().is_empty(), !refused, "{body}: {:#}", answer.body);
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn what_is_not_accepted_is_said() {
    let app = TestApp::start().await;
    let body = r#"{"query":"{ __typename }"}"#;
    assert_eq!(post(&app.router, &[], body).await.header("content-type"), "application/json; charset=utf-8");
    let answer = post(&app.router, &[("accept", "text/html")], body).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (406, "NOT_ACCEPTABLE"));
    for media in
        ["text/plain", "application/graphql", "application/x-www-form-urlencoded", "multipart/form-data"]
    {
        let request = Request::post("/graphql").header("content-type", media).body(body.into()).unwrap();
        let answer = send(&app.router, request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (415, "UNSUPPORTED_MEDIA_TYPE"), "{media}");
    }
    let answer = post(&app.router, &[], vec![b' '; api::http::BODY + 1]).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "PAYLOAD_TOO_LARGE"));
    let padded = format!("{}{body}", " ".repeat(api::http::BODY - body.len()));
    assert_eq!(post(&app.router, &[], padded).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn get_is_for_queries() {
    let app = TestApp::start().await;
    let answer = get(&app.router, "/graphql?query=%7B__typename%7D").await;
    assert_eq!((answer.status.as_u16(), &answer.body["data"]["__typename"]), (200, &json!("Query")));
    let variables = "query($n:String!)%7B__type(name:$n)%7Bname%7D%7D&variables=%7B%22n%22:%22Query%22%7D";
    let answer = get(&app.router, &format!("/graphql?query={variables}")).await;
    assert_eq!(answer.body["data"]["__type"]["name"], "Query", "{:#}", answer.body);

    let answer = get(&app.router, "/graphql?query=mutation%7B__typename%7D").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    assert_eq!(get(&app.router, "/graphql").await.status, 400);
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let request = Request::builder().method(method).uri("/graphql").body(Body::empty()).unwrap();
        let answer = send(&app.router, request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST, OPTIONS"), "{method}");
    }
    app.finish().await;
}

#[tokio::test]
async fn bearers() {
    let app = TestApp::start_with(|settings| settings.access_token_ttl = Duration::from_secs(900)).await;
    let someone = app.register("olivia", "CLIENT").await;
    let body = r#"{"query":"{ viewer { id } }"}"#;
    let right = format!("Bearer {}", someone.token);
    let answer = post(&app.router, &[("authorization", &right)], body).await;
    assert_eq!(answer.body["data"]["viewer"]["id"], someone.id.as_str(), "{:#}", answer.body);
    assert_eq!(post(&app.router, &[], body).await.body["data"]["viewer"], Value::Null);
    for wrong in ["Basic abc", "Bearer", "Bearer a b", "Bearer not-a-token", ""] {
        let answer = post(&app.router, &[("authorization", wrong)], body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, "UNAUTHENTICATED"), "{wrong}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(answer.body.get("data").is_none());
    }
    app.advance(chrono::Duration::minutes(16));
    let answer = post(&app.router, &[("authorization", &right)], body).await;
    assert_eq!(answer.status, 401, "an access token ends: {:#}", answer.body);
    app.finish().await;
}

#[tokio::test]
async fn persisted_queries() {
    let app = TestApp::start().await;
    let query = "{ __typename }";
    let extensions = |hash: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let hash = hex::encode(Sha256::digest(query));
    let by_hash = json!({ "extensions": extensions(&hash) }).to_string();

    let answer = post(&app.router, &[JSON], by_hash.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(answer.body["errors"][0]["message"], "PersistedQueryNotFound");
    let both = json!({ "query": query, "extensions": extensions(&hash) }).to_string();
    assert_eq!(post(&app.router, &[], both).await.body["data"]["__typename"], "Query");
    assert_eq!(post(&app.router, &[], by_hash).await.body["data"]["__typename"], "Query");
    let by_get = format!(
        "/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{hash}%22%7D%7D"
    );
    assert_eq!(get(&app.router, &by_get).await.body["data"]["__typename"], "Query");

    let wrong = json!({ "query": "{ viewer { id } }", "extensions": extensions(&hash) }).to_string();
    assert_eq!(post(&app.router, &[], wrong).await.status, 400);
    app.finish().await;
}

#[tokio::test]
async fn introspection_can_be_closed() {
    for open in [true, false] {
        let app = TestApp::start_with(|settings| settings.introspection = open).await;
        let answer = post(&app.router, &[], r#"{"query":"{ __schema { queryType { name } } }"}"#).await;
        let name = answer.body.pointer("/data/__schema/queryType/name");
        assert_eq!(name == Some(&json!("Query")), open, "{:#}", answer.body);
        let answer = post(&app.router, &[], r#"{"query":"{ categorie { id } }"}"#).await;
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert_eq!(message.contains("categories"), open, "{message}");
        app.finish().await;
    }
}
