//! Routes, headers, CORS.

use super::*;

#[tokio::test]
async fn health() {
    let app = TestApp::start().await;
    let (good, _) = router(&app, HttpSettings::default(), &[Check::passed("database")]);
    let answer = get(&good, "/readyz").await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (200, &"ready".into()));
    let checks = [Check::passed("database"), Check::failed("workers", "none has been heard of for 60 s")];
    let (bad, _) = router(&app, HttpSettings::default(), &checks);
    let answer = get(&bad, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body["checks"]["database"]["ok"], true);
    assert_eq!(answer.body["checks"]["workers"]["ok"], false);
    assert_eq!(get(&bad, "/livez").await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn wrong_ways_are_answered_with_a_hint() {
    let app = TestApp::start().await;
    let answer = get(&app.router, "/graphiqql").await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "NOT_FOUND"));
    assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("/graphql"));
    let request = Request::post("/livez").body(Body::empty()).unwrap();
    let answer = send(&app.router, request).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (405, "METHOD_NOT_ALLOWED"));
    assert!(answer.header("allow").contains("GET"));
    assert_eq!(get(&app.router, "/").await.status, 404, "GraphiQL is off unless it is set");
    let graphiql = HttpSettings { graphiql: Some(Arc::new(Vec::new)), ..HttpSettings::default() };
    let (router, _) = router(&app, graphiql, &[]);
    let answer = get(&router, "/").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/html"));
    app.finish().await;
}

#[tokio::test]
async fn headers() {
    let app = TestApp::start().await;
    let answer = post(&app.router, &[("x-request-id", "written-by-a-client")], "{}").await;
    assert_eq!(answer.header("x-request-id").len(), 36, "an id of our own");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let query = r#"{"query":"{ __schema { types { name description } } }"}"#;
    let answer = post(&app.router, &[("accept-encoding", "gzip")], query).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    app.finish().await;
}

#[tokio::test]
async fn origins() {
    let app = TestApp::start().await;
    let settings =
        HttpSettings { cors_origins: vec!["https://app.example.com".into()], ..HttpSettings::default() };
    let (router, _) = router(&app, settings, &[]);
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("http://localhost:8080", true),
        ("https://example.com", false),
        ("http://app.example.com", false),
        ("null", false),
    ] {
        let request = Request::options("/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin") == origin, allowed, "{origin}");
        assert!(answer.header("access-control-allow-headers").contains("authorization"));
        let answer = post(&router, &[("origin", origin)], r#"{"query":"{ __typename }"}"#).await;
        assert_eq!(answer.header("access-control-allow-origin") == origin, allowed, "{origin}");
    }
    app.finish().await;
}
