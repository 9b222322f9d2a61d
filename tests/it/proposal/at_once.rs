//! Decisions at the same moment: one wins, the other is told the state, and nothing is half done.

use domain::entities::{ContractStatus, ProjectId, contract, project};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    market::{self, CONTRACT_ACCEPT, accept, code, offer, post, project_status, proposal_status, propose},
    support::TestApp,
};

const WITHDRAW: &str = "mutation($id: ID!) { proposalWithdraw(input: { proposalId: $id }) {
    proposal { status } userErrors { field code message } } }";
const RETRACT: &str = "mutation($id: ID!) { contractRetract(input: { contractId: $id }) {
    contract { status } userErrors { field code message } } }";
const CANCEL: &str = "mutation($id: ID!) { projectCancel(input: { projectId: $id }) {
    project { status } userErrors { field code message } } }";

/// How often each pair is sent: either may come first.
const ROUNDS: usize = 6;

fn won(answer: &Value, mutation: &str) -> bool {
    answer["data"][mutation]["userErrors"] == json!([])
}

async fn contracts(app: &TestApp, project: &str) -> Vec<ContractStatus> {
    let id: ProjectId = project.parse().unwrap();
    let rows = contract::Entity::find().filter(contract::Column::ProjectId.eq(id));
    rows.all(app.app.db.reader()).await.unwrap().into_iter().map(|row| row.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_accepts_at_once_one_wins_and_there_is_one_contract() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let mut freelancers = Vec::new();
    for _ in 0..4 {
        freelancers.push(market::freelancer(&app).await);
    }
    for _ in 0..ROUNDS {
        let project = post(&app, &client, json!({})).await;
        let mut proposals = Vec::new();
        for freelancer in &freelancers {
            proposals.push(propose(&app, freelancer, &project, json!({})).await);
        }
        let accepts = proposals.iter().map(|proposal| accept(&app, &client, proposal));
        let answers = futures::future::join_all(accepts).await;
        assert_eq!(answers.iter().filter(|answer| won(answer, "proposalAccept")).count(), 1);
        for loser in answers.iter().filter(|answer| !won(answer, "proposalAccept")) {
            assert_eq!(code(loser, "proposalAccept"), "ILLEGAL_STATE");
        }
        assert_eq!(contracts(&app, &project).await, [ContractStatus::Pending]);
        let mut states = Vec::new();
        for proposal in &proposals {
            states.push(proposal_status(&app, &client, proposal).await);
        }
        states.sort();
        assert_eq!(states, ["ACCEPTED", "SUBMITTED", "SUBMITTED", "SUBMITTED"]);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_beside_a_withdrawal_leaves_both_sides_agreeing() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    for round in 0..ROUNDS {
        let project = post(&app, &client, json!({})).await;
        let proposal = propose(&app, &freelancer, &project, json!({})).await;
        let withdraw = || app.gql(&freelancer, WITHDRAW, json!({ "id": proposal }));
        let (accepted, withdrawn) = if round % 2 == 0 {
            tokio::join!(accept(&app, &client, &proposal), withdraw())
        } else {
            let (withdrawn, accepted) = tokio::join!(withdraw(), accept(&app, &client, &proposal));
            (accepted, withdrawn)
        };
        let (client_won, freelancer_won) =
            (won(&accepted, "proposalAccept"), won(&withdrawn, "proposalWithdraw"));
        assert!(client_won ^ freelancer_won, "{accepted} {withdrawn}");
        let status = proposal_status(&app, &client, &proposal).await;
        if client_won {
            assert_eq!(code(&withdrawn, "proposalWithdraw"), "ILLEGAL_STATE");
            assert_eq!((status.as_str(), contracts(&app, &project).await.len()), ("ACCEPTED", 1));
        } else {
            assert_eq!(code(&accepted, "proposalAccept"), "ILLEGAL_STATE");
            assert_eq!((status.as_str(), contracts(&app, &project).await.len()), ("WITHDRAWN", 0));
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beside_a_retraction_or_a_cancellation_is_one_or_the_other() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    for round in 0..ROUNDS {
        let project = post(&app, &client, json!({})).await;
        let proposal = propose(&app, &freelancer, &project, json!({})).await;
        let contract = offer(&app, &client, &proposal).await;
        let (mutation, name, id) = if round % 2 == 0 {
            (RETRACT, "contractRetract", &contract)
        } else {
            (CANCEL, "projectCancel", &project)
        };
        let (yes, no) = tokio::join!(
            app.gql(&freelancer, CONTRACT_ACCEPT, json!({ "id": contract })),
            app.gql(&client, mutation, json!({ "id": id })),
        );
        assert!(won(&yes, "contractAccept") ^ won(&no, name), "{yes} {no}");
        let states = (
            contracts(&app, &project).await,
            proposal_status(&app, &client, &proposal).await,
            project_status(&app, &client, &project).await,
        );
        if won(&yes, "contractAccept") {
            assert_eq!(code(&no, name), "ILLEGAL_STATE");
            assert_eq!(
                states,
                (vec![ContractStatus::Active], "ACCEPTED".to_owned(), "IN_PROGRESS".to_owned())
            );
        } else {
            assert_eq!(code(&yes, "contractAccept"), "ILLEGAL_STATE");
            let after = if round % 2 == 0 { "OPEN" } else { "CANCELLED" };
            assert_eq!(states, (vec![ContractStatus::Retracted], "CLOSED".to_owned(), after.to_owned()));
        }
    }
    let open = project::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert_eq!(open.len(), ROUNDS);
    app.finish().await;
}
