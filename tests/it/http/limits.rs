//! What one caller may ask for. The limits on documents are tested at their edges beside them.

use std::num::NonZeroU32;

use api::http::RateLimits;
use serde_json::json;

use super::*;
use crate::support::PASSWORD;

fn settings(requests: u32, by_address: u32, by_email: u32) -> HttpSettings {
    HttpSettings {
        rate_limits: RateLimits {
            requests: NonZeroU32::new(requests),
            passwords_by_address: NonZeroU32::new(by_address),
            passwords_by_email: NonZeroU32::new(by_email),
            drafts: None,
            key_lookups: None,
        },
        forwarded_hops: 1,
        ..HttpSettings::default()
    }
}

#[tokio::test]
async fn requests_are_counted_for_each_caller() {
    let app = TestApp::start().await;
    let someone = app.register("rob", "CLIENT").await;
    let (router, _) = router(&app, settings(3, 0, 0), &[]);
    let body = r#"{"query":"{ rateLimit { limit remaining resetAt } }"}"#;
    let from = |address: &'static str| [("x-forwarded-for", address)];
    for left in [2, 1, 0] {
        let limit = post(&router, &from("1.2.3.4"), body).await.body["data"]["rateLimit"].clone();
        assert_eq!((&limit["limit"], &limit["remaining"]), (&json!(3), &json!(left)), "{limit}");
        assert!(limit["resetAt"].as_str().unwrap() > "2026-03-01T12:00:00", "{limit}");
    }
    let answer = post(&router, &from("1.2.3.4"), body).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"), "{:#}", answer.body);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&seconds));
    assert_eq!(answer.body["errors"][0]["extensions"]["retryAfter"], seconds);

    assert_eq!(post(&router, &from("1.2.3.5"), body).await.status, 200, "another address");
    let bearer = format!("Bearer {}", someone.token);
    let headers = [("x-forwarded-for", "1.2.3.4"), ("authorization", bearer.as_str())];
    assert_eq!(post(&router, &headers, body).await.status, 200, "a person counts alone");
    app.finish().await;
}

#[tokio::test]
async fn passwords_are_counted_apart() {
    let app = TestApp::start().await;
    let someone = app.register("sue", "CLIENT").await;
    let (router, _) = router(&app, settings(1_000, 4, 2), &[]);
    let attempt = |email: &str, password: &str| {
        json!({
            "query": "mutation($input: SessionCreateInput!) {
                sessionCreate(input: $input) { user { id } userErrors { code } } }",
            "variables": { "input": { "email": email, "password": password } },
        })
        .to_string()
    };
    let from = |address: &'static str| [("x-forwarded-for", address)];
    for _ in 0..2 {
        let answer = post(&router, &from("1.1.1.1"), attempt(&someone.email, "wrong-guess-1")).await;
        assert_eq!(answer.body["data"]["sessionCreate"]["user"], Value::Null, "{:#}", answer.body);
    }
    let answer = post(&router, &from("2.2.2.2"), attempt(&someone.email, PASSWORD)).await;
    assert_eq!(answer.status, 429, "by e-mail, from anywhere");
    for n in 0..2 {
        assert_eq!(
            post(&router, &from("1.1.1.1"), attempt(&format!("{n}@example.com"), "x")).await.status,
            200
        );
    }
    let answer = post(&router, &from("1.1.1.1"), attempt("other@example.com", "x")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "RATE_LIMITED"), "by address");
    assert_eq!(post(&router, &from("1.1.1.1"), r#"{"query":"{ __typename }"}"#).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn guesses_of_ones_own_password_are_counted_wherever_they_come_from() {
    let app = TestApp::start().await;
    let (thief, other) = (app.register("tess", "FREELANCER").await, app.register("olga", "FREELANCER").await);
    let (router, _) = router(&app, settings(1_000, 100, 2), &[]);
    let guess = json!({
        "query": "mutation($input: WalletSetPayoutInput!) {
            walletSetPayout(input: $input) { wallet { id } userErrors { code } } }",
        "variables": { "input": { "walletId": "wal_00000000000000000000000000000000", "password": "x" } },
    })
    .to_string();
    let bearers = [format!("Bearer {}", thief.token), format!("Bearer {}", other.token)];
    for (address, bearer, status) in [
        ("1.1.1.1", &bearers[0], 200),
        ("2.2.2.2", &bearers[0], 200),
        ("3.3.3.3", &bearers[0], 429),
        ("3.3.3.3", &bearers[1], 200),
    ] {
        let headers = [("x-forwarded-for", address), ("authorization", bearer.as_str())];
        let answer = post(&router, &headers, guess.clone()).await;
        assert_eq!(answer.status, status, "{address}: {:#}", answer.body);
    }
    app.finish().await;
}

#[tokio::test]
async fn documents_are_limited_before_they_cost() {
    let app = TestApp::start().await;
    let mut doubled = String::from("{ categories { ...F0 } }");
    for n in 0..22 {
        doubled += &format!(" fragment F{n} on Category {{ ...F{0} ...F{0} }}", n + 1);
    }
    doubled += " fragment F22 on Category { id }";
    let begun = std::time::Instant::now();
    let answer = post(&app.router, &[], json!({ "query": doubled }).to_string()).await;
    assert_eq!(answer.code(), "COST_EXCEEDED", "{:#}", answer.body);
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());

    let page = "projects(first: 100) { nodes { ";
    let deep = format!("{{ {page} client {{ {page} client {{ {page} id }} }} }} }} }} }} }} }} }}");
    let answer = post(&app.router, &[], json!({ "query": deep }).to_string()).await;
    assert_eq!(answer.code(), "COST_EXCEEDED", "{:#}", answer.body);

    let answer = post(&app.router, &[], json!({ "query": "{ categories { id } }" }).to_string()).await;
    assert!(answer.body["extensions"]["cost"]["requested"].as_u64().unwrap() > 0, "{:#}", answer.body);
    app.finish().await;
}
