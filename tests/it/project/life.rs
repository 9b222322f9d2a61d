//! What becomes of a project once it is posted: held, opened again, given up, renewed, changed, deleted.

use std::time::Duration as Span;

use chrono::Duration;
use domain::entities::{ContractId, ContractStatus, contract};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::{
    market::{
        self, CONTRACT_ACCEPT, SHORTLIST, accept, bid, code, codes, offer, post, project_status,
        proposal_status, propose, told,
    },
    support::{TestApp, calling},
};

/// Runs a mutation on a project; the whole answer.
pub(super) async fn change(app: &TestApp, token: &str, name: &str, input: Value) -> Value {
    let seen = "project { id status title description budgetType budgetMin { amount } budgetMax { amount }
        experienceLevel category { name } skills { name } cancelReason expiresAt }";
    app.gql(token, &calling(name, seen), json!({ "input": input })).await
}

/// The state that a mutation brought a project to.
async fn brought(app: &TestApp, token: &str, name: &str, project: &str) -> String {
    let answer = change(app, token, name, json!({ "projectId": project })).await;
    let status = answer["data"][name]["project"]["status"].as_str();
    status.map_or_else(|| code(&answer, name), str::to_owned)
}

/// Nobody is signed out while months pass.
async fn patient() -> TestApp {
    TestApp::start_with(|settings| {
        settings.access_token_ttl = Span::from_secs(2 * 365 * 24 * 3600);
        settings.session_ttl = settings.access_token_ttl;
    })
    .await
}

#[tokio::test]
async fn a_project_on_hold_takes_no_proposals_until_it_is_opened_again() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    assert_eq!(brought(&app, &client, "projectReopen", &project).await, "ILLEGAL_STATE");
    assert_eq!(brought(&app, &client, "projectHold", &project).await, "ON_HOLD");
    assert_eq!(brought(&app, &client, "projectHold", &project).await, "ILLEGAL_STATE");

    let late = market::freelancer(&app).await;
    let answer = app.gql(&late, market::SUBMIT, json!({ "input": bid(&project) })).await;
    assert_eq!(code(&answer, "proposalSubmit"), "ILLEGAL_STATE");
    assert_eq!(code(&accept(&app, &client, &proposal).await, "proposalAccept"), "ILLEGAL_STATE");
    assert_eq!(proposal_status(&app, &client, &proposal).await, "SUBMITTED");

    assert_eq!(brought(&app, &client, "projectReopen", &project).await, "OPEN");
    propose(&app, &late, &project, json!({})).await;
    // An offer that could not be accepted is not left hanging.
    offer(&app, &client, &proposal).await;
    let answer = change(&app, &client, "projectHold", json!({ "projectId": project })).await;
    assert_eq!(code(&answer, "projectHold"), "ILLEGAL_STATE");
    let message = answer["data"]["projectHold"]["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains("contractRetract") && message.contains("PENDING"), "{message}");
    app.finish().await;
}

#[tokio::test]
async fn cancelling_takes_the_offer_back_and_tells_every_freelancer() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let people =
        [market::freelancer(&app).await, market::freelancer(&app).await, market::freelancer(&app).await];
    let project = post(&app, &client, json!({})).await;
    let mut proposals = Vec::new();
    for someone in &people {
        proposals.push(propose(&app, someone, &project, json!({})).await);
    }
    app.gql(&client, SHORTLIST, json!({ "id": proposals[1], "on": true })).await;
    let contract = offer(&app, &client, &proposals[0]).await;

    let input = json!({ "projectId": project, "reason": "  The budget is gone.  " });
    let other = market::client(&app).await;
    for (token, wanted) in [(&other, "NOT_FOUND"), (&people[0], "FORBIDDEN")] {
        assert_eq!(code(&change(&app, token, "projectCancel", input.clone()).await, "projectCancel"), wanted);
    }
    let answer = change(&app, &client, "projectCancel", input).await;
    let cancelled = &answer["data"]["projectCancel"]["project"];
    assert_eq!(
        (&cancelled["status"], &cancelled["cancelReason"]),
        (&json!("CANCELLED"), &json!("The budget is gone."))
    );
    let status =
        app.gql(&client, "query($id: ID!) { contract(id: $id) { status } }", json!({ "id": contract }));
    assert_eq!(status.await["data"]["contract"]["status"], "RETRACTED");
    let mut states = Vec::new();
    for proposal in &proposals {
        states.push(proposal_status(&app, &client, proposal).await);
    }
    assert_eq!(states, ["CLOSED", "REJECTED", "REJECTED"]);
    assert_eq!(told(&app, &people[0]).await, ["CONTRACT_OFFERED", "CONTRACT_ENDED"]);
    assert_eq!(told(&app, &people[1]).await, ["PROPOSAL_SHORTLISTED", "PROPOSAL_REJECTED"]);
    assert_eq!(told(&app, &people[2]).await, ["PROPOSAL_REJECTED"]);
    // For good.
    for step in ["projectCancel", "projectReopen", "projectRenew", "projectHold"] {
        assert_eq!(brought(&app, &client, step, &project).await, "ILLEGAL_STATE", "{step}");
    }
    let answer = app.gql(&people[0], CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractAccept"), "ILLEGAL_STATE");
    app.finish().await;
}

#[tokio::test]
async fn a_project_in_progress_is_cancelled_once_its_contract_is_over() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    let contract = offer(&app, &client, &proposal).await;
    app.gql(&freelancer, CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(project_status(&app, &client, &project).await, "IN_PROGRESS");
    let id: ContractId = contract.parse().unwrap();
    for (status, wanted) in [
        (ContractStatus::Active, "ILLEGAL_STATE"),
        (ContractStatus::Paused, "ILLEGAL_STATE"),
        (ContractStatus::Disputed, "ILLEGAL_STATE"),
        (ContractStatus::Terminated, "CANCELLED"),
    ] {
        let moved = contract::ActiveModel { id: Set(id), status: Set(status), ..Default::default() };
        moved.update(app.app.db.writer()).await.unwrap();
        let answer = change(&app, &client, "projectCancel", json!({ "projectId": project })).await;
        if wanted == "CANCELLED" {
            assert_eq!(answer["data"]["projectCancel"]["project"]["status"], wanted);
            assert_eq!(answer["data"]["projectCancel"]["project"]["cancelReason"], Value::Null);
        } else {
            assert_eq!(code(&answer, "projectCancel"), wanted);
            let message = answer["data"]["projectCancel"]["userErrors"][0]["message"].as_str().unwrap();
            assert!(message.contains(status.as_str()) && message.contains("IN_PROGRESS"), "{message}");
        }
    }
    let draft = post(&app, &client, json!({ "publish": false })).await;
    assert_eq!(brought(&app, &client, "projectCancel", &draft).await, "CANCELLED");
    // What was never shown is not shown by being given up.
    let seen = "query($id: ID!) { project(id: $id) { title } node(id: $id) { id }
        projects(filter: { status: [CANCELLED] }) { nodes { id } } }";
    for (token, others) in [("", 1), (freelancer.as_str(), 1), (client.as_str(), 2)] {
        let answer = app.gql(token, seen, json!({ "id": draft })).await;
        assert_eq!(answer["data"]["project"].is_null(), others == 1, "{answer}");
        assert_eq!(answer["data"]["node"].is_null(), others == 1, "{answer}");
        assert_eq!(answer["data"]["projects"]["nodes"].as_array().unwrap().len(), others, "{answer}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_expired_project_is_renewed_for_sixty_days_more() {
    let app = patient().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    assert_eq!(brought(&app, &client, "projectRenew", &project).await, "ILLEGAL_STATE");
    for round in 1..=2 {
        app.advance(Duration::days(61));
        app.drain().await;
        assert_eq!(project_status(&app, &client, &project).await, "EXPIRED");
        let late = market::freelancer(&app).await;
        let answer = app.gql(&late, market::SUBMIT, json!({ "input": bid(&project) })).await;
        assert_eq!(code(&answer, "proposalSubmit"), "ILLEGAL_STATE");
        assert_eq!(brought(&app, &client, "projectHold", &project).await, "ILLEGAL_STATE");
        let answer = change(&app, &client, "projectRenew", json!({ "projectId": project })).await;
        let renewed = &answer["data"]["projectRenew"]["project"];
        let expires =
            (app.app.clock.now() + Duration::days(60)).format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        assert_eq!(
            (&renewed["status"], &renewed["expiresAt"]),
            (&json!("OPEN"), &json!(expires)),
            "{answer}"
        );
        let told = told(&app, &client).await;
        assert_eq!(told.iter().filter(|kind| *kind == "PROJECT_EXPIRED").count(), round, "{told:?}");
    }
    // The proposals that it had are as they were.
    assert_eq!(proposal_status(&app, &client, &proposal).await, "SUBMITTED");
    app.finish().await;
}

#[tokio::test]
async fn whatever_happens_on_a_project_keeps_it_from_expiring() {
    let app = patient().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({ "publish": false })).await;
    let expires = async || {
        let query = "query($id: ID!) { project(id: $id) { expiresAt } }";
        app.gql(&client, query, json!({ "id": project })).await["data"]["project"]["expiresAt"].clone()
    };
    let in_sixty_days =
        || json!((app.app.clock.now() + Duration::days(60)).format("%Y-%m-%dT%H:%M:%S+00:00").to_string());
    assert_eq!(expires().await, Value::Null, "a draft does not expire");
    app.advance(Duration::days(100));
    app.drain().await;
    for step in ["projectPublish", "projectUpdate", "projectHold", "projectReopen"] {
        // Warned in between, and told again the next time.
        app.advance(Duration::days(55));
        app.drain().await;
        let mut input = json!({ "projectId": project });
        if step == "projectUpdate" {
            input["title"] = json!("A shop that sells");
        }
        let answer = change(&app, &client, step, input).await;
        assert_eq!(codes(&answer, step), [], "{step}");
        let wanted = if step == "projectHold" { Value::Null } else { in_sixty_days() };
        assert_eq!(expires().await, wanted, "{step}");
    }
    app.advance(Duration::days(55));
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    assert_eq!(expires().await, in_sixty_days());
    app.advance(Duration::days(55));
    app.gql(&client, SHORTLIST, json!({ "id": proposal, "on": true })).await;
    assert_eq!(expires().await, in_sixty_days());
    let told = told(&app, &client).await;
    assert_eq!(told.iter().filter(|kind| *kind == "PROJECT_EXPIRING").count(), 2, "{told:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_client_changes_what_they_wrote_while_nobody_is_hired() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let skills = [market::skill(&app, "Rust").await, market::skill(&app, "GraphQL").await];
    let project = post(&app, &client, json!({ "skillIds": [skills[0]] })).await;
    let category = market::category(&app, 3).await;
    let input = json!({
        "projectId": project, "title": "  A shop that shines ", "description": "Lamps, and everything that makes them shine.",
        "categoryId": category, "skillIds": [skills[1], skills[0]], "budgetType": "HOURLY",
        "budgetMin": { "amount": "20" }, "budgetMax": { "amount": "40" }, "experienceLevel": "EXPERT",
    });
    let other = market::client(&app).await;
    for (token, wanted) in [(&other, "NOT_FOUND"), (&freelancer, "FORBIDDEN")] {
        assert_eq!(code(&change(&app, token, "projectUpdate", input.clone()).await, "projectUpdate"), wanted);
    }
    let answer = change(&app, &client, "projectUpdate", input).await;
    let changed = &answer["data"]["projectUpdate"]["project"];
    assert_eq!(changed["title"], "A shop that shines", "{answer}");
    assert_eq!(changed["skills"], json!([{ "name": "GraphQL" }, { "name": "Rust" }]));
    assert_eq!((&changed["budgetType"], &changed["experienceLevel"]), (&json!("HOURLY"), &json!("EXPERT")));
    assert_eq!(
        (&changed["budgetMin"]["amount"], &changed["budgetMax"]["amount"]),
        (&json!("20.00"), &json!("40.00"))
    );

    // What is left out stays, and holds together with what is changed.
    for (changes, wanted) in [
        (json!({ "budgetMin": { "amount": "40.000001" } }), ("budgetMax", "OUT_OF_RANGE")),
        (json!({ "budgetMax": { "amount": "19" } }), ("budgetMax", "OUT_OF_RANGE")),
        (json!({ "title": "four" }), ("title", "TOO_SHORT")),
        (json!({ "description": "x".repeat(10_001) }), ("description", "TOO_LONG")),
        (json!({ "skillIds": [skills[0], skills[0]] }), ("skillIds.1", "INVALID")),
        (
            json!({ "categoryId": domain::entities::CategoryId(uuid::Uuid::nil()).to_string() }),
            ("categoryId", "NOT_FOUND"),
        ),
    ] {
        let input = market::merged(json!({ "projectId": project }), changes);
        let answer = change(&app, &client, "projectUpdate", input).await;
        assert_eq!(codes(&answer, "projectUpdate"), [(wanted.0.to_owned(), wanted.1.to_owned())]);
    }
    let answer =
        change(&app, &client, "projectUpdate", json!({ "projectId": project, "skillIds": [] })).await;
    assert_eq!(answer["data"]["projectUpdate"]["project"]["skills"], json!([]));
    assert_eq!(answer["data"]["projectUpdate"]["project"]["title"], "A shop that shines");

    // A bid is made for the way it pays: even one that was taken back keeps that as it is.
    let hours = json!({ "bid": { "amount": "30" }, "estimatedHours": 10 });
    let proposal = propose(&app, &freelancer, &project, hours).await;
    let withdraw =
        "mutation($id: ID!) { proposalWithdraw(input: { proposalId: $id }) { userErrors { code } } }";
    app.gql(&freelancer, withdraw, json!({ "id": proposal })).await;
    let answer =
        change(&app, &client, "projectUpdate", json!({ "projectId": project, "budgetType": "FIXED" })).await;
    assert_eq!(codes(&answer, "projectUpdate"), [("budgetType".to_owned(), "ILLEGAL_STATE".to_owned())]);
    let same = json!({ "projectId": project, "budgetType": "HOURLY", "title": "Lamps, by the hour" });
    assert_eq!(codes(&change(&app, &client, "projectUpdate", same).await, "projectUpdate"), []);

    brought(&app, &client, "projectCancel", &project).await;
    let answer =
        change(&app, &client, "projectUpdate", json!({ "projectId": project, "title": "Too late" })).await;
    assert_eq!(code(&answer, "projectUpdate"), "ILLEGAL_STATE");
    app.finish().await;
}

const DELETE: &str = "mutation($id: ID!) { projectDelete(input: { projectId: $id }) { deletedProjectId
    userErrors { field code message } } }";

/// Project: never hard-deleted once it has a proposal.
#[tokio::test]
async fn rule_project_is_never_hard_deleted_once_it_has_a_proposal() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let skill = market::skill(&app, "Rust").await;
    let (bare, bid_on) = (
        post(&app, &client, json!({ "skillIds": [skill] })).await,
        post(&app, &client, json!({ "skillIds": [skill] })).await,
    );
    let proposal = propose(&app, &freelancer, &bid_on, json!({})).await;
    let withdraw =
        "mutation($id: ID!) { proposalWithdraw(input: { proposalId: $id }) { userErrors { code } } }";
    app.gql(&freelancer, withdraw, json!({ "id": proposal })).await;

    let answer = app.gql(&client, DELETE, json!({ "id": bid_on })).await;
    assert_eq!(codes(&answer, "projectDelete"), [("projectId".to_owned(), "ILLEGAL_STATE".to_owned())]);
    let message = answer["data"]["projectDelete"]["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains("projectCancel"), "{message}");
    let other = market::client(&app).await;
    for (token, wanted) in [(&other, "NOT_FOUND"), (&freelancer, "FORBIDDEN")] {
        assert_eq!(code(&app.gql(token, DELETE, json!({ "id": bare })).await, "projectDelete"), wanted);
    }
    let answer = app.gql(&client, DELETE, json!({ "id": bare })).await;
    assert_eq!(answer["data"]["projectDelete"]["deletedProjectId"], json!(bare), "{answer}");
    let seen = app.gql(&client, "query($id: ID!) { project(id: $id) { id } }", json!({ "id": bare })).await;
    assert_eq!(seen["data"]["project"], Value::Null);
    assert_eq!(code(&app.gql(&client, DELETE, json!({ "id": bare })).await, "projectDelete"), "NOT_FOUND");
    assert_eq!(project_status(&app, &client, &bid_on).await, "OPEN");
    app.finish().await;
}
