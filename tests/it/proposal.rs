//! Proposals: bids within their limits, the shortlist, and who may do what to them.

mod at_once;
mod edit;
mod lists;
mod rules;

use serde_json::{Value, json};

use crate::{
    market::{
        self, SHORTLIST, SUBMIT, bid, code, merged, post, project_status, proposal_status, propose, told,
    },
    support::TestApp,
};

const REJECT: &str = "mutation($id: ID!) { proposalReject(input: { proposalId: $id }) {
    proposal { status } userErrors { field code message } } }";
const WITHDRAW: &str = "mutation($id: ID!) { proposalWithdraw(input: { proposalId: $id }) {
    proposal { status } userErrors { field code message } } }";

async fn submit(app: &TestApp, token: &str, input: Value) -> Value {
    app.gql(token, SUBMIT, json!({ "input": input })).await
}

#[tokio::test]
async fn a_freelancer_bids_once_and_the_client_is_told() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let plan = json!([
        { "title": "Design", "amount": { "amount": "200.000001" } },
        { "title": "Build", "amount": { "amount": "399.999999" }, "dueAt": "2027-01-01T00:00:00Z" },
    ]);
    let answer = submit(&app, &freelancer, merged(bid(&project), json!({ "milestones": plan }))).await;
    let proposal = &answer["data"]["proposalSubmit"]["proposal"];
    assert_eq!(proposal["status"], "SUBMITTED", "{answer}");
    assert_eq!(
        proposal["milestones"],
        json!([
            { "title": "Design", "amount": { "amount": "200.000001" }, "position": 1 },
            { "title": "Build", "amount": { "amount": "399.999999" }, "position": 2 },
        ])
    );
    assert_eq!(told(&app, &client).await, ["PROPOSAL_RECEIVED"]);
    assert_eq!(code(&submit(&app, &freelancer, bid(&project)).await, "proposalSubmit"), "TAKEN");
    app.finish().await;
}

#[tokio::test]
async fn bids_are_for_freelancers_and_open_projects() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let open = post(&app, &client, json!({})).await;
    let draft = post(&app, &client, json!({ "publish": false })).await;
    assert_eq!(code(&submit(&app, &client, bid(&open)).await, "proposalSubmit"), "FORBIDDEN");
    assert_eq!(code(&submit(&app, &freelancer, bid(&draft)).await, "proposalSubmit"), "NOT_FOUND");
    assert_eq!(code(&submit(&app, &freelancer, bid("prj_1")).await, "proposalSubmit"), "INVALID_ID");
    let nobody = submit(&app, "", bid(&open)).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let winner = propose(&app, &freelancer, &open, json!({})).await;
    let contract = market::offer(&app, &client, &winner).await;
    let answer = app.gql(&freelancer, market::CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(answer["data"]["contractAccept"]["contract"]["status"], "ACTIVE", "{answer}");
    assert_eq!(project_status(&app, &client, &open).await, "IN_PROGRESS");
    let late = market::freelancer(&app).await;
    assert_eq!(code(&submit(&app, &late, bid(&open)).await, "proposalSubmit"), "ILLEGAL_STATE");
    app.finish().await;
}

#[tokio::test]
async fn the_shortlist_goes_both_ways_and_tells_once() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    for (on, status) in [(true, "SHORTLISTED"), (false, "SUBMITTED"), (true, "SHORTLISTED")] {
        let answer = app.gql(&client, SHORTLIST, json!({ "id": proposal, "on": on })).await;
        assert_eq!(answer["data"]["proposalShortlist"]["proposal"]["status"], status, "{answer}");
    }
    let again = app.gql(&client, SHORTLIST, json!({ "id": proposal, "on": true })).await;
    assert_eq!(code(&again, "proposalShortlist"), "ILLEGAL_STATE");
    assert_eq!(told(&app, &freelancer).await, ["PROPOSAL_SHORTLISTED"]);
    app.finish().await;
}

#[tokio::test]
async fn a_proposal_is_between_its_freelancer_and_its_client() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let (other_client, rival) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    propose(&app, &rival, &project, json!({})).await;

    let query = "query($project: ID!, $proposal: ID!) { node(id: $proposal) { id }
        project(id: $project) { proposalCount proposals { totalCount nodes { id } } } }";
    for (token, sees_it, sees) in [
        (client.as_str(), true, 2),
        (&freelancer, true, 1),
        (&rival, false, 1),
        (&other_client, false, 0),
        ("", false, 0),
    ] {
        let answer = app.gql(token, query, json!({ "project": project, "proposal": proposal })).await;
        assert_eq!(answer["data"]["node"].is_object(), sees_it, "{answer}");
        assert_eq!(answer["data"]["project"]["proposalCount"], 2);
        assert_eq!(answer["data"]["project"]["proposals"]["totalCount"], sees);
        assert_eq!(answer["data"]["project"]["proposals"]["nodes"].as_array().map(Vec::len), Some(sees));
    }
    for (mutation, name, right) in [
        (SHORTLIST, "proposalShortlist", &client),
        (REJECT, "proposalReject", &client),
        (WITHDRAW, "proposalWithdraw", &freelancer),
    ] {
        for token in [&client, &freelancer, &other_client, &rival] {
            if token == right {
                continue;
            }
            let answer = app.gql(token, mutation, json!({ "id": proposal, "on": true })).await;
            let refused = code(&answer, name);
            // The two who see it hear of the role; of the others, those with the right role find nothing.
            let party = token == &client || token == &freelancer;
            assert!(refused == "FORBIDDEN" || (!party && refused == "NOT_FOUND"), "{name}: {refused}");
        }
        let stranger = if right == &client { &other_client } else { &rival };
        let answer = app.gql(stranger, mutation, json!({ "id": proposal, "on": true })).await;
        assert_eq!(code(&answer, name), "NOT_FOUND");
    }
    assert_eq!(proposal_status(&app, &client, &proposal).await, "SUBMITTED");
    app.finish().await;
}

#[tokio::test]
async fn a_decision_is_final() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let rejected = propose(&app, &freelancer, &project, json!({})).await;
    let answer = app.gql(&client, REJECT, json!({ "id": rejected })).await;
    assert_eq!(answer["data"]["proposalReject"]["proposal"]["status"], "REJECTED", "{answer}");
    assert_eq!(told(&app, &freelancer).await, ["PROPOSAL_REJECTED"]);
    let answer = app.gql(&freelancer, WITHDRAW, json!({ "id": rejected })).await;
    assert_eq!(code(&answer, "proposalWithdraw"), "ILLEGAL_STATE");

    let another = post(&app, &client, json!({})).await;
    let withdrawn = propose(&app, &freelancer, &another, json!({})).await;
    let answer = app.gql(&freelancer, WITHDRAW, json!({ "id": withdrawn })).await;
    assert_eq!(answer["data"]["proposalWithdraw"]["proposal"]["status"], "WITHDRAWN", "{answer}");
    assert_eq!(code(&market::accept(&app, &client, &withdrawn).await, "proposalAccept"), "ILLEGAL_STATE");
    assert_eq!(code(&submit(&app, &freelancer, bid(&another)).await, "proposalSubmit"), "TAKEN");
    app.finish().await;
}
