//! Circle, driven over HTTP as a client does, with a clock that stands still unless moved.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sandbox::circle::{Circle, CircleConfig, CircleError, Ending, Fault, Notification};
use serde_json::{Value, json};

const API_KEY: &str = "TEST_API_KEY:1:2";
const PAYEE: &str = "0x65BFCf1a6289a0b77b4D3F7d12005a05949FD8C3";
const RECIPIENT_KEY: &str = "9352ec9e-5ee6-441f-ab42-186bc71fbdde";
const PAYOUT_KEY: &str = "ba943ff1-ca16-49b2-ba55-1057e70ca5c7";
const OTHER_KEY: &str = "6ae62bf2-bd71-49ce-a599-165ffcc33680";

struct Account {
    circle: Circle,
    http: reqwest::Client,
    clock: Arc<AtomicU64>,
}

async fn open(folder: Option<&Path>, takes: Option<Duration>) -> Account {
    let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
    let ticking = Arc::clone(&clock);
    let circle = Circle::start(CircleConfig {
        data_dir: folder.map(Path::to_owned),
        listen: ([127, 0, 0, 1], 0).into(),
        api_key: API_KEY.to_owned(),
        balance: 100_000_000,
        screening: takes,
        paying: takes,
        webhook: None,
        clock: Arc::new(move || ticking.load(Ordering::Relaxed)),
    })
    .await
    .unwrap();
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Account { circle, http: reqwest::Client::new(), clock }
}

/// Screening and paying take a minute each.
async fn start() -> Account {
    open(None, Some(Duration::from_secs(60))).await
}

impl Account {
    fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let asked = self.http.get(format!("{}{path}", self.circle.url())).bearer_auth(API_KEY);
        let answer = asked.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// The same of an answer that need not be JSON.
    async fn status_of(&self, path: &str) -> StatusCode {
        let asked = self.http.get(format!("{}{path}", self.circle.url())).bearer_auth(API_KEY);
        asked.send().await.unwrap().status()
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let asked = self.http.post(format!("{}{path}", self.circle.url())).bearer_auth(API_KEY);
        let answer = asked.json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn add(&self, address: &str, key: &str) -> (StatusCode, Value) {
        let body = json!({ "idempotencyKey": key, "chain": "ETH", "address": address });
        self.post("/v1/addressBook/recipients", &body).await
    }

    /// The id of an active recipient.
    async fn recipient(&self) -> String {
        let (status, made) = self.add(PAYEE, RECIPIENT_KEY).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        self.circle.set_recipient(PAYEE, "active").unwrap();
        made["data"]["id"].as_str().unwrap().to_owned()
    }

    async fn pay(&self, recipient: &str, amount: &str, key: &str) -> (StatusCode, Value) {
        self.post("/v1/payouts", &payout(recipient, amount, key)).await
    }

    async fn payout(&self, id: &Value) -> Value {
        let (status, found) = self.get(&format!("/v1/payouts/{}", id.as_str().unwrap())).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        found["data"].clone()
    }

    async fn balance(&self) -> String {
        let (_, found) = self.get("/v1/businessAccount/balances").await;
        found["data"]["available"][0]["amount"].as_str().unwrap().to_owned()
    }
}

fn payout(recipient: &str, amount: &str, key: &str) -> Value {
    json!({
        "idempotencyKey": key,
        "destination": { "type": "address_book", "id": recipient },
        "amount": { "amount": amount, "currency": "USD" },
    })
}

#[tokio::test]
async fn a_recipient_is_screened_and_then_paid() {
    let account = start().await;
    let (_, made) = account.add(PAYEE, RECIPIENT_KEY).await;
    let recipient = made["data"]["id"].as_str().unwrap();
    assert_eq!(made["data"]["status"], "pending");
    assert_eq!(made["data"]["address"], PAYEE.to_lowercase());
    assert_eq!(made["data"]["createDate"], "2027-01-15T08:00:00.000000Z");
    let (status, refused) = account.pay(recipient, "12.50", PAYOUT_KEY).await;
    assert_eq!((status, &refused["code"]), (StatusCode::BAD_REQUEST, &json!(2)), "not active yet");

    account.advance(60);
    let (_, found) = account.get(&format!("/v1/addressBook/recipients/{recipient}")).await;
    assert_eq!(found["data"]["status"], "active");
    let (_, listed) = account.get(&format!("/v1/addressBook/recipients?chain=ETH&address={PAYEE}")).await;
    assert_eq!(listed["data"], json!([found["data"]]));
    assert_eq!(account.get("/v1/addressBook/recipients?chain=OP").await.1["data"], json!([]));

    let (status, made) = account.pay(recipient, "12.50", PAYOUT_KEY).await;
    assert_eq!((status, &made["data"]["status"]), (StatusCode::CREATED, &json!("pending")));
    assert_eq!(account.balance().await, "87.50");
    account.advance(60);
    let paid = account.payout(&made["data"]["id"]).await;
    assert_eq!((&paid["status"], &paid["amount"]["amount"]), (&json!("complete"), &json!("12.50")));
    assert_eq!(account.balance().await, "87.50");
    let accepted = account.circle.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!((accepted[0].amount, accepted[0].recipient.as_str()), (12_500_000, &*PAYEE.to_lowercase()));
    assert_eq!((accepted[0].idempotency_key.as_str(), &*accepted[0].status), (PAYOUT_KEY, "complete"));
}

#[tokio::test]
async fn a_key_is_bound_to_its_first_body() {
    let account = start().await;
    let recipient = account.recipient().await;
    let (_, first) = account.pay(&recipient, "10.00", PAYOUT_KEY).await;
    let (status, again) = account.pay(&recipient, "10", PAYOUT_KEY).await;
    assert_eq!((status, &again["data"]["id"]), (StatusCode::CREATED, &first["data"]["id"]));
    let (status, other) = account.pay(&recipient, "10.01", PAYOUT_KEY).await;
    assert_eq!((status, &other["code"]), (StatusCode::CONFLICT, &json!(1083)));
    assert_eq!((account.circle.accepted().len(), account.balance().await.as_str()), (1, "90.00"));

    let (_, known) = account.add(PAYEE, RECIPIENT_KEY).await;
    assert_eq!(known["data"]["id"], json!(recipient), "the same key gives the same entry");
    let elsewhere = "0x1111111111111111111111111111111111111111";
    let (status, other) = account.add(elsewhere, RECIPIENT_KEY).await;
    assert_eq!((status, &other["code"]), (StatusCode::CONFLICT, &json!(1083)));
    assert_eq!(account.add(PAYEE, OTHER_KEY).await.0, StatusCode::CONFLICT, "in the book under another key");
}

#[tokio::test]
async fn what_fails_gives_the_money_back() {
    let account = start().await;
    let recipient = account.recipient().await;
    let (_, poor) = account.pay(&recipient, "100.01", PAYOUT_KEY).await;
    assert_eq!((&poor["data"]["status"], account.balance().await.as_str()), (&json!("pending"), "100.00"));
    account.circle.fail_next("transaction_denied").unwrap();
    let (_, denied) = account.pay(&recipient, "40.00", OTHER_KEY).await;
    assert_eq!(account.balance().await, "60.00");
    account.advance(60);
    assert_eq!(account.payout(&poor["data"]["id"]).await["errorCode"], "insufficient_funds");
    let denied = account.payout(&denied["data"]["id"]).await;
    assert_eq!((&denied["status"], &denied["errorCode"]), (&json!("failed"), &json!("transaction_denied")));
    assert_eq!(account.balance().await, "100.00");
    assert_eq!(account.circle.balance(), 100_000_000);
    account.circle.fund(-30_000_000).unwrap();
    assert_eq!(account.balance().await, "70.00");
}

#[tokio::test]
async fn everything_can_be_ended_by_hand() {
    let account = open(None, None).await;
    account.circle.set_recipient(PAYEE, "denied").unwrap();
    let (_, made) = account.add(PAYEE, RECIPIENT_KEY).await;
    assert_eq!(made["data"]["status"], "pending");
    account.advance(1_000_000);
    account.circle.settle().unwrap();
    account.circle.set_recipient(PAYEE, "active").unwrap();
    let recipient = made["data"]["id"].as_str().unwrap();
    let (_, made) = account.pay(recipient, "1.00", PAYOUT_KEY).await;
    let id = made["data"]["id"].as_str().unwrap();
    account.circle.end_payout(id, Ending::Other("under_review".to_owned())).unwrap();
    assert_eq!(account.payout(&made["data"]["id"]).await["status"], "under_review");
    account.circle.end_payout(id, Ending::Complete).unwrap();
    account.circle.end_payout(id, Ending::Failed("transaction_failed".to_owned())).unwrap();
    assert_eq!(account.payout(&made["data"]["id"]).await["status"], "complete", "an end is an end");
    let unknown = account.circle.end_payout("nobody", Ending::Complete);
    assert!(matches!(unknown, Err(CircleError::Unknown(_))), "{unknown:?}");

    let denied = "0x2222222222222222222222222222222222222222";
    let screened = open(None, Some(Duration::ZERO)).await;
    screened.circle.set_recipient(denied, "denied").unwrap();
    let (_, made) = screened.add(denied, RECIPIENT_KEY).await;
    let path = format!("/v1/addressBook/recipients/{}", made["data"]["id"].as_str().unwrap());
    assert_eq!(screened.get(&path).await.1["data"]["status"], "denied");
}

#[tokio::test]
async fn nonsense_and_strangers_are_refused() {
    let account = start().await;
    let recipient = account.recipient().await;
    let url = format!("{}/v1/businessAccount/balances", account.circle.url());
    for stranger in [account.http.get(&url), account.http.get(&url).bearer_auth("TEST_API_KEY:1:3")] {
        let answer = stranger.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], 1);
    }
    let mut euros = payout(&recipient, "1.00", PAYOUT_KEY);
    euros["amount"]["currency"] = json!("EUR");
    let mut wire = payout(&recipient, "1.00", PAYOUT_KEY);
    wire["destination"]["type"] = json!("wire");
    let wrong = [
        payout(&recipient, "0.00", PAYOUT_KEY),
        payout(&recipient, "-1.00", PAYOUT_KEY),
        payout(&recipient, "1.0000001", PAYOUT_KEY),
        payout(&recipient, "1.00", "key"),
        payout(&recipient, "1.00", "01890a5d-ac96-774b-bcce-b302099a8057"),
        payout("nobody", "1.00", PAYOUT_KEY),
        euros,
        wire,
        json!({ "amount": 1 }),
        json!("nothing"),
    ];
    for body in wrong {
        let (status, refused) = account.post("/v1/payouts", &body).await;
        assert_eq!((status, &refused["code"]), (StatusCode::BAD_REQUEST, &json!(2)), "{body}: {refused}");
        assert!(refused["errors"][0]["message"].is_string(), "{refused}");
    }
    assert!(account.circle.accepted().is_empty());
    for path in ["/v1/payouts/nobody", "/v1/addressBook/recipients/nobody", "/v1/else"] {
        assert_eq!(account.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for address in ["", "0x12", "65BFCf1a6289a0b77b4D3F7d12005a05949FD8C3ff"] {
        assert_eq!(account.add(address, OTHER_KEY).await.0, StatusCode::BAD_REQUEST, "{address}");
    }
}

#[tokio::test]
async fn a_cut_answer_leaves_one_effect() {
    let account = start().await;
    let recipient = account.recipient().await;
    let url = format!("{}/v1/payouts", account.circle.url());
    let body = payout(&recipient, "5.00", PAYOUT_KEY);
    account.circle.set_fault(Some(Fault::CutAfterPayout));
    let ask = || account.http.post(&url).bearer_auth(API_KEY).json(&body);
    for _ in 0..2 {
        let answer = ask().send().await;
        let read = match answer {
            Ok(answer) => answer.bytes().await.map(drop),
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "the client cannot know");
    }
    account.circle.set_fault(Some(Fault::SlowAfterPayout(Duration::from_secs(30))));
    let impatient = ask().timeout(Duration::from_millis(200)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    account.circle.set_fault(None);
    let (_, made) = account.pay(&recipient, "5.00", PAYOUT_KEY).await;
    assert_eq!(account.circle.accepted().len(), 1);
    assert_eq!(made["data"]["id"], account.circle.accepted()[0].id);
}

#[tokio::test]
async fn a_busy_or_broken_circle_does_nothing() {
    let account = start().await;
    let recipient = account.recipient().await;
    account.circle.set_fault(Some(Fault::RateLimited(17)));
    let url = format!("{}/v1/payouts", account.circle.url());
    let asked = account.http.post(&url).bearer_auth(API_KEY).json(&payout(&recipient, "5.00", PAYOUT_KEY));
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "17");
    account.circle.set_fault(Some(Fault::Broken));
    let (status, broken) = account.pay(&recipient, "5.00", PAYOUT_KEY).await;
    assert_eq!((status, &broken["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!(-1)));
    assert!(account.circle.accepted().is_empty());
}

/// The key that Circle gives out for a notification.
async fn key_of(account: &Account, notification: &Notification) -> Vec<u8> {
    let (_, key) = account.get(&format!("/v2/notifications/publicKey/{}", notification.key_id)).await;
    assert_eq!(key["data"]["algorithm"], "ECDSA_SHA_256");
    STANDARD.decode(key["data"]["publicKey"].as_str().unwrap()).unwrap()
}

fn signed(spki: &[u8], notification: &Notification) -> bool {
    let signature = STANDARD.decode(&notification.signature).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &spki[26..]);
    key.verify(notification.body.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn notifications_are_signed_and_posted_until_they_are_taken() {
    let account = start().await;
    let recipient = account.recipient().await;
    account.pay(&recipient, "5.00", PAYOUT_KEY).await;
    account.advance(60);
    account.circle.settle().unwrap();
    let made = account.circle.notifications().unwrap();
    let bodies: Vec<Value> = made.iter().map(|made| serde_json::from_str(&made.body).unwrap()).collect();
    let told: Vec<_> = bodies
        .iter()
        .map(|body| {
            (body["notificationType"].as_str().unwrap(), body["notification"]["status"].as_str().unwrap())
        })
        .collect();
    assert_eq!(told, [("addressBookRecipients", "active"), ("payouts", "pending"), ("payouts", "complete")]);
    assert!(bodies.iter().zip(&made).all(|(body, made)| body["notificationId"] == made.id));
    let spki = key_of(&account, &made[0]).await;
    assert!(made.iter().all(|made| signed(&spki, made)));
    let forged = account.circle.forged(&made[2]).unwrap();
    assert!(!signed(&spki, &forged) && forged.key_id == made[2].key_id && forged.body == made[2].body);

    // The hook refuses the first delivery.
    type Taken = Arc<Mutex<Vec<(String, String)>>>;
    let taken = Taken::default();
    let log = Arc::clone(&taken);
    let hook = axum::Router::new().route(
        "/hook",
        axum::routing::post(async move |headers: HeaderMap, body: String| {
            let mut log = log.lock().unwrap();
            log.push((headers["x-circle-signature"].to_str().unwrap().to_owned(), body));
            if log.len() == 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, hook).await });
    assert!(matches!(account.circle.deliver(&made[0]).await, Err(CircleError::Webhook(_))), "no hook yet");
    account.circle.set_webhook(Some(url));
    let all = async {
        while taken.lock().unwrap().len() < 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.unwrap();
    let order: Vec<String> = taken.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    let expected = [&made[0].body, &made[0].body, &made[1].body, &made[2].body];
    assert!(order.iter().zip(expected).all(|(got, wanted)| got == wanted), "{order:?}");
    // A duplicate, as soon as somebody wants one.
    assert_eq!(account.circle.deliver(&made[1]).await.unwrap(), 200);
    assert_eq!(taken.lock().unwrap()[4].1, made[1].body);
}

#[tokio::test]
async fn what_was_accepted_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let takes = Some(Duration::from_secs(60));
    let before = open(Some(folder.path()), takes).await;
    let recipient = before.recipient().await;
    let (_, made) = before.pay(&recipient, "5.00", PAYOUT_KEY).await;
    let first = before.circle.notifications().unwrap()[0].clone();
    let spki = key_of(&before, &first).await;
    before.circle.shutdown().await;
    drop(before);

    let after = open(Some(folder.path()), takes).await;
    assert_eq!(after.circle.balance(), 95_000_000);
    let (_, again) = after.pay(&recipient, "5.00", PAYOUT_KEY).await;
    assert_eq!(again["data"]["id"], made["data"]["id"]);
    assert_eq!(after.circle.accepted().len(), 1);
    assert_eq!(key_of(&after, &first).await, spki, "the key stays");
    after.advance(60);
    assert_eq!(after.payout(&made["data"]["id"]).await["status"], "complete");
}

/// The ids on a page of the list.
async fn listed(account: &Account, query: &str) -> Vec<String> {
    let (status, page) = account.get(&format!("/v1/payouts?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{query}: {page}");
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn payouts_are_listed_newest_first_and_page_by_page() {
    let account = start().await;
    let recipient = account.recipient().await;
    assert!(listed(&account, "").await.is_empty());
    let mut ids = Vec::new();
    for (seconds, key) in [(0, PAYOUT_KEY), (10, OTHER_KEY), (0, RECIPIENT_KEY)] {
        account.advance(seconds);
        let (_, made) = account.pay(&recipient, "1.00", key).await;
        ids.insert(0, made["data"]["id"].as_str().unwrap().to_owned());
    }
    let [third, second, first] = <[String; 3]>::try_from(ids.clone()).unwrap();
    assert_eq!(listed(&account, "").await, ids);
    assert_eq!(listed(&account, &format!("destination={recipient}&status=pending&pageSize=50")).await, ids);
    for (query, wanted) in [
        ("destination=nobody".to_owned(), vec![]),
        ("status=complete".to_owned(), vec![]),
        ("pageSize=2".to_owned(), vec![&third, &second]),
        (format!("pageSize=2&pageAfter={second}"), vec![&first]),
        (format!("pageAfter={first}"), vec![]),
        (format!("pageSize=1&pageBefore={first}"), vec![&second]),
        (format!("pageBefore={third}"), vec![]),
        // Both ends count.
        ("from=2027-01-15T08:00:10.000Z".to_owned(), vec![&third, &second]),
        ("from=2027-01-15T08:00:10.001Z".to_owned(), vec![]),
        ("to=2027-01-15T08:00:09.999Z".to_owned(), vec![&first]),
        ("from=2027-01-15T08:00:00Z&to=2027-01-15T08:00:00Z".to_owned(), vec![&first]),
    ] {
        assert_eq!(listed(&account, &query).await.iter().collect::<Vec<_>>(), wanted, "{query}");
    }
    let (_, found) = account.get("/v1/payouts").await;
    assert_eq!(found["data"][0], account.payout(&json!(third)).await, "as it is found by its id");
    for wrong in
        ["from=yesterday", "to=1", "pageSize=0", "pageSize=x", "pageAfter=nobody", "pageBefore=nobody"]
    {
        let status = account.status_of(&format!("/v1/payouts?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    // However many a client wants.
    account.circle.set_page(1);
    assert_eq!(listed(&account, "pageSize=50").await, std::slice::from_ref(&third));
    assert_eq!(listed(&account, &format!("pageSize=50&pageAfter={third}")).await, [second]);
}

#[tokio::test]
async fn a_fee_is_taken_and_told_when_the_payout_is_complete() {
    let account = start().await;
    let recipient = account.recipient().await;
    account.circle.set_fee(250_000).unwrap();
    let (_, made) = account.pay(&recipient, "12.50", PAYOUT_KEY).await;
    assert_eq!((&made["data"]["fees"], account.balance().await.as_str()), (&Value::Null, "87.50"));
    account.circle.fail_next("transaction_denied").unwrap();
    let (_, denied) = account.pay(&recipient, "1.00", OTHER_KEY).await;
    account.advance(60);
    let paid = account.payout(&made["data"]["id"]).await;
    assert_eq!(paid["fees"], json!({ "amount": "0.25", "currency": "USD" }));
    assert_eq!(paid["amount"]["amount"], "12.50", "the payee gets all of it");
    assert_eq!(account.payout(&denied["data"]["id"]).await["fees"], Value::Null);
    assert_eq!(account.balance().await, "87.25");
    assert_eq!(account.payout(&made["data"]["id"]).await["fees"]["amount"], "0.25", "once");
    assert_eq!(account.balance().await, "87.25");
}

#[tokio::test]
async fn a_payout_that_is_forgotten_has_never_been() {
    let account = start().await;
    let recipient = account.recipient().await;
    account.circle.set_fee(250_000).unwrap();
    let (_, made) = account.pay(&recipient, "10.00", PAYOUT_KEY).await;
    account.advance(60);
    assert_eq!(account.balance().await, "89.75");
    let id = made["data"]["id"].as_str().unwrap();
    account.circle.forget_payout(id).unwrap();
    assert_eq!(account.balance().await, "100.00");
    assert!(listed(&account, "").await.is_empty() && account.circle.accepted().is_empty());
    assert_eq!(account.get(&format!("/v1/payouts/{id}")).await.0, StatusCode::NOT_FOUND);
    assert!(matches!(account.circle.forget_payout(id), Err(CircleError::Unknown(_))));
    let (_, anew) = account.pay(&recipient, "10.00", PAYOUT_KEY).await;
    assert_ne!(anew["data"]["id"], made["data"]["id"], "its key is free");
}

#[tokio::test]
async fn only_loopback_is_served() {
    let config = CircleConfig {
        data_dir: None,
        listen: ([0, 0, 0, 0], 0).into(),
        api_key: String::new(),
        balance: 0,
        screening: None,
        paying: None,
        webhook: None,
        clock: Arc::new(|| 0),
    };
    assert!(matches!(Circle::start(config).await, Err(CircleError::NotLoopback(_))));
}
