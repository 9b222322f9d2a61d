//! Invitations to bid: sent by a client, answered by a freelancer or by a proposal.

use domain::entities::{UserId, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::{
    market::{self, merged, told},
    support::{Someone, TestApp, errors, ok, text},
};

const SEND: &str = "mutation($input: InvitationSendInput!) { invitationSend(input: $input) {
    invitation { id status message answeredAt project { id } client { displayName } freelancer { displayName }
    proposal { id } } userErrors { field code message } } }";
const DECLINE: &str = "mutation($input: InvitationDeclineInput!) { invitationDecline(input: $input) {
    invitation { status answeredAt } userErrors { field code message } } }";
const WITHDRAW: &str = "mutation($input: InvitationWithdrawInput!) { invitationWithdraw(input: $input) {
    invitation { status answeredAt } userErrors { field code message } } }";
const SEE: &str = "query($id: ID!) { node(id: $id) { ... on Invitation { status proposal { id } } } }";
const OF_USER: &str = "query($id: ID!, $status: [InvitationStatus!]) {
    user(id: $id) { invitations(status: $status) { totalCount nodes { id } } } }";
const OF_PROJECT: &str = "query($id: ID!) { project(id: $id) { invitations { totalCount nodes { id } } } }";

async fn send(app: &TestApp, by: &Someone, project: &str, to: &Someone, changes: Value) -> Value {
    let input = json!({ "projectId": project, "freelancerId": to.id });
    app.mutate(&by.token, SEND, merged(input, changes)).await
}

async fn invited(app: &TestApp, by: &Someone, project: &str, to: &Someone) -> String {
    text(&ok(send(app, by, project, to, json!({})).await)["invitation"]["id"])
}

async fn answer(app: &TestApp, mutation: &str, by: &Someone, id: &str) -> Value {
    app.mutate(&by.token, mutation, json!({ "invitationId": id })).await
}

async fn status(app: &TestApp, viewer: &Someone, id: &str) -> Value {
    app.gql(&viewer.token, SEE, json!({ "id": id })).await["data"]["node"].clone()
}

#[tokio::test]
async fn an_invitation_ends_in_a_proposal() {
    let app = TestApp::start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let project = app.project(&carla).await;
    let sent = ok(send(&app, &carla, &project, &felix, json!({ "message": " Please. " })).await);
    let invitation = &sent["invitation"];
    assert_eq!(
        (&invitation["status"], &invitation["message"], &invitation["answeredAt"], &invitation["proposal"]),
        (&json!("PENDING"), &json!("Please."), &json!(null), &json!(null))
    );
    assert_eq!(invitation["client"]["displayName"], "carla");
    assert_eq!(invitation["freelancer"]["displayName"], "felix");
    assert_eq!(told(&app, &felix.token).await, ["INVITATION_RECEIVED"]);
    app.drain().await;
    let id = text(&invitation["id"]);
    assert!(app.mails(&felix.email).iter().any(|mail| mail.text.contains(&format!("/invitations/{id}"))));

    let proposal = app.proposal(&felix, &project, &[100]).await;
    let seen = status(&app, &carla, &id).await;
    assert_eq!(seen, json!({ "status": "ACCEPTED", "proposal": { "id": proposal } }));
    let late = answer(&app, DECLINE, &felix, &id).await;
    assert_eq!(errors(&late), ["invitationId:ILLEGAL_STATE"]);
    assert_eq!(
        late["userErrors"][0]["message"],
        "The invitation is ACCEPTED; it cannot become DECLINED from there."
    );
    // Whoever was not invited bids as before.
    app.proposal(&eve, &project, &[100]).await;
    assert_eq!(errors(&send(&app, &carla, &project, &eve, json!({})).await), ["freelancerId:TAKEN"]);
    app.finish().await;
}

#[tokio::test]
async fn an_answer_is_final_and_keeps_nobody_from_bidding() {
    let app = TestApp::start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let project = app.project(&carla).await;
    let (to_felix, to_eve) =
        (invited(&app, &carla, &project, &felix).await, invited(&app, &carla, &project, &eve).await);
    let declined = ok(answer(&app, DECLINE, &felix, &to_felix).await)["invitation"].clone();
    assert_eq!(declined["status"], "DECLINED");
    assert!(declined["answeredAt"].is_string());
    assert_eq!(ok(answer(&app, WITHDRAW, &carla, &to_eve).await)["invitation"]["status"], "WITHDRAWN");
    for (mutation, by, id, from, to) in [
        (DECLINE, &felix, &to_felix, "DECLINED", "DECLINED"),
        (WITHDRAW, &carla, &to_felix, "DECLINED", "WITHDRAWN"),
        (DECLINE, &eve, &to_eve, "WITHDRAWN", "DECLINED"),
    ] {
        let error = answer(&app, mutation, by, id).await["userErrors"][0].clone();
        assert_eq!(error["code"], "ILLEGAL_STATE");
        let message = text(&error["message"]);
        assert!(message.contains(from) && message.contains(to), "{message}");
    }
    for whom in [&felix, &eve] {
        assert_eq!(
            errors(&send(&app, &carla, &project, whom, json!({})).await),
            ["freelancerId:TAKEN"],
            "once"
        );
    }
    app.proposal(&felix, &project, &[100]).await;
    assert_eq!(status(&app, &felix, &to_felix).await["status"], "DECLINED");
    app.finish().await;
}

#[tokio::test]
async fn who_may_invite_whom() {
    let app = TestApp::start().await;
    let (carla, olga, felix) =
        (app.client("carla").await, app.client("olga").await, app.freelancer("felix").await);
    let (eve, sue) = (app.freelancer("eve").await, app.freelancer("sue").await);
    let project = app.project(&carla).await;
    let suspended: UserId = sue.id.parse().unwrap();
    let change = user::ActiveModel {
        id: Set(suspended),
        suspended_at: Set(Some(app.app.clock.now())),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();

    assert_eq!(errors(&send(&app, &olga, &project, &felix, json!({})).await), ["projectId:NOT_FOUND"]);
    assert_eq!(errors(&send(&app, &eve, &project, &felix, json!({})).await), [":FORBIDDEN"]);
    for nobody in [&sue, &olga, &carla] {
        let refused = send(&app, &carla, &project, nobody, json!({})).await;
        assert_eq!(errors(&refused), ["freelancerId:NOT_FOUND"]);
    }
    let draft = market::post(&app, &carla.token, json!({ "publish": false })).await;
    assert_eq!(errors(&send(&app, &carla, &draft, &felix, json!({})).await), ["projectId:ILLEGAL_STATE"]);
    let long = |length: usize| json!({ "message": "x".repeat(length) });
    assert_eq!(errors(&send(&app, &carla, &project, &felix, long(1_001)).await), ["message:TOO_LONG"]);
    let id = text(&ok(send(&app, &carla, &project, &felix, long(1_000)).await)["invitation"]["id"]);

    assert_eq!(errors(&answer(&app, DECLINE, &eve, &id).await), ["invitationId:NOT_FOUND"]);
    assert_eq!(errors(&answer(&app, DECLINE, &carla, &id).await), [":FORBIDDEN"]);
    assert_eq!(errors(&answer(&app, WITHDRAW, &olga, &id).await), ["invitationId:NOT_FOUND"]);
    assert_eq!(errors(&answer(&app, WITHDRAW, &felix, &id).await), [":FORBIDDEN"]);
    assert_eq!(errors(&answer(&app, DECLINE, &felix, &carla.id).await), ["invitationId:INVALID_ID"]);
    app.finish().await;
}

/// What nobody answered ends when the project takes no more proposals for good.
#[tokio::test]
async fn an_invitation_ends_with_its_project() {
    let app = TestApp::start().await;
    let (carla, felix, eve) =
        (app.client("carla").await, app.freelancer("felix").await, app.freelancer("eve").await);
    let project = app.project(&carla).await;
    let id = invited(&app, &carla, &project, &felix).await;
    let cancel = "mutation($input: ProjectCancelInput!) { projectCancel(input: $input) {
        project { status } userErrors { field code message } } }";
    ok(app.mutate(&carla.token, cancel, json!({ "projectId": project })).await);
    assert_eq!(status(&app, &felix, &id).await["status"], "WITHDRAWN");

    let project = app.project(&carla).await;
    let id = invited(&app, &carla, &project, &felix).await;
    let proposal = app.proposal(&eve, &project, &[100]).await;
    let contract = app.offer(&carla, &proposal).await;
    // An offer may still come to nothing.
    assert_eq!(status(&app, &felix, &id).await["status"], "PENDING");
    app.gql(&eve.token, market::CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(status(&app, &felix, &id).await["status"], "WITHDRAWN");
    app.finish().await;
}

#[tokio::test]
async fn its_two_parties_see_it() {
    let app = TestApp::start().await;
    let (carla, olga, felix) =
        (app.client("carla").await, app.client("olga").await, app.freelancer("felix").await);
    let (eve, admin) = (app.freelancer("eve").await, app.admin().await);
    let project = app.project(&carla).await;
    let id = invited(&app, &carla, &project, &felix).await;
    let count = async |token: &str, query: &str, id: &str, status: Value| {
        let data = app.gql(token, query, json!({ "id": id, "status": status })).await["data"].clone();
        let thing = if data["user"].is_null() { &data["project"] } else { &data["user"] };
        thing["invitations"]["totalCount"].clone()
    };
    let tokens = [carla.token.as_str(), &felix.token, &admin.token, &olga.token, &eve.token, ""];
    let mut seen = Vec::new();
    for token in tokens {
        let node = app.gql(token, SEE, json!({ "id": id })).await["data"]["node"].is_object();
        let below = [
            count(token, OF_PROJECT, &project, json!(null)).await,
            count(token, OF_USER, &carla.id, json!(null)).await,
            count(token, OF_USER, &felix.id, json!(null)).await,
        ];
        seen.push((node, below));
    }
    let (none, one, zero) = (json!(null), json!(1), json!(0));
    let cells = |a: &Value, b: &Value, c: &Value| [a.clone(), b.clone(), c.clone()];
    assert_eq!(
        seen,
        [
            (true, cells(&one, &one, &none)),
            (true, cells(&zero, &none, &one)),
            (true, cells(&one, &one, &one)),
            (false, cells(&zero, &none, &none)),
            (false, cells(&zero, &none, &none)),
            (false, cells(&zero, &none, &none)),
        ]
    );
    for (status, wanted) in [(json!(["PENDING"]), 1), (json!(["DECLINED", "ACCEPTED"]), 0), (json!([]), 1)] {
        assert_eq!(count(&felix.token, OF_USER, &felix.id, status).await, wanted);
    }
    app.finish().await;
}

#[tokio::test]
async fn fifty_are_invited_to_a_project_at_the_most() {
    let app = TestApp::start().await;
    let carla = app.client("carla").await;
    let project = app.project(&carla).await;
    for number in 0..50 {
        let whom = app.register(&format!("f{number}"), "FREELANCER").await;
        invited(&app, &carla, &project, &whom).await;
    }
    let one_more = app.register("f50", "FREELANCER").await;
    assert_eq!(
        errors(&send(&app, &carla, &project, &one_more, json!({})).await),
        ["projectId:LIMIT_REACHED"]
    );
    let other = app.project(&carla).await;
    invited(&app, &carla, &other, &one_more).await;
    app.finish().await;
}

#[tokio::test]
async fn of_an_answer_and_a_proposal_at_once_one_comes_first() {
    let app = TestApp::start().await;
    let (carla, felix) = (app.client("carla").await, app.freelancer("felix").await);
    let project = app.project(&carla).await;
    let id = invited(&app, &carla, &project, &felix).await;
    let (_, withdrawn) =
        tokio::join!(app.proposal(&felix, &project, &[100]), answer(&app, WITHDRAW, &carla, &id));
    let (ended, errors) = (status(&app, &felix, &id).await, errors(&withdrawn));
    match ended["status"].as_str() {
        Some("ACCEPTED") => assert_eq!(errors, ["invitationId:ILLEGAL_STATE"]),
        Some("WITHDRAWN") => assert!(errors.is_empty(), "{errors:?}"),
        _ => panic!("{ended}"),
    }
    app.finish().await;
}
