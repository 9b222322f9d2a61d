//! What admins do with disputes.

use serde_json::{Value, json};

use super::{call, look, open, resolve, simply, taken};
use crate::support::{TestApp, errors, new_key, ok, text};

/// OPEN, IN_REVIEW, ESCALATED: each step by an admin, none out of turn, none by a party.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_takes_escalates_and_resolves() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let admin = app.admin().await;
    app.funded(&deal, &deal.milestones[0]).await;
    let dispute = text(&ok(open(&app, &deal.client, &deal.milestones[0]).await)["dispute"]["id"]);
    let note = |note: &str| json!({ "disputeId": dispute, "note": note });

    let early = resolve(&app, &admin, &dispute, "0", &new_key()).await;
    assert_eq!(errors(&early), ["disputeId:ILLEGAL_STATE"]);
    assert_eq!(
        early["userErrors"][0]["message"],
        "The dispute is OPEN; it cannot become RESOLVED from there."
    );
    let early = call(&app, &admin, "disputeEscalate", note("Hard.")).await;
    assert_eq!(errors(&early), ["disputeId:ILLEGAL_STATE"]);
    for party in [&deal.client, &deal.freelancer] {
        assert_eq!(errors(&simply(&app, party, "disputeTake", &dispute).await), [":FORBIDDEN"]);
        assert_eq!(errors(&call(&app, party, "disputeEscalate", note("Mine.")).await), [":FORBIDDEN"]);
        assert_eq!(errors(&resolve(&app, party, &dispute, "0", &new_key()).await), [":FORBIDDEN"]);
    }

    let taken = ok(simply(&app, &admin, "disputeTake", &dispute).await)["dispute"].clone();
    assert_eq!((&taken["status"], &taken["takenBy"]["id"]), (&json!("IN_REVIEW"), &json!(admin.id)));
    assert!(taken["takenAt"].is_string());
    let twice = simply(&app, &admin, "disputeTake", &dispute).await;
    assert_eq!(errors(&twice), ["disputeId:ILLEGAL_STATE"]);
    assert_eq!(errors(&call(&app, &admin, "disputeEscalate", note("")).await), ["note:REQUIRED"]);
    let escalated = ok(call(&app, &admin, "disputeEscalate", note("Two lawyers are in it.")).await);
    assert_eq!(escalated["dispute"]["status"], "ESCALATED");
    assert_eq!(escalated["dispute"]["escalationNote"], "Two lawyers are in it.");
    assert!(escalated["dispute"]["escalatedAt"].is_string());
    assert_eq!(look(&app, &deal.client, &dispute).await["escalationNote"], Value::Null);
    let late = simply(&app, &deal.client, "disputeWithdraw", &dispute).await;
    assert_eq!(errors(&late), ["disputeId:ILLEGAL_STATE"]);

    let resolved = ok(resolve(&app, &admin, &dispute, "0", &new_key()).await)["dispute"].clone();
    assert_eq!((&resolved["status"], &resolved["resolvedBy"]["id"]), (&json!("RESOLVED"), &json!(admin.id)));
    assert!(resolved["endedAt"].is_string());
    super::paid_out(&app).await;
    let log = "{ auditLog { nodes { action subjectId details } } }";
    let log = app.gql(&admin.token, log, json!({})).await;
    let entries = log["data"]["auditLog"]["nodes"].as_array().unwrap();
    let of_dispute = entries.iter().filter(|entry| entry["subjectId"] == json!(dispute));
    let actions: Vec<_> = of_dispute.map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["dispute.resolve", "dispute.escalate", "dispute.take"], "{log:#}");
    app.finish().await;
}

/// Nor does an admin who is a party move its money, or end it.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_is_a_party_neither_refunds_nor_terminates() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    app.appoint(&deal.client).await;
    let admin = app.admin().await;
    let refund = "mutation($input: MilestoneRefundInput!) { milestoneRefund(input: $input) {
        milestone { status } userErrors { field code message } } }";
    let input =
        || json!({ "milestoneId": deal.milestones[0], "reason": "Mine.", "idempotencyKey": new_key() });
    assert_eq!(errors(&app.mutate(&deal.client.token, refund, input()).await), [":FORBIDDEN"]);
    ok(app.mutate(&admin.token, refund, input()).await);
    app.settle().await;
    let end = "mutation($input: ContractTerminateInput!) { contractTerminate(input: $input) {
        contract { status } userErrors { field code message } } }";
    let input = json!({ "contractId": deal.contract, "reason": "Enough of it." });
    assert_eq!(errors(&app.mutate(&deal.client.token, end, input.clone()).await), [":FORBIDDEN"]);
    ok(app.mutate(&admin.token, end, input).await);
    app.finish().await;
}

/// Nobody judges in their own case, whatever they have become since.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_is_a_party_does_not_judge() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    let dispute = text(&ok(open(&app, &deal.freelancer, &deal.milestones[0]).await)["dispute"]["id"]);
    app.appoint(&deal.client).await;
    let refused = simply(&app, &deal.client, "disputeTake", &dispute).await;
    assert_eq!(errors(&refused), [":FORBIDDEN"]);
    let admin = app.admin().await;
    ok(simply(&app, &admin, "disputeTake", &dispute).await);
    let refused = resolve(&app, &deal.client, &dispute, "100", &new_key()).await;
    assert_eq!(errors(&refused), [":FORBIDDEN"]);
    let note = json!({ "disputeId": dispute, "note": "Mine." });
    assert_eq!(errors(&call(&app, &deal.client, "disputeEscalate", note).await), [":FORBIDDEN"]);
    app.finish().await;
}

/// The admins' list: narrowed by state, kind and who took it, sorted, and for nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn admins_list_disputes() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let admin = app.admin().await;
    app.funded(&deal, &deal.milestones[0]).await;
    let first = text(&ok(open(&app, &deal.client, &deal.milestones[0]).await)["dispute"]["id"]);
    ok(simply(&app, &deal.client, "disputeWithdraw", &first).await);
    app.advance(chrono::Duration::seconds(1));
    let second = taken(&app, &deal, &admin, &deal.milestones[0]).await;

    let list = async |arguments: &str| {
        let query = format!("{{ disputes{arguments} {{ totalCount nodes {{ id }} }} }}");
        let answer = app.gql(&admin.token, &query, json!({})).await;
        let nodes = answer["data"]["disputes"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        nodes.iter().map(|node| text(&node["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [second.clone(), first.clone()]);
    assert_eq!(
        list("(orderBy: { field: CREATED_AT, direction: ASC })").await,
        [first.clone(), second.clone()]
    );
    assert_eq!(list("(orderBy: { field: UPDATED_AT, direction: DESC })").await[0], second);
    assert_eq!(list("(filter: { status: [WITHDRAWN] })").await, [first]);
    assert_eq!(list("(filter: { kind: [QUALITY] })").await.len(), 2);
    assert!(list("(filter: { kind: [FRAUD, OTHER] })").await.is_empty());
    assert_eq!(list("(filter: { takenByMe: true })").await, std::slice::from_ref(&second));
    assert_eq!(list("(filter: { takenByMe: false })").await.len(), 2);
    let page = list("(first: 1)").await;
    assert_eq!(page, std::slice::from_ref(&second));

    let answer = app.gql(&deal.client.token, "{ disputes { nodes { id } } }", json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let node = "query($id: ID!) { node(id: $id) { ... on Dispute { status } } }";
    let answer = app.gql(&deal.freelancer.token, node, json!({ "id": second })).await;
    assert_eq!(answer["data"]["node"]["status"], "IN_REVIEW");
    app.finish().await;
}
