//! Suspending people: what ends, what goes on, and who may not be.

use serde_json::{Value, json};

use crate::{
    market::{self, SUBMIT, bid, code, post, propose, sign_in},
    support::{PASSWORD, TestApp, errors, new_key, ok, text},
};

const SUSPEND: &str = "mutation($input: UserSuspendInput!) { userSuspend(input: $input) {
    user { id suspendedAt suspensionReason } userErrors { field code message } } }";
const RESTORE: &str = "mutation($input: UserRestoreInput!) { userRestore(input: $input) {
    user { id suspendedAt suspensionReason } userErrors { field code message } } }";
const WHY: &str = "query($id: ID!) { user(id: $id) { suspendedAt suspensionReason } }";

async fn suspend(app: &TestApp, admin: &str, id: &str, reason: &str) -> Value {
    app.mutate(admin, SUSPEND, json!({ "userId": id, "reason": reason })).await
}

/// What somebody was told about their account, by kind.
async fn told_all(app: &TestApp, token: &str) -> Vec<String> {
    let query = "{ viewer { notifications(first: 100) { nodes { kind } } } }";
    let answer = app.gql(token, query, json!({})).await;
    let nodes = answer["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| text(&node["kind"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_person_looks_and_does_not_act_until_they_are_restored() {
    let app = TestApp::start().await;
    let (client, admin) = (app.client("carla").await, app.admin().await);
    let other = app.client("olga").await;
    let second = sign_in(&app, &client.email).await;
    let refresh = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) {
        session { refreshToken } userErrors { message } } }";
    let signed_in = json!({ "email": client.email, "password": PASSWORD });
    let refresh = text(&ok(app.mutate("", refresh, signed_in).await)["session"]["refreshToken"]);

    let done = ok(suspend(&app, &admin.token, &client.id, " Two chargebacks,\r\nno answer. ").await);
    assert_eq!(done["user"]["suspensionReason"], "Two chargebacks,\nno answer.");
    assert!(done["user"]["suspendedAt"].is_string());

    // Every session ended at once: access tokens and refresh tokens alike.
    for token in [&client.token, &second] {
        let answer = app.gql(token, "{ viewer { id } }", json!({})).await;
        assert_ne!(answer["data"]["viewer"]["id"], json!(client.id), "{answer}");
    }
    let again = "mutation($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
        session { id } userErrors { field code message } } }";
    let refused = app.mutate("", again, json!({ "refreshToken": refresh })).await;
    assert_eq!(errors(&refused), ["refreshToken:INVALID"]);

    // They sign in, look, and read why; they do not act.
    let token = sign_in(&app, &client.email).await;
    let own = app.gql(&token, WHY, json!({ "id": client.id })).await["data"]["user"].clone();
    assert_eq!(own["suspensionReason"], "Two chargebacks,\nno answer.");
    let profile = "mutation($input: ProfileUpdateInput!) { profileUpdate(input: $input) {
        userErrors { field code message } } }";
    let refused = app.mutate(&token, profile, json!({ "headline": "Still here" })).await;
    assert_eq!(errors(&refused), [":FORBIDDEN"]);
    assert!(told_all(&app, &token).await.contains(&"ACCOUNT_SUSPENDED".to_owned()));
    app.drain().await;
    assert!(app.mails(&client.email).iter().any(|mail| mail.text.contains("Two chargebacks")));

    // To others it is nobody's business; to admins it is.
    for (token, seen) in [(other.token.as_str(), false), ("", false), (&admin.token, true)] {
        let answer = app.gql(token, WHY, json!({ "id": client.id })).await["data"]["user"].clone();
        assert_eq!((answer["suspendedAt"].is_string(), answer["suspensionReason"].is_string()), (seen, seen));
    }
    assert_eq!(errors(&suspend(&app, &admin.token, &client.id, "Again.").await), ["userId:ILLEGAL_STATE"]);

    let restored = ok(app.mutate(&admin.token, RESTORE, json!({ "userId": client.id })).await);
    assert_eq!(
        (&restored["user"]["suspendedAt"], &restored["user"]["suspensionReason"]),
        (&json!(null), &json!(null))
    );
    ok(app.mutate(&token, profile, json!({ "headline": "Back again" })).await);
    assert!(told_all(&app, &token).await.contains(&"ACCOUNT_RESTORED".to_owned()));
    let twice = app.mutate(&admin.token, RESTORE, json!({ "userId": client.id })).await;
    assert_eq!(errors(&twice), ["userId:ILLEGAL_STATE"]);
    // The same at the same moment of a frozen clock is another event: it is told of again.
    ok(suspend(&app, &admin.token, &client.id, "Once more.").await);
    let token = sign_in(&app, &client.email).await;
    let suspensions = told_all(&app, &token).await.iter().filter(|kind| *kind == "ACCOUNT_SUSPENDED").count();
    assert_eq!(suspensions, 2);

    let log = "{ auditLog { nodes { action subjectId details actor { id } } } }";
    let log = app.gql(&admin.token, log, json!({})).await["data"]["auditLog"]["nodes"].clone();
    let actions: Vec<_> = log.as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["user.suspend", "user.restore", "user.suspend", "user.grantAdmin"]);
    let details: Value = serde_json::from_str(&text(&log[2]["details"])).unwrap();
    assert_eq!(details, json!({ "reason": "Two chargebacks,\nno answer.", "sessionsEnded": 3 }));
    assert_eq!((&log[2]["actor"]["id"], &log[2]["subjectId"]), (&json!(admin.id), &json!(client.id)));
    app.finish().await;
}

/// userSuspend: a reason of 1-1,000 characters.
#[tokio::test(flavor = "multi_thread")]
async fn rule_suspension_reason_is_1_to_1000_characters() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (one, two) = (app.register("one", "CLIENT").await, app.register("two", "FREELANCER").await);
    assert_eq!(errors(&suspend(&app, &admin.token, &one.id, " \n ").await), ["reason:REQUIRED"]);
    assert_eq!(errors(&suspend(&app, &admin.token, &one.id, &"x".repeat(1_001)).await), ["reason:TOO_LONG"]);
    assert_eq!(errors(&suspend(&app, &admin.token, &one.id, "a\0b").await), ["reason:INVALID"]);
    ok(suspend(&app, &admin.token, &one.id, "x").await);
    ok(suspend(&app, &admin.token, &two.id, &"ü".repeat(1_000)).await);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_suspend_neither_themselves_nor_each_other() {
    let app = TestApp::start().await;
    let (admin, client) = (app.admin().await, app.client("carla").await);
    let colleague = app.client("conrad").await;
    domain::account::grant_admin(&app.app, &colleague.email).await.unwrap();
    for (id, wanted) in [
        (admin.id.as_str(), "userId:FORBIDDEN"),
        (&colleague.id, "userId:FORBIDDEN"),
        ("usr_00000000000000000000000000000001", "userId:NOT_FOUND"),
        ("prj_00000000000000000000000000000001", "userId:INVALID_ID"),
    ] {
        let answer = suspend(&app, &admin.token, id, "No reason.").await;
        assert_eq!(errors(&answer), [wanted], "{answer}");
    }
    let restore = app.mutate(&admin.token, RESTORE, json!({ "userId": "usr_1" })).await;
    assert_eq!(errors(&restore), ["userId:INVALID_ID"]);
    // What was refused ended nobody's session.
    for token in [&admin.token, &colleague.token] {
        assert!(app.gql(token, "{ viewer { id } }", json!({})).await["data"]["viewer"]["id"].is_string());
    }
    for (token, wanted) in
        [(&client.token, ":FORBIDDEN"), (&app.freelancer("felix").await.token, ":FORBIDDEN")]
    {
        assert_eq!(errors(&suspend(&app, token, &client.id, "Me.").await), [wanted]);
        assert_eq!(errors(&app.mutate(token, RESTORE, json!({ "userId": client.id })).await), [wanted]);
    }
    let nobody = app.gql("", SUSPEND, json!({ "input": { "userId": client.id, "reason": "x" } })).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_freelancer_is_not_found_and_not_hired() {
    let app = TestApp::start().await;
    let (client, admin) = (market::client(&app).await, app.admin().await);
    let freelancer = app.freelancer("felix").await;
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer.token, &project, json!({})).await;
    ok(suspend(&app, &admin.token, &freelancer.id, "Copied portfolio.").await);

    let list = "{ freelancers { nodes { id } } }";
    assert_eq!(app.gql("", list, json!({})).await["data"]["freelancers"]["nodes"], json!([]));
    let answer = market::accept(&app, &client, &proposal).await;
    assert_eq!(code(&answer, "proposalAccept"), "ILLEGAL_STATE");
    let message = text(&answer["data"]["proposalAccept"]["userErrors"][0]["message"]);
    assert!(message.contains("suspended"), "{message}");
    assert_eq!(market::proposal_status(&app, &client, &proposal).await, "SUBMITTED", "it stays");

    ok(app.mutate(&admin.token, RESTORE, json!({ "userId": freelancer.id })).await);
    market::offer(&app, &client, &proposal).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_clients_open_projects_are_not_listed_and_take_no_proposals() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let client = app.client("carla").await;
    let (bidder, late) = (app.freelancer("felix").await, market::freelancer(&app).await);
    let open = post(&app, &client.token, json!({})).await;
    let offered = post(&app, &client.token, json!({})).await;
    let others = post(&app, &market::client(&app).await, json!({})).await;
    let proposal = propose(&app, &bidder.token, &offered, json!({})).await;
    let contract = market::offer(&app, &client.token, &proposal).await;
    ok(suspend(&app, &admin.token, &client.id, "Chargebacks.").await);
    let client_token = sign_in(&app, &client.email).await;

    let list =
        "query($id: ID!) { projects { totalCount nodes { id } } user(id: $id) { projects { totalCount } } }";
    for (token, seen) in [("", 1), (late.as_str(), 1), (&client_token, 3), (&admin.token, 3)] {
        let answer = app.gql(token, list, json!({ "id": client.id })).await;
        assert_eq!(answer["data"]["projects"]["totalCount"], seen, "{answer}");
        assert_eq!(answer["data"]["user"]["projects"]["totalCount"], seen - 1, "{answer}");
    }
    let answer = app.gql("", list, json!({ "id": client.id })).await;
    assert_eq!(answer["data"]["projects"]["nodes"][0]["id"], json!(others));
    let refused = app.gql(&late, SUBMIT, json!({ "input": bid(&open) })).await;
    assert_eq!(code(&refused, "proposalSubmit"), "ILLEGAL_STATE");
    // Nor does their offer become a contract, which they could not fund.
    let refused = app.gql(&bidder.token, market::CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(code(&refused, "contractAccept"), "ILLEGAL_STATE");

    ok(app.mutate(&admin.token, RESTORE, json!({ "userId": client.id })).await);
    propose(&app, &late, &open, json!({})).await;
    let accepted = app.gql(&bidder.token, market::CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(accepted["data"]["contractAccept"]["contract"]["status"], "ACTIVE", "{accepted}");
    app.finish().await;
}

/// Both parties are suspended while a payout is under way: it arrives.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_under_way_goes_on() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.submitted(&deal, &deal.milestones[0]).await;
    let release = ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    for party in [&deal.client.id, &deal.freelancer.id] {
        ok(suspend(&app, &admin.token, party, "Under investigation.").await);
    }
    app.drain().await;
    app.mine(u64::from(crate::support::CONFIRMATIONS)).await;
    app.mine(1).await;
    let paid = app.payment(&admin, &text(&release["payment"]["id"])).await;
    assert_eq!(paid["status"], "COMPLETED", "{paid}");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}
