//! GraphQL through the router, as a client sends it.

use axum::{Router, body::Body};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::TestApp;

impl TestApp {
    /// Posts a document and gives the whole answer. An empty token is nobody's.
    pub async fn gql(&self, token: &str, query: &str, variables: Value) -> Value {
        self.post(token, json!({ "query": query, "variables": variables })).await
    }

    /// Posts the body of a request and gives the whole answer. An empty token is nobody's.
    pub async fn post(&self, token: &str, body: Value) -> Value {
        post(&self.router, token, body).await
    }

    /// Runs the one mutation of a document that takes `$input` and gives its payload, which must have no
    /// GraphQL errors (but may have userErrors).
    pub async fn mutate(&self, token: &str, query: &str, input: Value) -> Value {
        let answer = self.gql(token, query, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer:#}");
        let data = answer["data"].as_object().expect("an object of data");
        data.values().next().expect("one mutation").clone()
    }

    /// Calls a mutation by its name and gives its payload, as [`TestApp::mutate`] does: so much of it as is selected, and
    /// the user errors.
    pub async fn call(&self, token: &str, mutation: &str, selection: &str, input: Value) -> Value {
        self.mutate(token, &calling(mutation, selection), input).await
    }
}

/// The document that calls a mutation by its name with `$input`.
pub fn calling(mutation: &str, selection: &str) -> String {
    let input = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    format!(
        "mutation($input: {input}!) {{ {mutation}(input: $input) {{
            {selection} userErrors {{ field code message }} }} }}"
    )
}

/// An input with more fields.
pub fn with(mut input: Value, more: Value) -> Value {
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    input
}

/// Posts the body of a request to a process and gives the whole answer. An empty token is nobody's.
pub async fn post(router: &Router, token: &str, body: Value) -> Value {
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&bytes)))
}

/// A payload without user errors.
#[track_caller]
pub fn ok(payload: Value) -> Value {
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    payload
}

/// The codes of a payload's user errors, as `field:CODE`.
#[track_caller]
pub fn errors(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().expect("userErrors");
    assert!(errors.iter().all(|error| !error["message"].as_str().unwrap_or("").is_empty()), "{payload:#}");
    errors
        .iter()
        .map(|error| {
            let field = error["field"].as_array().map_or(String::new(), |path| {
                path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")
            });
            format!("{field}:{}", error["code"].as_str().unwrap_or("?"))
        })
        .collect()
}
