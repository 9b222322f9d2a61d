//! Notifications: listed, read, heard; each person's own only.

use std::{pin::pin, time::Duration};

use api::auth::{self, Bearer};
use async_graphql::Request;
use domain::{
    entities::{MailStatus, NotificationKind, mail},
    notification::{self, Notice},
};
use futures::StreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
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

#[tokio::test]
async fn a_line_break_in_a_name_does_not_cost_the_mail() {
    let app = TestApp::start().await;
    let carla = app.register("carla", "CLIENT").await;
    // Names are lines since they are checked; this one is as old rows may have it.
    let notice = Notice::ProposalReceived {
        proposal: app.app.clock.new_id(),
        project: "A shop\r\nBcc: x@example.com".to_owned(),
        freelancer: "Felix".to_owned(),
    };
    let tx = app.app.db.begin().await.unwrap();
    notification::notify(&app.app, &tx, carla.id.parse().unwrap(), notice, "one").await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
    let subjects: Vec<_> = app.mails(&carla.email).into_iter().map(|mail| mail.subject).collect();
    assert!(subjects.contains(&"New proposal for A shop  Bcc: x@example.com".to_owned()), "{subjects:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_sent_link_is_kept_nowhere() {
    let app = TestApp::start().await;
    let carla = app.register("carla", "CLIENT").await;
    let kept = async || {
        let of_hers = mail::Column::ToAddress.eq(carla.email.as_str());
        mail::Entity::find().filter(of_hers).one(app.app.db.reader()).await.unwrap().unwrap()
    };
    assert!(kept().await.text.contains("verify?token="), "it has to be sent yet");
    app.verify(&carla.email).await;
    let sent = kept().await;
    assert_eq!((sent.status, sent.html.as_str(), sent.text.as_str()), (MailStatus::Sent, "", ""));
    tell_of_sign_in(&app, &carla.id).await;
    let mails = mail::Entity::find().filter(mail::Column::Kind.eq(NotificationKind::AccountNewSignIn));
    let other = mails.one(app.app.db.reader()).await.unwrap().unwrap();
    assert!(other.status == MailStatus::Sent && !other.text.is_empty(), "others are kept");
    app.finish().await;
}

async fn tell_of_sign_in(app: &TestApp, to: &str) {
    let notice = Notice::AccountNewSignIn { client: "a test".to_owned() };
    let tx = app.app.db.begin().await.unwrap();
    notification::notify(&app.app, &tx, to.parse().unwrap(), notice, "sign-in").await.unwrap();
    tx.commit().await.unwrap();
    app.drain().await;
}
