//! Contracts: the offer, the answer, and what becomes of the others.

use domain::{
    contract::{ANSWER_WITHIN, lapse},
    entities::{ContractId, contract, fee_schedule},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    market::{
        self, CONTRACT_ACCEPT, accept, code, offer, post, project_status, proposal_status, propose, told,
    },
    support::{TestApp, text},
};

mod end;
mod life;
mod rest;

const DECLINE: &str = "mutation($id: ID!) { contractDecline(input: { contractId: $id }) {
    contract { status endedAt milestones { status } } userErrors { field code message } } }";
const RETRACT: &str = "mutation($id: ID!) { contractRetract(input: { contractId: $id }) {
    contract { status } userErrors { field code message } } }";

/// A client with an open project, and the proposals of two freelancers.
struct Market {
    client: String,
    project: String,
    freelancers: [String; 2],
    proposals: [String; 2],
}

async fn market(app: &TestApp) -> Market {
    let client = market::client(app).await;
    let project = post(app, &client, json!({})).await;
    let freelancers = [market::freelancer(app).await, market::freelancer(app).await];
    let proposals = [
        propose(app, &freelancers[0], &project, json!({})).await,
        propose(app, &freelancers[1], &project, json!({})).await,
    ];
    Market { client, project, freelancers, proposals }
}

#[tokio::test]
async fn an_offer_takes_over_the_plan() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let planner = market::freelancer(&app).await;
    let plan = json!([
        { "title": "Design", "amount": { "amount": "100" } },
        { "title": "Build", "amount": { "amount": "500" } },
    ]);
    let proposal = propose(&app, &planner, &m.project, json!({ "milestones": plan })).await;
    let answer = accept(&app, &m.client, &proposal).await;
    assert_eq!(answer["data"]["proposalAccept"]["proposal"]["status"], "ACCEPTED", "{answer}");
    let contract = &answer["data"]["proposalAccept"]["contract"];
    assert_eq!(contract["status"], "PENDING");
    assert_eq!(contract["amount"]["amount"], "600.00");
    assert_eq!(
        contract["milestones"],
        json!([
            { "title": "Design", "status": "PENDING", "position": 1, "amount": { "amount": "100.00" } },
            { "title": "Build", "status": "PENDING", "position": 2, "amount": { "amount": "500.00" } },
        ])
    );
    assert_eq!(told(&app, &planner).await, ["CONTRACT_OFFERED"]);
    // The siblings stay live, and the project open, until the freelancer answers.
    assert_eq!(proposal_status(&app, &m.client, &m.proposals[0]).await, "SUBMITTED");
    assert_eq!(project_status(&app, &m.client, &m.project).await, "OPEN");
    app.finish().await;
}

#[tokio::test]
async fn without_a_plan_there_is_one_milestone_of_the_whole_price() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({ "budgetType": "HOURLY" })).await;
    let rate = json!({ "bid": { "amount": "12.5" }, "estimatedHours": 3 });
    let proposal = propose(&app, &freelancer, &project, rate).await;
    let answer = accept(&app, &client, &proposal).await;
    let contract = &answer["data"]["proposalAccept"]["contract"];
    assert_eq!(contract["amount"]["amount"], "37.50", "{answer}");
    assert_eq!(contract["milestones"].as_array().map(Vec::len), Some(1));
    assert_eq!(contract["milestones"][0]["amount"]["amount"], "37.50");
    app.finish().await;
}

#[tokio::test]
async fn of_two_accepts_at_once_one_wins() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let (one, other) =
        tokio::join!(accept(&app, &m.client, &m.proposals[0]), accept(&app, &m.client, &m.proposals[1]),);
    let won = |answer: &Value| answer["data"]["proposalAccept"]["contract"].is_object();
    assert!(won(&one) ^ won(&other), "{one} {other}");
    let loser = if won(&one) { &other } else { &one };
    assert_eq!(code(loser, "proposalAccept"), "ILLEGAL_STATE");
    let message = text(&loser["data"]["proposalAccept"]["userErrors"][0]["message"]);
    assert!(message.contains("SUBMITTED") && message.contains("ACCEPTED"), "{message}");

    // The same one twice at once: one wins as well.
    let m = market(&app).await;
    let (one, other) =
        tokio::join!(accept(&app, &m.client, &m.proposals[0]), accept(&app, &m.client, &m.proposals[0]),);
    assert!(won(&one) ^ won(&other), "{one} {other}");
    app.finish().await;
}

#[tokio::test]
async fn only_the_projects_client_accepts_a_proposal() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let other_client = market::client(&app).await;
    for (token, wanted) in
        [(&other_client, "NOT_FOUND"), (&m.freelancers[0], "FORBIDDEN"), (&m.freelancers[1], "FORBIDDEN")]
    {
        assert_eq!(code(&accept(&app, token, &m.proposals[0]).await, "proposalAccept"), wanted);
    }
    app.finish().await;
}

#[tokio::test]
async fn accepting_the_contract_starts_the_project_and_rejects_the_siblings() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let contract = offer(&app, &m.client, &m.proposals[0]).await;
    let stranger = market::freelancer(&app).await;
    for (token, wanted) in
        [(&m.client, "FORBIDDEN"), (&m.freelancers[1], "NOT_FOUND"), (&stranger, "NOT_FOUND")]
    {
        let answer = app.gql(token, CONTRACT_ACCEPT, json!({ "id": contract })).await;
        assert_eq!(code(&answer, "contractAccept"), wanted);
    }
    let answer = app.gql(&m.freelancers[0], CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(answer["data"]["contractAccept"]["contract"]["status"], "ACTIVE", "{answer}");
    assert_eq!(project_status(&app, &m.client, &m.project).await, "IN_PROGRESS");
    assert_eq!(proposal_status(&app, &m.client, &m.proposals[0]).await, "ACCEPTED");
    assert_eq!(proposal_status(&app, &m.client, &m.proposals[1]).await, "REJECTED");
    assert_eq!(told(&app, &m.client).await.last().map(String::as_str), Some("CONTRACT_ACCEPTED"));
    assert_eq!(told(&app, &m.freelancers[1]).await, ["PROPOSAL_REJECTED"]);

    let again = app.gql(&m.freelancers[0], CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(code(&again, "contractAccept"), "ILLEGAL_STATE");
    let answer = app.gql(&m.freelancers[0], DECLINE, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractDecline"), "ILLEGAL_STATE");
    let answer = app.gql(&m.client, RETRACT, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractRetract"), "ILLEGAL_STATE");

    // Its parties see it, by itself and on the project; nobody else does.
    let query = "query($id: ID!, $project: ID!) { contract(id: $id) { id project { id } proposal { id } }
        node(id: $id) { id } project(id: $project) { contract { id } } }";
    for (token, sees) in [
        (m.client.as_str(), true),
        (&m.freelancers[0], true),
        (&m.freelancers[1], false),
        (&stranger, false),
        ("", false),
    ] {
        let answer = app.gql(token, query, json!({ "id": contract, "project": m.project })).await;
        let data = &answer["data"];
        for seen in [&data["contract"], &data["node"], &data["project"]["contract"]] {
            assert_eq!(seen.is_object(), sees, "{answer}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_fallen_offer_leaves_the_siblings_live() {
    let app = TestApp::start().await;
    for (mutation, name, by_client, status) in
        [(DECLINE, "contractDecline", false, "DECLINED"), (RETRACT, "contractRetract", true, "RETRACTED")]
    {
        let m = market(&app).await;
        let contract = offer(&app, &m.client, &m.proposals[0]).await;
        let (right, wrong) =
            if by_client { (&m.client, &m.freelancers[0]) } else { (&m.freelancers[0], &m.client) };
        let answer = app.gql(wrong, mutation, json!({ "id": contract })).await;
        assert_eq!(code(&answer, name), "FORBIDDEN");
        // Another freelancer lacks the client's role, and is no party where their own role is asked for.
        let other = if by_client { "FORBIDDEN" } else { "NOT_FOUND" };
        let answer = app.gql(&m.freelancers[1], mutation, json!({ "id": contract })).await;
        assert_eq!(code(&answer, name), other);
        let answer = app.gql(right, mutation, json!({ "id": contract })).await;
        assert_eq!(answer["data"][name]["contract"]["status"], status, "{answer}");
        assert_eq!(proposal_status(&app, &m.client, &m.proposals[0]).await, "CLOSED");
        assert_eq!(proposal_status(&app, &m.client, &m.proposals[1]).await, "SUBMITTED");
        assert_eq!(project_status(&app, &m.client, &m.project).await, "OPEN");
        // The way is free for another offer.
        offer(&app, &m.client, &m.proposals[1]).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn an_unanswered_offer_lapses_after_seven_days() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let late = app.register("late", "FREELANCER").await;
    app.verify(&late.email).await;
    let proposal = propose(&app, &late.token, &m.project, json!({})).await;
    let contract = offer(&app, &m.client, &proposal).await;
    let id: ContractId = contract.parse().expect("an id");
    assert_eq!(lapse(&app.app, id).await.ok(), Some(false));

    app.advance(ANSWER_WITHIN);
    // Tokens do not live for a week.
    let late = market::sign_in(&app, &late.email).await;
    let answer = app.gql(&late, CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractAccept"), "EXPIRED");
    // The sweep finds it; a second look finds nothing.
    app.drain().await;
    assert_eq!(lapse(&app.app, id).await.ok(), Some(false));
    let answer = app.gql(&late, CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractAccept"), "ILLEGAL_STATE");
    assert_eq!(proposal_status(&app, &late, &proposal).await, "CLOSED");
    assert_eq!(told(&app, &late).await, ["CONTRACT_OFFERED", "CONTRACT_ENDED"]);
    app.finish().await;
}

#[tokio::test]
async fn a_contract_keeps_the_fee_it_was_made_with() {
    let app = TestApp::start().await;
    let m = market(&app).await;
    let now = app.app.clock.now();
    let schedules =
        [(2, 500, now), (3, 2_000, now + ANSWER_WITHIN)].map(|(version, basis_points, effective_at)| {
            fee_schedule::ActiveModel::from(fee_schedule::Model { version, basis_points, effective_at })
        });
    let writer = app.app.db.writer();
    fee_schedule::Entity::insert_many(schedules).exec_without_returning(writer).await.expect("written");
    let id: ContractId = offer(&app, &m.client, &m.proposals[0]).await.parse().expect("an id");
    let row = contract::Entity::find_by_id(id).one(app.app.db.reader()).await.expect("read");
    assert_eq!(row.map(|row| row.fee_schedule), Some(2));
    app.finish().await;
}
