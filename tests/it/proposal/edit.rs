//! A freelancer mends a proposal while it is SUBMITTED.

use serde_json::{Value, json};

use crate::{
    market::{self, SHORTLIST, code, codes, merged, offer, post, propose},
    support::TestApp,
};

const UPDATE: &str = "mutation($input: ProposalUpdateInput!) { proposalUpdate(input: $input) {
    proposal { status coverLetter bid { amount } estimatedHours availability updatedAt
        milestones { title position amount { amount } } }
    userErrors { field code message } } }";

async fn update(app: &TestApp, token: &str, proposal: &str, changes: Value) -> Value {
    let input = merged(json!({ "proposalId": proposal }), changes);
    app.gql(token, UPDATE, json!({ "input": input })).await
}

fn plan(amounts: &[&str]) -> Value {
    json!(amounts.iter().map(|a| json!({ "title": "Part", "amount": { "amount": a } })).collect::<Vec<_>>())
}

#[tokio::test]
async fn what_is_left_out_stays_and_the_whole_keeps_to_the_limits() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({ "milestones": plan(&["200", "400"]) })).await;
    app.advance(chrono::Duration::hours(1));

    let letter = "I have looked at it again, and it is less work than I thought at first.";
    let answer =
        update(&app, &freelancer, &proposal, json!({ "coverLetter": letter, "availability": "ONE_MONTH" }))
            .await;
    let changed = &answer["data"]["proposalUpdate"]["proposal"];
    assert_eq!(
        (&changed["coverLetter"], &changed["availability"]),
        (&json!(letter), &json!("ONE_MONTH")),
        "{answer}"
    );
    assert_eq!((&changed["bid"]["amount"], &changed["status"]), (&json!("600.00"), &json!("SUBMITTED")));
    assert_eq!(changed["milestones"].as_array().map(Vec::len), Some(2));
    assert_eq!(changed["updatedAt"], "2026-03-01T13:00:00+00:00");

    for (changes, field, code) in [
        (json!({ "bid": { "amount": "500" } }), "milestones", "INVALID"),
        (json!({ "milestones": plan(&["600", "1"]) }), "milestones", "INVALID"),
        (json!({ "bid": { "amount": "0.5" }, "milestones": [] }), "bid", "OUT_OF_RANGE"),
        (json!({ "coverLetter": "x".repeat(49) }), "coverLetter", "TOO_SHORT"),
        (json!({ "estimatedHours": 3 }), "estimatedHours", "INVALID"),
        (json!({ "uploadIds": ["upl_1"] }), "uploadIds.0", "INVALID_ID"),
    ] {
        let answer = update(&app, &freelancer, &proposal, changes.clone()).await;
        assert_eq!(codes(&answer, "proposalUpdate"), [(field.to_owned(), code.to_owned())], "{changes}");
    }
    let both = json!({ "bid": { "amount": "500" }, "milestones": plan(&["100", "150", "250"]) });
    let answer = update(&app, &freelancer, &proposal, both).await;
    let positions: Vec<_> = answer["data"]["proposalUpdate"]["proposal"]["milestones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|milestone| milestone["position"].clone())
        .collect();
    assert_eq!(positions, [1, 2, 3], "{answer}");
    let answer =
        update(&app, &freelancer, &proposal, json!({ "milestones": [], "bid": { "amount": "450" } })).await;
    assert_eq!(answer["data"]["proposalUpdate"]["proposal"]["milestones"], json!([]), "{answer}");

    // The offer is made over what the proposal says now.
    let answer = market::accept(&app, &client, &proposal).await;
    assert_eq!(answer["data"]["proposalAccept"]["contract"]["amount"]["amount"], "450.00");
    app.finish().await;
}

#[tokio::test]
async fn only_its_freelancer_changes_it_and_only_while_it_is_submitted() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let rival = market::freelancer(&app).await;
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    let cheaper = || json!({ "bid": { "amount": "550" } });
    for (token, wanted) in [(&client, "FORBIDDEN"), (&rival, "NOT_FOUND")] {
        assert_eq!(code(&update(&app, token, &proposal, cheaper()).await, "proposalUpdate"), wanted);
    }
    app.gql(&client, SHORTLIST, json!({ "id": proposal, "on": true })).await;
    let answer = update(&app, &freelancer, &proposal, cheaper()).await;
    assert_eq!(code(&answer, "proposalUpdate"), "ILLEGAL_STATE");
    let message = answer["data"]["proposalUpdate"]["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains("SHORTLISTED") && message.contains("SUBMITTED"), "{message}");
    app.gql(&client, SHORTLIST, json!({ "id": proposal, "on": false })).await;
    let answer = update(&app, &freelancer, &proposal, cheaper()).await;
    assert_eq!(answer["data"]["proposalUpdate"]["proposal"]["bid"]["amount"], "550.00", "{answer}");
    offer(&app, &client, &proposal).await;
    assert_eq!(
        code(&update(&app, &freelancer, &proposal, cheaper()).await, "proposalUpdate"),
        "ILLEGAL_STATE"
    );
    app.finish().await;
}
