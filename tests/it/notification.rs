//! Notifications: listed, read, heard; each person's own only.

use std::{pin::pin, time::Duration};

use api::auth::{self, Bearer};
use async_graphql::Request;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{TestApp, ok, text};

const LIST: &str = "query($unread: Boolean!) { viewer { unreadNotificationCount
    notifications(unreadOnly: $unread, first: 10) { totalCount nodes { id kind priority title body readAt createdAt
        subject { id __typename } } } } }";
const MARK: &str = "mutation($input: NotificationMarkReadInput!) { notificationMarkRead(input: $input) {
    updatedCount userErrors { field code message } } }";

async fn list(app: &TestApp, token: &str, unread: bool) -> Value {
    app.gql(token, LIST, json!({ "unread": unread })).await["data"]["viewer"].clone()
}

#[tokio::test]
async fn a_person_reads_their_own() {
    let app = TestApp::start().await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let project = app.project(&carla).await;
    let proposal = app.proposal(&felix, &project, &[100]).await;
    app.drain().await;

    let seen = list(&app, &carla.token, true).await;
    let newest = &seen["notifications"]["nodes"][0];
    assert_eq!((&newest["kind"], &newest["readAt"]), (&json!("PROPOSAL_RECEIVED"), &Value::Null));
    assert_eq!(newest["subject"], json!({ "id": proposal, "__typename": "Proposal" }));
    let unread = seen["unreadNotificationCount"].as_i64().unwrap();
    assert_eq!(seen["notifications"]["totalCount"], unread);
    let id = text(&newest["id"]);

    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(app.gql(&carla.token, node, json!({ "id": id })).await["data"]["node"]["id"], id.as_str());
    assert_eq!(app.gql(&felix.token, node, json!({ "id": id })).await["data"]["node"], Value::Null);
    let private =
        "query($id: ID!) { user(id: $id) { notifications { totalCount } unreadNotificationCount } }";
    let foreign = app.gql(&felix.token, private, json!({ "id": carla.id })).await;
    assert_eq!(foreign["data"]["user"], json!({ "notifications": null, "unreadNotificationCount": null }));

    let marked =
        async |token: &str, input: Value| ok(app.mutate(token, MARK, input).await)["updatedCount"].clone();
    assert_eq!(marked(&felix.token, json!({ "notificationIds": [id] })).await, 0, "not theirs");
    assert_eq!(marked(&carla.token, json!({ "notificationIds": [] })).await, 0, "none");
    assert_eq!(marked(&carla.token, json!({ "notificationIds": [id] })).await, 1);
    assert_eq!(marked(&carla.token, json!({ "notificationIds": [id] })).await, 0, "once");
    assert_eq!(marked(&carla.token, json!({})).await, unread - 1, "all the others");
    let seen = list(&app, &carla.token, true).await;
    assert_eq!(seen["notifications"]["nodes"], json!([]));
    assert_eq!(list(&app, &carla.token, false).await["notifications"]["totalCount"], unread);
    app.finish().await;
}

#[tokio::test]
async fn a_person_hears_their_own() {
    let app = TestApp::start().await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let project = app.project(&carla).await;
    let listen = async |token: &str| {
        let bearer = Bearer::parse(&format!("Bearer {token}")).unwrap();
        let actor = auth::actor(&app.app, Some(&bearer)).await.unwrap();
        app.schema.execute_stream(Request::new("subscription { notificationReceived { kind } }").data(actor))
    };
    let (mut hers, mut his) = (pin!(listen(&carla.token).await), pin!(listen(&felix.token).await));
    // A stream begins to listen when it is first asked.
    let (first, none, ()) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(10), hers.next()),
        tokio::time::timeout(Duration::from_secs(2), his.next()),
        async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            app.proposal(&felix, &project, &[100]).await;
        },
    );
    let first = serde_json::to_value(first.unwrap().unwrap()).unwrap();
    assert_eq!(first["data"]["notificationReceived"]["kind"], "PROPOSAL_RECEIVED");
    assert!(none.is_err(), "nobody else hears it");

    let nobody = app.schema.execute_stream(
        Request::new("subscription { notificationReceived { kind } }").data(domain::Actor::Anonymous),
    );
    let refused = serde_json::to_value(pin!(nobody).next().await.unwrap()).unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}
