//! Lists below a project and below a person, narrowed by state and sorted.

use serde_json::{Value, json};

use crate::{
    market::{self, CONTRACT_ACCEPT, SHORTLIST, offer, post, propose},
    support::TestApp,
};

const OF_PROJECT: &str =
    "query($id: ID!, $filter: ProposalFilter, $order: ProposalOrder) { project(id: $id) {
    proposals(filter: $filter, orderBy: $order) { totalCount nodes { bid { amount } } } } }";
const MINE: &str =
    "query($proposals: ProposalFilter, $contracts: UserContractFilter, $projects: UserProjectFilter) { viewer {
    proposals(filter: $proposals) { totalCount nodes { status } }
    contracts(filter: $contracts) { totalCount nodes { status } }
    projects(filter: $projects) { totalCount nodes { status } } } }";

fn texts<'a>(nodes: &'a Value, at: &str) -> Vec<&'a str> {
    nodes.as_array().unwrap().iter().map(|node| node.pointer(at).unwrap().as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_clients_proposals_are_narrowed_by_state_and_sorted_by_bid() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let project = post(&app, &client, json!({})).await;
    let mut proposals = Vec::new();
    for bid in ["300", "100", "200", "100"] {
        let somebody = market::freelancer(&app).await;
        proposals.push(propose(&app, &somebody, &project, json!({ "bid": { "amount": bid } })).await);
    }
    app.gql(&client, SHORTLIST, json!({ "id": proposals[0], "on": true })).await;
    let by = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    for (filter, order, wanted) in [
        (Value::Null, Value::Null, vec!["100.00", "200.00", "100.00", "300.00"]),
        (Value::Null, by("CREATED_AT", "ASC"), vec!["300.00", "100.00", "200.00", "100.00"]),
        (Value::Null, by("BID", "ASC"), vec!["100.00", "100.00", "200.00", "300.00"]),
        (json!({ "status": ["SUBMITTED"] }), by("BID", "DESC"), vec!["200.00", "100.00", "100.00"]),
        (json!({ "status": ["SHORTLISTED", "REJECTED"] }), Value::Null, vec!["300.00"]),
        (json!({ "status": ["ACCEPTED"] }), Value::Null, vec![]),
        (json!({ "status": [] }), by("BID", "DESC"), vec!["300.00", "200.00", "100.00", "100.00"]),
    ] {
        let variables = json!({ "id": project, "filter": filter, "order": order });
        let answer = app.gql(&client, OF_PROJECT, variables.clone()).await;
        let listed = &answer["data"]["project"]["proposals"];
        assert_eq!(texts(&listed["nodes"], "/bid/amount"), wanted, "{variables}");
        assert_eq!(listed["totalCount"], json!(wanted.len()), "{variables}");
    }
    app.finish().await;
}

#[tokio::test]
async fn ones_own_lists_are_narrowed_by_state() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let (running, open) = (post(&app, &client, json!({})).await, post(&app, &client, json!({})).await);
    post(&app, &client, json!({ "publish": false })).await;
    let won = propose(&app, &freelancer, &running, json!({})).await;
    propose(&app, &freelancer, &open, json!({})).await;
    let contract = offer(&app, &client, &won).await;
    app.gql(&freelancer, CONTRACT_ACCEPT, json!({ "id": contract })).await;

    let narrow = |status: &[&str]| json!({ "status": status });
    let lists = async |token: &str, variables: Value| {
        let answer = app.gql(token, MINE, variables).await;
        let viewer = answer["data"]["viewer"].clone();
        ["proposals", "contracts", "projects"].map(|list| {
            let nodes = texts(&viewer[list]["nodes"], "/status").join(" ");
            assert_eq!(viewer[list]["totalCount"], json!(nodes.split_whitespace().count()));
            nodes
        })
    };
    assert_eq!(lists(&freelancer, json!({})).await, ["SUBMITTED ACCEPTED", "ACTIVE", ""]);
    assert_eq!(lists(&client, json!({})).await, ["", "ACTIVE", "DRAFT OPEN IN_PROGRESS"]);
    let narrowed = json!({
        "proposals": narrow(&["ACCEPTED"]), "contracts": narrow(&["PENDING", "COMPLETED"]),
        "projects": narrow(&["OPEN", "IN_PROGRESS"]),
    });
    assert_eq!(lists(&freelancer, narrowed.clone()).await, ["ACCEPTED", "", ""]);
    assert_eq!(lists(&client, narrowed).await, ["", "", "OPEN IN_PROGRESS"]);
    app.finish().await;
}
