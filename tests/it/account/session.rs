//! Signing in and out, and where one is signed in.

use axum::body::Body;
use chrono::Duration;
use domain::entities::{NotificationKind, mail};
use http::Request;
use http_body_util::BodyExt;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{REVOKE, SIGN_IN, access_token, assert_unauthenticated, refresh, register, sign_in, viewer};
use crate::support::{PASSWORD, TestApp, errors, ok, text};

const REVOKE_COUNTED: &str = "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) {
    sessionId endedCount userErrors { field code message } } }";
const SESSIONS: &str = "query($id: ID!) { user(id: $id) { sessions { totalCount nodes {
    id userAgent isCurrent createdAt refreshedAt expiresAt } } } }";

#[tokio::test]
async fn signing_in_tells_nothing_about_who_has_an_account() {
    let app = TestApp::start().await;
    register(&app, json!({})).await;
    let right = sign_in(&app, " ADA@example.com", PASSWORD).await;
    assert_eq!(right["user"]["displayName"], "Ada");

    let password = sign_in(&app, "ada@example.com", "plum-ferry-anchor-43").await;
    let unknown = sign_in(&app, "eve@example.com", PASSWORD).await;
    assert_eq!(errors(&password), [":INVALID"]);
    assert_eq!(password, unknown);
    let code = json!({"email": "ada@example.com", "password": PASSWORD, "code": "123456"});
    assert_eq!(errors(&app.mutate("", SIGN_IN, code).await), ["code:INVALID"]);

    let told = mail::Entity::find()
        .filter(mail::Column::Kind.eq(NotificationKind::AccountNewSignIn))
        .count(app.app.db.reader())
        .await;
    assert_eq!(told.expect("counts"), 1, "only the sign-in that worked");
    app.finish().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let app = TestApp::start().await;
    let first = text(&register(&app, json!({})).await["session"]["refreshToken"]);
    app.advance(Duration::minutes(1));
    let next = refresh(&app, &first).await;
    assert!(errors(&next).is_empty());
    let (access, second) = (access_token(&next), text(&next["session"]["refreshToken"]));
    assert_ne!(first, second);
    assert_eq!(viewer(&app, &access).await["data"]["viewer"]["email"], "Ada@Example.com");

    assert_eq!(errors(&refresh(&app, &first).await), ["refreshToken:INVALID"]);
    assert_eq!(errors(&refresh(&app, &second).await), ["refreshToken:INVALID"], "the session is ended");
    assert_unauthenticated(&viewer(&app, &access).await);
    assert_eq!(errors(&refresh(&app, "never given out").await), ["refreshToken:INVALID"]);
    app.finish().await;
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins() {
    let app = TestApp::start().await;
    let token = text(&register(&app, json!({})).await["session"]["refreshToken"]);
    let (one, other) = tokio::join!(refresh(&app, &token), refresh(&app, &token));
    let mut results = [errors(&one), errors(&other)];
    results.sort();
    assert_eq!(results, [vec![], vec!["refreshToken:INVALID".to_owned()]]);
    app.finish().await;
}

#[tokio::test]
async fn access_ends_with_its_time() {
    let app = TestApp::start().await;
    let payload = register(&app, json!({})).await;
    let ttl = app.app.settings.access_token_ttl;
    app.advance(Duration::from_std(ttl).expect("fits") - Duration::seconds(1));
    assert!(viewer(&app, &access_token(&payload)).await["data"]["viewer"].is_object());
    app.advance(Duration::seconds(1));
    assert_unauthenticated(&viewer(&app, &access_token(&payload)).await);
    app.advance(Duration::from_std(app.app.settings.session_ttl).expect("fits"));
    let late = refresh(&app, &text(&payload["session"]["refreshToken"])).await;
    assert_eq!(errors(&late), ["refreshToken:EXPIRED"]);
    app.finish().await;
}

#[tokio::test]
async fn a_session_is_ended_by_its_owner_and_at_once() {
    let app = TestApp::start().await;
    let here = access_token(&register(&app, json!({})).await);
    let there = sign_in(&app, "ada@example.com", PASSWORD).await["session"].clone();
    let there_token = text(&there["accessToken"]);
    let eve = app.register("eve", "CLIENT").await.token;
    let id = json!({"sessionId": there["id"]});

    assert_eq!(errors(&app.mutate(&eve, REVOKE, id.clone()).await), ["sessionId:NOT_FOUND"]);
    let wrong = json!({"sessionId": "prj_00000000000000000000000000000000"});
    assert_eq!(errors(&app.mutate(&here, REVOKE, wrong).await), ["sessionId:INVALID_ID"]);
    assert!(viewer(&app, &there_token).await["data"]["viewer"].is_object());
    assert_eq!(app.mutate(&here, REVOKE, id).await["sessionId"], there["id"]);
    assert_unauthenticated(&viewer(&app, &there_token).await);
    assert!(errors(&app.mutate(&here, REVOKE, json!({})).await).is_empty(), "the current one");
    assert_unauthenticated(&viewer(&app, &here).await);
    app.finish().await;
}

#[tokio::test]
async fn sessions_are_listed_for_their_owner_and_ended_by_them() {
    let app = TestApp::start().await;
    let ada = register(&app, json!({})).await;
    let (here, id) = (access_token(&ada), json!({ "id": ada["user"]["id"] }));
    app.advance(Duration::minutes(5));
    let phone = named_sign_in(&app, "Phone/1.0").await;
    let third = sign_in(&app, "ada@example.com", PASSWORD).await;
    let eve = app.register("eve", "CLIENT").await.token;
    let list =
        async |token: &str| app.gql(token, SESSIONS, id.clone()).await["data"]["user"]["sessions"].clone();

    let own = list(&here).await;
    assert_eq!(own["totalCount"], 3);
    let nodes = own["nodes"].as_array().unwrap();
    let shown: Vec<_> = nodes.iter().map(|it| (&it["id"], &it["userAgent"], &it["isCurrent"])).collect();
    assert_eq!(
        shown,
        [
            (&third["session"]["id"], &json!(null), &json!(false)),
            (&phone["session"]["id"], &json!("Phone/1.0"), &json!(false)),
            (&ada["session"]["id"], &json!(null), &json!(true)),
        ],
        "the newest first"
    );
    assert_eq!(
        (&nodes[2]["createdAt"], &nodes[2]["expiresAt"]),
        (&nodes[2]["refreshedAt"], &ada["session"]["refreshExpiresAt"])
    );
    assert!(list(&eve).await.is_null() && list("").await.is_null());

    let one = json!({ "sessionId": phone["session"]["id"] });
    let ended = ok(app.mutate(&here, REVOKE_COUNTED, one.clone()).await);
    assert_eq!((&ended["sessionId"], &ended["endedCount"]), (&phone["session"]["id"], &json!(1)));
    assert_eq!(ok(app.mutate(&here, REVOKE_COUNTED, one.clone()).await)["endedCount"], 0, "it had ended");
    assert_eq!(list(&here).await["totalCount"], 2);

    let both = json!({ "sessionId": third["session"]["id"], "others": true });
    assert_eq!(errors(&app.mutate(&here, REVOKE_COUNTED, both).await), ["others:INVALID"]);
    assert!(viewer(&app, &access_token(&third)).await["data"]["viewer"].is_object(), "nothing was ended");
    let others = ok(app.mutate(&here, REVOKE_COUNTED, json!({ "others": true })).await);
    assert_eq!((&others["sessionId"], &others["endedCount"]), (&json!(null), &json!(1)));
    assert_unauthenticated(&viewer(&app, &access_token(&third)).await);
    assert_eq!(list(&here).await["nodes"][0]["isCurrent"], true);
    assert!(viewer(&app, &eve).await["data"]["viewer"].is_object(), "other people's go on");
    assert_unauthenticated(&app.gql("", REVOKE, json!({ "input": { "others": true } })).await);

    app.advance(Duration::from_std(app.app.settings.access_token_ttl).unwrap() - Duration::minutes(10));
    let late = access_token(&sign_in(&app, "ada@example.com", PASSWORD).await);
    assert_eq!(list(&late).await["totalCount"], 2);
    let rest = app.app.settings.session_ttl - app.app.settings.access_token_ttl;
    app.advance(Duration::from_std(rest).unwrap() + Duration::minutes(10));
    assert_eq!(list(&late).await["totalCount"], 1, "one that is over is not listed");
    app.finish().await;
}

/// Ada signs in by a client that says what it is.
async fn named_sign_in(app: &TestApp, agent: &str) -> Value {
    let input = json!({ "email": "ada@example.com", "password": PASSWORD });
    let body = json!({ "query": SIGN_IN, "variables": { "input": input } }).to_string();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .header("user-agent", agent)
        .body(Body::from(body))
        .unwrap();
    let answer = app.router.clone().oneshot(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    answer["data"]["sessionCreate"].clone()
}
