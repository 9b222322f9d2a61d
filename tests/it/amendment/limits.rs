//! What an amendment may say.

use serde_json::{Value, json};

use super::{amend, answer, id, money};
use crate::support::{TestApp, errors, ok};

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_keeps_to_the_limits() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.funded(&deal, &deal.milestones[1]).await;
    let more = |title: String, amount: &str| json!([{ "title": title, "amount": money(amount) }]);
    let change = |with: Value| {
        let mut line = json!({ "milestoneId": deal.milestones[0] });
        line.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        json!({ "change": [line] })
    };
    let absent = "mil_00000000000000000000000000000001";
    for (more, wanted) in [
        (json!({}), vec![":INVALID"]),
        (json!({ "reason": "", "add": more("x".into(), "1") }), vec!["reason:REQUIRED"]),
        (json!({ "reason": "x".repeat(1_001), "add": more("x".into(), "1") }), vec!["reason:TOO_LONG"]),
        (json!({ "description": "Too short" }), vec!["description:TOO_SHORT"]),
        (json!({ "description": "The shop as described, in parts." }), vec![":INVALID"]),
        (json!({ "endAt": "1999-12-31T23:59:59Z" }), vec!["endAt:OUT_OF_RANGE"]),
        (json!({ "add": more(String::new(), "1") }), vec!["add.0.title:REQUIRED"]),
        (json!({ "add": more("x".repeat(256), "1") }), vec!["add.0.title:TOO_LONG"]),
        (json!({ "add": more("x".into(), "0") }), vec!["add.0.amount:OUT_OF_RANGE"]),
        (json!({ "add": more("x".into(), "0.0000001") }), vec!["add.0.amount.amount:INVALID"]),
        (change(json!({})), vec!["change.0:INVALID"]),
        (change(json!({ "title": "Part 1", "amount": money("100") })), vec!["change.0:INVALID"]),
        (change(json!({ "title": "x".repeat(256) })), vec!["change.0.title:TOO_LONG"]),
        (change(json!({ "amount": money("0") })), vec!["change.0.amount:OUT_OF_RANGE"]),
        (
            json!({ "change": [{ "milestoneId": absent, "title": "New" }] }),
            vec!["change.0.milestoneId:NOT_FOUND"],
        ),
        (
            json!({ "change": [{ "milestoneId": deal.milestones[1], "title": "New" }] }),
            vec!["change.0.milestoneId:ILLEGAL_STATE"],
        ),
        (json!({ "remove": [deal.milestones[1]] }), vec!["remove.0:ILLEGAL_STATE"]),
        (json!({ "remove": ["prj_x"] }), vec!["remove.0:INVALID_ID"]),
        (json!({ "remove": [deal.milestones[0], deal.milestones[0]] }), vec!["remove.1:INVALID"]),
    ] {
        assert_eq!(errors(&amend(&app, &deal.client, &deal, more.clone()).await), wanted, "{more}");
    }
    // Just inside.
    let inside = json!({
        "reason": "x".repeat(1_000), "description": "Ten chars.", "endAt": "2026-12-31T00:00:00Z",
        "add": more("x".repeat(255), "0.000001"),
        "change": [{ "milestoneId": deal.milestones[0], "title": "x".repeat(255), "amount": money("0.000001"), "dueAt": "2026-04-01T00:00:00Z" }],
    });
    let amendment = id(&ok(amend(&app, &deal.client, &deal, inside).await));
    ok(answer(&app, &deal.freelancer, "Accept", &amendment).await);
    let now = app.contract_of(&deal, "endAt amount { amount } milestones { dueAt amount { amount } }").await;
    assert_eq!(now["endAt"], "2026-12-31T00:00:00+00:00");
    assert_eq!(now["amount"]["amount"], "50.000002");
    assert_eq!(now["milestones"][0]["dueAt"], "2026-04-01T00:00:00+00:00");
    app.finish().await;
}

/// Something has to be left to pay, and no contract has more than a hundred milestones.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_keeps_one_to_a_hundred_milestones() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let all = json!({ "remove": deal.milestones });
    assert_eq!(errors(&amend(&app, &deal.client, &deal, all).await), ["remove:OUT_OF_RANGE"]);
    let add = |count: usize| {
        let lines: Vec<_> =
            (0..count).map(|n| json!({ "title": format!("No {n}"), "amount": money("1") })).collect();
        json!({ "add": lines })
    };
    for count in [99, 101] {
        assert_eq!(errors(&amend(&app, &deal.client, &deal, add(count)).await), ["add:LIMIT_REACHED"]);
    }
    let amendment = id(&ok(amend(&app, &deal.client, &deal, add(98)).await));
    ok(answer(&app, &deal.freelancer, "Accept", &amendment).await);
    let now = app.contract_of(&deal, "amount { amount } milestones { position }").await;
    assert_eq!(now["amount"]["amount"], "248.00");
    let positions: Vec<_> =
        now["milestones"].as_array().unwrap().iter().map(|row| row["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
    // What was dropped counts too: the list only grows.
    let drop = json!({ "remove": [deal.milestones[0]], "add": [{ "title": "More", "amount": money("1") }] });
    assert_eq!(errors(&amend(&app, &deal.client, &deal, drop).await), ["add:LIMIT_REACHED"]);
    app.finish().await;
}

/// The planned end stays after the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn the_planned_end_stays_after_the_beginning() {
    let app = TestApp::start().await;
    let (client, freelancer) = (app.client("carla").await, app.freelancer("felix").await);
    let project = app.project(&client).await;
    let proposal = app.proposal(&freelancer, &project, &[10]).await;
    let start = "2026-05-01T00:00:00Z";
    let query = "mutation($input: ProposalAcceptInput!) { proposalAccept(input: $input) {
        contract { id milestones { id } } userErrors { field code message } } }";
    let input = json!({ "proposalId": proposal, "description": "As agreed, in May.", "startAt": start });
    let contract = ok(app.mutate(&client.token, query, input).await)["contract"]["id"].clone();
    let deal = crate::support::Deal {
        client,
        freelancer,
        contract: crate::support::text(&contract),
        milestones: Vec::new(),
    };
    // An offer is no contract that runs yet.
    let end = |at: &str| json!({ "endAt": at });
    let after = "2026-05-01T00:00:01Z";
    assert_eq!(errors(&amend(&app, &deal.client, &deal, end(after)).await), ["contractId:ILLEGAL_STATE"]);
    ok(app.on_contract(&deal.freelancer.token, "contractAccept", &deal, json!({})).await);
    assert_eq!(errors(&amend(&app, &deal.client, &deal, end(start)).await), ["endAt:OUT_OF_RANGE"]);
    ok(amend(&app, &deal.client, &deal, end(after)).await);
    app.finish().await;
}
