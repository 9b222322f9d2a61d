//! Circle's notifications: signed or refused, counted once, and never believed.

use std::{num::NonZeroU32, sync::Arc};

use api::http::{HttpSettings, HttpState, RateLimits, Readiness};
use axum::{Router, body::Body};
use domain::entities::{PaymentStatus, circle_notification};
use http::{Method, Request, StatusCode};
use sandbox::circle::{Ending, Notification};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::World;
use crate::support::{TestApp, proxy::Proxy};

async fn send(app: &TestApp, key_id: &str, signature: &str, body: impl Into<Body>) -> StatusCode {
    send_to(&app.router, key_id, signature, body).await
}

async fn send_to(router: &Router, key_id: &str, signature: &str, body: impl Into<Body>) -> StatusCode {
    let request = Request::post("/webhooks/circle")
        .header("content-type", "application/json")
        .header("x-circle-key-id", key_id)
        .header("x-circle-signature", signature)
        .body(body.into())
        .unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

async fn deliver(app: &TestApp, what: &Notification) -> StatusCode {
    send(app, &what.key_id, &what.signature, what.body.clone()).await
}

impl World {
    /// What Circle has notified of payouts.
    fn told(&self) -> Vec<Notification> {
        let all = self.circle().notifications().unwrap().into_iter();
        all.filter(|told| {
            let body: Value = serde_json::from_str(&told.body).unwrap();
            body["notificationType"] == "payouts"
        })
        .collect()
    }

    async fn counted(&self) -> u64 {
        circle_notification::Entity::find().count(self.app.app.db.reader()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_makes_the_payout_due_now() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let id = world.circle().accepted()[0].id.clone();
    world.circle().end_payout(&id, Ending::Complete).unwrap();
    world.app.drain().await;
    assert_eq!(world.standing(&release).await, "CONFIRMING", "nothing is due yet");
    let told = world.told();
    let [pending, complete] = &told[..] else { panic!("{told:?}") };

    // The later one first; then it once more; then the earlier one.
    assert_eq!(deliver(&world.app, complete).await, StatusCode::OK);
    world.app.drain().await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    for late in [complete, pending, pending] {
        assert_eq!(deliver(&world.app, late).await, StatusCode::OK);
        world.app.drain().await;
        assert_eq!(world.standing(&release).await, "COMPLETED");
    }
    assert_eq!(world.counted().await, 2);
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_wakes_nobody() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let pending = world.told()[0].clone();
    assert_eq!(deliver(&world.app, &pending).await, StatusCode::OK);
    let woken = world.row(&release).await.look;
    assert_eq!(deliver(&world.app, &pending).await, StatusCode::OK);
    assert_eq!((world.row(&release).await.look, world.counted().await), (woken, 1));
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_notification_changes_nothing() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let (app, genuine) = (&world.app, world.told()[0].clone());
    let before = world.row(&release).await;
    let forged = world.circle().forged(&genuine).unwrap();
    assert_eq!(deliver(app, &forged).await, StatusCode::UNAUTHORIZED);
    let changed = genuine.body.replace("pending", "complete");
    assert_ne!(changed, genuine.body);
    assert_eq!(send(app, &genuine.key_id, &genuine.signature, changed).await, StatusCode::UNAUTHORIZED);
    let half = &genuine.signature[..genuine.signature.len() / 2];
    for (key_id, signature) in [
        ("", genuine.signature.as_str()),
        ("../../v1/payouts", &genuine.signature),
        ("6ae62bf2-bd71-49ce-a599-165ffcc33680", &genuine.signature),
        (&genuine.key_id, ""),
        (&genuine.key_id, half),
    ] {
        let status = send(app, key_id, signature, genuine.body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{key_id} {signature}");
    }
    let endless = "x".repeat(65 * 1024);
    assert_eq!(send(app, &genuine.key_id, "", endless).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((world.row(&release).await, world.counted().await), (before, 0));
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_circle_signs_is_still_not_believed() {
    let world = World::new(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let id = world.circle().accepted()[0].id.clone();
    world.circle().end_payout(&id, Ending::Other("under_review".to_owned())).unwrap();
    // It says complete; the API does not.
    let body = json!({
        "notificationId": "6ae62bf2-bd71-49ce-a599-165ffcc33680", "notificationType": "payouts",
        "notification": { "id": id, "status": "complete" }, "version": 2,
    });
    let claim = world.circle().signed(&body.to_string()).unwrap();
    assert_eq!(deliver(&world.app, &claim).await, StatusCode::OK);
    world.app.drain().await;
    assert_eq!(world.row(&release).await.status, PaymentStatus::Confirming);
    assert_eq!(world.order(&release).await.unwrap().status.as_deref(), Some("under_review"));

    for (body, status) in [
        ("not JSON".to_owned(), StatusCode::BAD_REQUEST),
        (json!({ "notificationId": 5 }).to_string(), StatusCode::BAD_REQUEST),
        (json!({ "notificationId": "93eb8a5d-6ff0-4b9c-9a0a-8a2f4ae1f2a1" }).to_string(), StatusCode::OK),
    ] {
        let signed = world.circle().signed(&body).unwrap();
        assert_eq!(deliver(&world.app, &signed).await, status, "{body}");
    }
    world.circle().end_payout(&id, Ending::Complete).unwrap();
    world.after(60).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_becomes_active_lets_its_payouts_go_at_once() {
    let world = World::new(&[100]).await;
    let freelancer = world.deal.freelancer.address();
    world.circle().set_recipient(&freelancer, "inactive").unwrap();
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "QUEUED: the payee's address is new at Circle and rests");
    world.circle().set_recipient(&freelancer, "active").unwrap();
    let told = world.circle().notifications().unwrap().pop().unwrap();
    assert_eq!(deliver(&world.app, &told).await, StatusCode::OK);
    world.app.drain().await;
    assert_eq!(world.standing(&release).await, "CONFIRMING");
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn circle_is_told_whether_somebody_listens() {
    let app = TestApp::start().await;
    let status = send(&app, "6ae62bf2-bd71-49ce-a599-165ffcc33680", "AAAA", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "there is no Circle here");
    let head = Request::builder().method(Method::HEAD).uri("/webhooks/circle").body(Body::empty()).unwrap();
    assert_eq!(app.router.clone().oneshot(head).await.unwrap().status(), StatusCode::OK);
    let get = Request::get("/webhooks/circle").body(Body::empty()).unwrap();
    assert_eq!(app.router.clone().oneshot(get).await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    app.finish().await;
}

/// A router that lets everybody from one address ask so often, and Circle be asked for so many keys.
fn limited(app: &TestApp, requests: u32, key_lookups: u32) -> Router {
    let (requests, key_lookups) = (NonZeroU32::new(requests), NonZeroU32::new(key_lookups));
    let rate_limits = RateLimits { requests, key_lookups, ..RateLimits::unlimited() };
    let settings = HttpSettings { rate_limits, ..HttpSettings::default() };
    let ready: Readiness = Arc::new(|| Box::pin(async { Vec::new() }));
    let closing = CancellationToken::new();
    api::http::router(HttpState::new(app.app.clone(), app.schema.clone(), settings, ready, closing))
}

/// How often Circle was asked for a key.
fn lookups(proxy: &Proxy) -> usize {
    proxy.requests("GET /v2/notifications/publicKey/")
}

/// Whoever forges uses up their own budget: what Circle signed gets through all the same.
#[tokio::test(flavor = "multi_thread")]
async fn forged_notifications_keep_no_genuine_one_out() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let release = world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let genuine = world.told()[0].clone();
    let forged = world.circle().forged(&genuine).unwrap();
    let router = limited(&world.app, 3, 5);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let status = send_to(&router, &forged.key_id, &forged.signature, forged.body.clone()).await;
        statuses.push(status.as_u16());
    }
    // The first one asks for the key, too, which is taken from what they have.
    assert_eq!((statuses, lookups(&proxy)), (vec![401, 401, 429, 429, 429], 1));
    assert_eq!(world.counted().await, 0);
    let before = world.row(&release).await.look;
    for _ in 0..3 {
        let status = send_to(&router, &genuine.key_id, &genuine.signature, genuine.body.clone()).await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!((world.counted().await, world.row(&release).await.look), (1, before + 1));
    world.app.finish().await;
}

/// Made-up ids of keys make us ask Circle no more often than the limit says.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_made_up_ids_are_asked_for_within_bounds() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    world.approve(0).await;
    world.app.drain().await;
    world.after(11).await;
    let (genuine, router) = (world.told()[0].clone(), limited(&world.app, 1_000, 5));
    assert_eq!(
        send_to(&router, &genuine.key_id, &genuine.signature, genuine.body.clone()).await,
        StatusCode::OK
    );
    let mut busy = 0;
    for _ in 0..20 {
        let made_up = crate::support::new_key();
        let status = send_to(&router, &made_up, &genuine.signature, genuine.body.clone()).await;
        assert!([StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE].contains(&status), "{status}");
        busy += usize::from(status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!((lookups(&proxy), busy), (5, 16), "the genuine one's, and four more");
    assert_eq!(
        send_to(&router, &genuine.key_id, &genuine.signature, genuine.body.clone()).await,
        StatusCode::OK,
        "a key that is known is not asked for"
    );
    world.app.finish().await;
}
