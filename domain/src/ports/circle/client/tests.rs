//! The client against a Circle that says what each test wants. The real thing is in the workspace's `tests`.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{super::webhook::tests::a_key, *};
use crate::ports::circle::{PayoutStatus, RecipientStatus};

const KEY: &str = "TEST_API_KEY:0123456789abcdef:fedcba9876543210";
const PAYEE: Address = Address([0xbb; 20]);
const UUID: Uuid = Uuid::from_u128(0x8f2c_1e5a_64ee_4b0c_9a37_2f1d_0c3b_5a11);

/// A request as it came.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    authorization: String,
    body: Value,
}

/// Status, further header lines, body.
type Says = (u16, &'static str, String);

struct Scene {
    client: CircleClient,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scene {
    async fn new(circle: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &circle, &log).await;
            }
        });
        let client = CircleClient::new(CircleSettings { api_url, api_key: KEY.into() }).unwrap();
        Self { client, asked }
    }

    async fn always(status: u16, headers: &'static str, body: &Value) -> Self {
        let body = body.to_string();
        Self::new(move |_| (status, headers, body.clone())).await
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request and closes.
async fn answer(stream: TcpStream, circle: &impl Fn(&Asked) -> Says, log: &Mutex<Vec<Asked>>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length, mut first, mut authorization) =
        (String::new(), 0, String::new(), String::new());
    while stream.read_line(&mut line).await.unwrap() > 2 {
        if first.is_empty() {
            first = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => authorization = value.trim().to_owned(),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Asked { line: first, authorization, body };
    let (status, headers, body) = circle(&asked);
    log.lock().unwrap().push(asked);
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    // Who reads no further than the limit hangs up.
    let _ = stream.write_all(head.as_bytes()).await;
}

fn payout(status: &str) -> Value {
    json!({ "data": {
        "id": "p1",
        "status": status,
        "destination": { "type": "address_book", "id": "r1" },
        "amount": { "amount": "12.50", "currency": "USD" },
    }})
}

#[tokio::test]
async fn nothing_is_sent_that_cannot_be_paid() {
    let scene = Scene::always(201, "", &payout("pending")).await;
    for micro in [0, -1] {
        let refused = scene.client.payout_create(UUID, "r1", Usdc(micro)).await.unwrap_err();
        assert!(matches!(refused, CircleError::Refused { status: 0, .. }), "{refused:?}");
    }
    assert!(scene.asked().is_empty());
}

#[tokio::test]
async fn a_payout_is_asked_for_as_circle_documents_it() {
    let scene = Scene::always(201, "", &payout("pending")).await;
    let made = scene.client.payout_create(UUID, "r1", Usdc(12_500_000)).await.unwrap();
    assert_eq!((made.id.as_str(), made.status), ("p1", PayoutStatus::Pending));
    assert_eq!((made.amount, made.recipient.as_deref()), (Some(Usdc(12_500_000)), Some("r1")));
    let [asked]: [Asked; 1] = scene.asked().try_into().unwrap();
    assert_eq!(asked.line, "POST /v1/payouts");
    assert_eq!(asked.authorization, format!("Bearer {KEY}"));
    let expected = json!({
        "idempotencyKey": UUID.to_string(),
        "destination": { "type": "address_book", "id": "r1" },
        "amount": { "amount": "12.50", "currency": "USD" },
    });
    assert_eq!(asked.body, expected);

    scene.client.payout("../balances?x=1").await.unwrap();
    assert_eq!(scene.asked()[1].line, "GET /v1/payouts/..%2Fbalances%3Fx=1", "an id stays one segment");
}

#[tokio::test]
async fn an_end_is_read_with_its_reason_and_news_are_kept() {
    let mut failed = payout("failed");
    failed["data"]["errorCode"] = json!("insufficient_funds");
    failed["data"]["amount"]["currency"] = json!("EUR");
    let scene = Scene::always(200, "", &failed).await;
    let read = scene.client.payout("p1").await.unwrap();
    assert_eq!((read.status, read.error_code.as_deref()), (PayoutStatus::Failed, Some("insufficient_funds")));
    assert_eq!(read.amount, None, "euros are no dollars");

    let scene = Scene::always(200, "", &payout("under_review")).await;
    let read = scene.client.payout("p1").await.unwrap();
    assert_eq!(read.status, PayoutStatus::Other("under_review".to_owned()));
}

#[tokio::test]
async fn a_page_of_payouts_is_asked_for_as_circle_documents_it() {
    let page = json!({ "data": [payout("complete")["data"], { "id": "p2", "status": "pending" }] });
    let scene = Scene::always(200, "", &page).await;
    let made = Span { since: "2026-03-01T12:00:00.5Z".parse().unwrap(), until: None };
    let found = scene.client.payouts(made, None).await.unwrap();
    assert_eq!(found.iter().map(|payout| payout.id.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
    assert_eq!((found[0].amount, found[0].recipient.as_deref()), (Some(Usdc(12_500_000)), Some("r1")));
    assert_eq!((found[1].amount, &found[1].recipient), (None, &None));
    scene.client.payouts(made, Some("p 2&x")).await.unwrap();
    let ended = Span { until: Some("2026-03-02T12:00:00Z".parse().unwrap()), ..made };
    scene.client.payouts(ended, None).await.unwrap();
    let lines: Vec<_> = scene.asked().into_iter().map(|asked| asked.line).collect();
    let from = "from=2026-03-01T12%3A00%3A00.500Z";
    assert_eq!(
        lines,
        [
            format!("GET /v1/payouts?{from}&pageSize=50"),
            format!("GET /v1/payouts?pageAfter=p+2%26x&{from}&pageSize=50"),
            format!("GET /v1/payouts?{from}&to=2026-03-02T12%3A00%3A00.000Z&pageSize=50"),
        ]
    );
    for odd in [json!({ "data": {} }), json!([]), json!({ "data": [{ "id": "p1" }] })] {
        let error = Scene::always(200, "", &odd).await.client.payouts(made, None).await.unwrap_err();
        assert!(matches!(error, CircleError::Transient { .. }), "{odd}: {error}");
    }
}

/// Circle's pages show it as text and as a number, and leave it out as long as it is not known.
#[tokio::test]
async fn a_fee_is_read_in_whatever_form_and_never_in_the_way() {
    for (fees, fee) in [
        (json!({ "amount": "0.25", "currency": "USD" }), Some(250_000)),
        (json!({ "amount": 3.0, "currency": "USD" }), Some(3_000_000)),
        (json!({ "amount": 3, "currency": "USD" }), Some(3_000_000)),
        (json!({ "amount": "0.00", "currency": "USD" }), Some(0)),
        (json!({ "amount": "0.25", "currency": "ETH" }), None),
        (json!({ "amount": "much", "currency": "USD" }), None),
        (json!({ "amount": null }), None),
        (json!({}), None),
        (json!("0.25"), None),
        (Value::Null, None),
    ] {
        let mut body = payout("complete");
        body["data"]["fees"] = fees.clone();
        let read = Scene::always(200, "", &body).await.client.payout("p1").await.unwrap();
        assert_eq!(read.fee, fee.map(Usdc), "{fees}");
    }
    let read = Scene::always(200, "", &payout("pending")).await.client.payout("p1").await.unwrap();
    assert_eq!(read.fee, None);
}

#[tokio::test]
async fn an_address_that_is_in_the_book_already_is_found_there() {
    let entry = |id: &str, chain: &str, address: &str, status: &str| json!({ "id": id, "chain": chain, "address": address, "status": status });
    let mine = PAYEE.to_string().to_lowercase();
    let list = json!({ "data": [
        entry("other", "ETH", "0x1111111111111111111111111111111111111111", "active"),
        entry("elsewhere", "BASE", &mine, "active"),
        entry("r1", "ETH", &mine, "inactive"),
    ]});
    let scene = Scene::new(move |asked| match asked.line.starts_with("POST") {
        true => (409, "", json!({ "code": 2, "message": "exists" }).to_string()),
        false => (200, "", list.to_string()),
    })
    .await;
    let found = scene.client.recipient_create(UUID, "ETH", PAYEE).await.unwrap();
    assert_eq!(found, Recipient { id: "r1".to_owned(), status: RecipientStatus::Inactive });
    let asked = scene.asked();
    let expected = json!({ "idempotencyKey": UUID, "chain": "ETH", "address": PAYEE.to_string() });
    assert_eq!(asked[0].body, expected);
    assert!(asked[1].line.contains("chain=ETH") && asked[1].line.contains("address=0x"), "{}", asked[1].line);
    let missing = scene.client.recipient_create(UUID, "OP", PAYEE).await.unwrap_err();
    assert!(matches!(missing, CircleError::Refused { status: 409, code: 2, .. }), "{missing}");
}

#[tokio::test]
async fn the_balance_is_what_is_available_in_dollars() {
    let balances = json!({ "data": {
        "available": [
            { "amount": "0.01540290", "currency": "BTC" },
            { "amount": "221158440.75", "currency": "USD" },
        ],
        "unsettled": [{ "amount": "5.00", "currency": "USD" }],
    }});
    assert_eq!(Scene::always(200, "", &balances).await.client.balance().await, Ok(Usdc(221_158_440_750_000)));
    let none = json!({ "data": { "available": [], "unsettled": [] } });
    assert_eq!(Scene::always(200, "", &none).await.client.balance().await, Ok(Usdc::ZERO));
    let odd = json!({ "data": { "available": [{ "amount": "many", "currency": "USD" }] } });
    assert!(Scene::always(200, "", &odd).await.client.balance().await.is_err());
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_will_not() {
    let refuse = |status: u16, headers: &'static str, body: Value| async move {
        Scene::always(status, headers, &body).await.client.payout("p1").await.unwrap_err()
    };
    let says = |code: i64| json!({ "code": code, "message": "so" });
    let limited = refuse(429, "retry-after: 17\r\n", says(-1)).await;
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(17)));
    let patient = refuse(503, "retry-after: 999999\r\n", says(0)).await;
    assert_eq!(patient.retry_after(), Some(Duration::from_secs(LONGEST_PAUSE)));
    for passing in [
        refuse(500, "", says(-1)).await,
        refuse(502, "retry-after: soon\r\n", json!("a proxy")).await,
        refuse(429, "", Value::Null).await,
        refuse(408, "", says(0)).await,
        refuse(400, "", says(-1)).await,
    ] {
        assert!(matches!(passing, CircleError::Transient { retry_after: None, .. }), "{passing}");
    }
    for (status, code) in [(400, 2), (401, 1), (403, 3), (404, 2), (409, 1083)] {
        let expected = CircleError::Refused { status, code, message: "so".to_owned() };
        assert_eq!(refuse(status, "", says(code)).await, expected);
    }
    let detailed = json!({ "code": 2, "message": "Invalid entity.", "errors": [
        { "error": "min_value", "message": "too little", "location": "amount", "invalidValue": 0 },
    ]});
    let CircleError::Refused { message, .. } = refuse(400, "", detailed).await else { panic!() };
    assert_eq!(message, "Invalid entity. amount: too little");
    let bare = CircleError::Refused { status: 418, code: 0, message: String::new() };
    assert_eq!(refuse(418, "", json!("no object")).await, bare);
    assert!(matches!(refuse(200, "", json!({ "id": "p1" })).await, CircleError::Transient { .. }));
}

#[tokio::test]
async fn the_key_follows_nobody_and_is_in_no_error() {
    let elsewhere = Scene::always(200, "", &payout("complete")).await;
    let place = format!("location: {}v1/payouts/p1\r\n", elsewhere.client.url);
    let scene = Scene::always(307, Box::leak(place.into_boxed_str()), &Value::Null).await;
    let error = scene.client.payout("p1").await.unwrap_err();
    assert!(matches!(error, CircleError::Refused { status: 307, .. }), "{error}");
    assert!(elsewhere.asked().is_empty());

    let echo = json!({ "code": 1, "message": format!("bad\nkey {KEY}") });
    let error = Scene::always(401, "", &echo).await.client.balance().await.unwrap_err();
    assert_eq!(error, CircleError::Refused { status: 401, code: 1, message: "bad key ***".to_owned() });
    let settings = CircleSettings { api_url: "https://api.circle.com".parse().unwrap(), api_key: KEY.into() };
    assert!(!format!("{settings:?}").contains("0123456789abcdef"));
    let settings = CircleSettings { api_key: "two\nlines".into(), ..settings };
    assert!(!CircleClient::new(settings).err().unwrap().to_string().contains("lines"));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_it() {
    let endless = json!({ "data": "x".repeat(ANSWER_LIMIT) });
    let error = Scene::always(200, "", &endless).await.client.balance().await.unwrap_err();
    let CircleError::Transient { reason, .. } = error else { panic!("{error}") };
    assert!(reason.contains("larger"), "{reason}");
}

#[tokio::test]
async fn nobody_there_is_transient_and_names_no_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let api_url = format!("http://{address}").parse().unwrap();
    let client = CircleClient::new(CircleSettings { api_url, api_key: KEY.into() }).unwrap();
    let error = client.balance().await.unwrap_err();
    assert_eq!(error, transient("no connection".to_owned()));
}

#[tokio::test]
async fn a_key_of_another_kind_is_refused() {
    let key = |algorithm: &str, key: &str| json!({ "data": { "id": UUID, "algorithm": algorithm, "publicKey": key, "createDate": "x" } });
    let text = a_key();
    let scene = Scene::always(200, "", &key("ECDSA_SHA_256", &text)).await;
    assert_eq!(scene.client.public_key(UUID).await, Ok(PublicKey::parse(&text).unwrap()));
    assert_eq!(scene.asked()[0].line, format!("GET /v2/notifications/publicKey/{UUID}"));
    assert_eq!(scene.client.public_key(UUID).await, Ok(PublicKey::parse(&text).unwrap()));
    assert_eq!(scene.asked().len(), 1, "a key is asked for once");
    for wrong in [key("RSA_SHA_256", &text), key("ECDSA_SHA_256", "AAAA")] {
        let error = Scene::always(200, "", &wrong).await.client.public_key(UUID).await.unwrap_err();
        assert!(matches!(error, CircleError::Refused { .. }), "{error}");
    }
}
