//! Subscriptions, as a client of `graphql-transport-ws` speaks them.

use std::time::Duration;

use domain::notification::{self, Notice};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest as _};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;
use crate::support::{Someone, ok};

const PROTOCOL: &str = "graphql-transport-ws";
const NOTIFICATIONS: &str = "subscription { notificationReceived { id } }";

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The socket, or the status that refused it.
    async fn open(at: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{at}/graphql/ws").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn plain(at: SocketAddr) -> Self {
        Self::open(at, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap()
    }

    async fn greeted(at: SocketAddr, who: Option<&Someone>) -> Self {
        let mut socket = Self::plain(at).await;
        let payload = who.map(|who| json!({ "Authorization": format!("Bearer {}", who.token) }));
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(subscribe(id, query)).await;
    }

    /// The next message, or `{"close": code}`.
    async fn hear(&mut self) -> Value {
        loop {
            match timeout(Duration::from_secs(15), self.0.next()).await.expect("in time") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(frame))) => {
                    return json!({ "close": frame.map(|frame| u16::from(frame.code)) });
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

/// Tells somebody something, as a service does.
async fn tell(app: &TestApp, to: &Someone, event: &str) {
    let notice = Notice::AccountNewSignIn { client: "a test".to_owned() };
    let tx = app.app.db.begin().await.unwrap();
    notification::notify(&app.app, &tx, to.id.parse().unwrap(), notice, event).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn notifications_reach_their_reader_alone() {
    let app = TestApp::start().await;
    let (reader, other) = (app.register("rita", "CLIENT").await, app.register("otto", "CLIENT").await);
    let at = serve(app.router.clone()).await;
    let mut socket = Socket::greeted(at, Some(&reader)).await;
    socket.subscribe("1", "subscription { notificationReceived { id title } }").await;
    let mut stranger = Socket::greeted(at, Some(&other)).await;
    stranger.subscribe("1", NOTIFICATIONS).await;
    // The protocol does not confirm a subscription.
    tokio::time::sleep(Duration::from_millis(400)).await;
    tell(&app, &reader, "one").await;
    let heard = socket.hear().await;
    assert_eq!((&heard["type"], &heard["id"]), (&json!("next"), &json!("1")), "{heard}");
    assert!(heard["payload"]["data"]["notificationReceived"]["title"].is_string(), "{heard}");
    let nothing = timeout(Duration::from_millis(800), stranger.hear()).await;
    assert!(nothing.is_err(), "{nothing:?}");

    let mut nobody = Socket::greeted(at, None).await;
    nobody.subscribe("1", NOTIFICATIONS).await;
    assert!(nobody.hear().await.to_string().contains("UNAUTHENTICATED"));
    app.finish().await;
}

#[tokio::test]
async fn a_revoked_session_hears_nothing_more() {
    let app = TestApp::start().await;
    let reader = app.register("rosa", "CLIENT").await;
    let at = serve(app.router.clone()).await;
    let mut socket = Socket::greeted(at, Some(&reader)).await;
    socket.subscribe("1", NOTIFICATIONS).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    tell(&app, &reader, "one").await;
    assert_eq!(socket.hear().await["type"], "next");
    let revoke =
        "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) { userErrors { code } } }";
    ok(app.mutate(&reader.token, revoke, json!({})).await);
    tell(&app, &reader, "two").await;
    assert_eq!(socket.hear().await, json!({ "close": 4403 }));
    app.finish().await;
}

#[tokio::test]
async fn a_revoked_session_does_nothing_more() {
    let app = TestApp::start().await;
    let writer = app.register("wanda", "CLIENT").await;
    let mut socket = Socket::greeted(serve(app.router.clone()).await, Some(&writer)).await;
    let change =
        |bio: &str| format!("mutation {{ profileUpdate(input: {{ bio: \"{bio}\" }}) {{ user {{ bio }} }} }}");
    socket.subscribe("1", &change("before")).await;
    assert_eq!(socket.hear().await["payload"]["data"]["profileUpdate"]["user"]["bio"], "before");
    assert_eq!(socket.hear().await["type"], "complete");
    let revoke =
        "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) { userErrors { code } } }";
    ok(app.mutate(&writer.token, revoke, json!({})).await);
    socket.subscribe("2", &change("after")).await;
    assert_eq!(socket.hear().await, json!({ "close": 4403 }));
    let query = "query($id: ID!) { user(id: $id) { bio } }";
    let seen = app.gql("", query, json!({ "id": writer.id })).await;
    assert_eq!(seen["data"]["user"]["bio"], "before", "{seen}");
    app.finish().await;
}

#[tokio::test]
async fn operations() {
    let app = TestApp::start().await;
    let mut socket = Socket::greeted(serve(app.router.clone()).await, None).await;
    socket.subscribe("1", "{ __typename }").await;
    assert_eq!(socket.hear().await["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(socket.hear().await, json!({ "type": "complete", "id": "1" }));
    let wide = format!("{{ {} }}", "__typename ".repeat(21));
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (wide.as_str(), "COST_EXCEEDED"),
    ] {
        socket.subscribe("2", query).await;
        let heard = socket.hear().await;
        assert_eq!(
            (&heard["type"], &heard["payload"][0]["extensions"]["code"]),
            (&json!("error"), &json!(code))
        );
    }
    // A value that cannot be read has its code here as well.
    socket.subscribe("3", "{ node(id: \"nothing\") { id } }").await;
    assert_eq!(socket.hear().await["payload"]["errors"][0]["extensions"]["code"], "INVALID_ID");
    socket.hear().await;
    socket.subscribe("4", "{ quote(input: { amount: { amount: 1.5 } }) { fee { amount } } }").await;
    let heard = socket.hear().await.to_string();
    assert!(
        heard.contains("\"code\":\"BAD_USER_INPUT\"") || heard.contains("\"code\":\"GRAPHQL_"),
        "{heard}"
    );
    if heard.contains("\"next\"") {
        socket.hear().await;
    }
    socket.say(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "payload": { "n": 1 } }));
    app.finish().await;
}

#[tokio::test]
async fn a_connection_has_room_for_so_many() {
    let app = TestApp::start().await;
    let reader = app.register("rudi", "CLIENT").await;
    let mut socket = Socket::greeted(serve(app.router.clone()).await, Some(&reader)).await;
    for n in 0..50 {
        socket.subscribe(&format!("n{n}"), NOTIFICATIONS).await;
    }
    socket.subscribe("one more", NOTIFICATIONS).await;
    let heard = socket.hear().await;
    assert_eq!(heard["payload"][0]["extensions"]["code"], "LIMIT_REACHED", "{heard}");
    socket.say(json!({ "type": "complete", "id": "n7" })).await;
    socket.subscribe("n7", "{ __typename }").await;
    assert_eq!(socket.hear().await["type"], "next", "a completed id is free again");
    app.finish().await;
}

#[tokio::test]
async fn closings() {
    let app = TestApp::start().await;
    let (router, closing) = router(&app, HttpSettings::default(), &[]);
    let at = serve(router).await;
    let init = json!({ "type": "connection_init" });
    let bearer = |value: &str| json!({ "type": "connection_init", "payload": { "authorization": value } });
    let query = subscribe("1", "{ __typename }");
    for (messages, code) in [
        (vec![query], 4401),
        (vec![init.clone(), init.clone()], 4429),
        (vec![bearer("Bearer nonsense")], 4403),
        (vec![bearer("nonsense")], 4403),
        (vec![json!({ "type": "nonsense" })], 4400),
        (vec![init, subscribe("", "{ __typename }")], 4400),
        (vec![], 4408),
    ] {
        let mut socket = Socket::plain(at).await;
        for message in &messages {
            socket.say(message.clone()).await;
        }
        let mut heard = socket.hear().await;
        if heard["type"] == "connection_ack" {
            heard = socket.hear().await;
        }
        assert_eq!(heard, json!({ "close": code }), "{messages:?}");
    }
    let reader = app.register("rick", "CLIENT").await;
    let mut socket = Socket::greeted(at, Some(&reader)).await;
    socket.subscribe("1", NOTIFICATIONS).await;
    socket.subscribe("1", NOTIFICATIONS).await;
    assert_eq!(socket.hear().await, json!({ "close": 4409 }));
    let mut socket = Socket::open(at, &[]).await.unwrap();
    assert_eq!(socket.hear().await, json!({ "close": 4406 }));
    let mut socket = Socket::greeted(at, None).await;
    closing.cancel();
    assert_eq!(socket.hear().await, json!({ "close": 1001 }));
    app.finish().await;
}

#[tokio::test]
async fn origins() {
    let app = TestApp::start().await;
    let settings =
        HttpSettings { cors_origins: vec!["https://good.example".into()], ..HttpSettings::default() };
    let (router, _) = router(&app, settings, &[]);
    let at = serve(router).await;
    let here = format!("http://{at}");
    for (origin, welcome) in [
        ("https://good.example", true),
        ("http://localhost:8080", true),
        (here.as_str(), true),
        ("https://evil.example", false),
        ("http://good.example", false),
        ("null", false),
    ] {
        let opened = Socket::open(at, &[("sec-websocket-protocol", PROTOCOL), ("origin", origin)]).await;
        assert_eq!(opened.err(), (!welcome).then_some(403), "{origin}");
    }
    app.finish().await;
}
