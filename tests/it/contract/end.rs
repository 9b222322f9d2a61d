//! How contracts end: complete by themselves, or terminated.

use domain::entities::{ContractId, ContractStatus, contract};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

const ENDS: &str = "status endedAt endReason endedBy { id } project { status } milestones { status }";

async fn terminate(app: &TestApp, who: &Someone, deal: &Deal) -> Value {
    app.on_contract(&who.token, "contractTerminate", deal, json!({ "reason": "We agreed to part." })).await
}

fn subjects(app: &TestApp, who: &Someone) -> Vec<String> {
    app.mails(&who.email).into_iter().map(|mail| mail.subject).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_payout_completes_the_contract_and_its_project() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    let running = app.contract_of(&deal, ENDS).await;
    assert_eq!(
        (&running["status"], &running["project"]["status"]),
        (&json!("ACTIVE"), &json!("IN_PROGRESS"))
    );
    app.paid(&deal, &deal.milestones[1]).await;
    let done = app.contract_of(&deal, ENDS).await;
    assert_eq!((&done["status"], &done["project"]["status"]), (&json!("COMPLETED"), &json!("COMPLETED")));
    assert!(
        done["endedAt"].is_string() && done["endedBy"].is_null() && done["endReason"].is_null(),
        "{done}"
    );
    app.drain().await;
    for person in [&deal.client, &deal.freelancer] {
        let told = subjects(&app, person);
        let subject = "The contract on A web shop for plants is complete";
        assert_eq!(told.iter().filter(|told| *told == subject).count(), 1, "{told:?}");
    }
    // Complete is complete.
    assert_eq!(errors(&terminate(&app, &deal.client, &deal).await), ["contractId:ILLEGAL_STATE"]);
    app.finish().await;
}

/// A refund may be the last as well; one milestone has to be paid, or nothing was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_completes_what_was_paid_in_part_and_nothing_else() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    app.funded(&deal, &deal.milestones[1]).await;
    ok(app.refund(&deal, &deal.milestones[1], None, &new_key()).await);
    assert_eq!(app.contract_of(&deal, ENDS).await["status"], "ACTIVE");
    app.settle().await;
    let done = app.contract_of(&deal, ENDS).await;
    assert_eq!(done["status"], "COMPLETED", "{done}");
    app.finish().await;

    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    ok(app.refund(&deal, &deal.milestones[0], None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "REFUNDED");
    assert_eq!(app.contract_of(&deal, ENDS).await["status"], "ACTIVE");
    ok(terminate(&app, &deal.client, &deal).await);
    app.finish().await;
}

/// The process dies between the final payout and the contract's completion: neither happened, and the next look
/// does both.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_between_the_payout_and_the_completion_loses_neither() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let release = text(&ok(app.approve(&deal, &deal.milestones[0], &new_key()).await)["payment"]["id"]);
    // Whoever completes a project, the last step of it, comes to nothing.
    let db = app.app.db.writer();
    let (deadly, alive): (&[&str], &[&str]) = match app.app.db.backend() {
        DbBackend::Postgres => (
            &[
                "CREATE FUNCTION dies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it dies here'; END $$",
                "CREATE TRIGGER dies BEFORE UPDATE ON projects FOR EACH ROW WHEN (NEW.status = 'COMPLETED') EXECUTE FUNCTION dies()",
            ],
            &["DROP TRIGGER dies ON projects"],
        ),
        _ => (
            &["CREATE TRIGGER dies BEFORE UPDATE ON projects WHEN NEW.status = 'COMPLETED'
               BEGIN SELECT RAISE(ABORT, 'it dies here'); END"],
            &["DROP TRIGGER dies"],
        ),
    };
    for statement in deadly {
        db.execute_unprepared(statement).await.unwrap();
    }
    app.settle().await;
    // Final on the chain, but not here: not the payment, not the milestone, not the contract.
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    let state = text(&app.payment(&deal.client, &release).await["status"]);
    assert!(["SUBMITTED", "CONFIRMING"].contains(&state.as_str()), "{state}");
    let before = app.contract_of(&deal, ENDS).await;
    assert_eq!(
        (&before["status"], &before["milestones"][0]["status"]),
        (&json!("ACTIVE"), &json!("APPROVED"))
    );
    for statement in alive {
        db.execute_unprepared(statement).await.unwrap();
    }
    // Past every back-off of the job, and past the sweep's grace.
    app.advance(chrono::Duration::hours(2));
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
    let after = app.contract_of(&deal, ENDS).await;
    assert_eq!((&after["status"], &after["project"]["status"]), (&json!("COMPLETED"), &json!("COMPLETED")));
    app.finish().await;
}

/// Contract: ends only when nothing is left in escrow or under way.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_contract_ends_only_when_nothing_is_in_escrow_or_under_way() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let part = &deal.milestones[0];
    let refused = async |state: &str| {
        let payload = terminate(&app, &deal.freelancer, &deal).await;
        assert_eq!(errors(&payload), ["contractId:ILLEGAL_STATE"], "{state}");
        let message = text(&payload["userErrors"][0]["message"]);
        for word in ["\"Part 1\"", state, "ACTIVE", "TERMINATED"] {
            assert!(message.contains(word), "{message}");
        }
        assert_eq!(app.status_of(&deal, part).await, state);
    };
    let deposit = ok(app.fund(&deal, part, &new_key()).await);
    refused("FUNDING").await;
    let treasury = text(&deposit["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.mine(5).await;
    refused("FUNDED").await;
    app.submit(&deal, part).await;
    refused("SUBMITTED").await;
    ok(app.refund(&deal, part, Some("30"), &new_key()).await);
    refused("REFUNDING").await;
    app.settle().await;
    refused("SUBMITTED").await;
    ok(app.approve(&deal, part, &new_key()).await);
    refused("APPROVED").await;
    app.settle().await;

    // The one that is paid and the one that nobody funded are in nobody's way.
    let ended = ok(terminate(&app, &deal.freelancer, &deal).await)["contract"].clone();
    assert_eq!(
        (&ended["status"], &ended["project"]["status"]),
        (&json!("TERMINATED"), &json!("IN_PROGRESS"))
    );
    assert_eq!(ended["endReason"], "We agreed to part.");
    assert_eq!(ended["endedBy"]["id"], json!(deal.freelancer.id));
    assert!(ended["endedAt"].is_string());
    assert_eq!(app.status_of(&deal, part).await, "PAID");
    assert_eq!(app.status_of(&deal, &deal.milestones[1]).await, "CANCELLED");
    app.drain().await;
    let subject = "The contract on A web shop for plants ended early".to_owned();
    assert!(subjects(&app, &deal.client).contains(&subject));
    assert!(!subjects(&app, &deal.freelancer).contains(&subject));
    assert_eq!(errors(&terminate(&app, &deal.client, &deal).await), ["contractId:ILLEGAL_STATE"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_end_a_contract_and_why() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let stranger = app.freelancer("olga").await;
    assert_eq!(errors(&terminate(&app, &stranger, &deal).await), ["contractId:NOT_FOUND"]);
    let query = "mutation($input: ContractTerminateInput!) { contractTerminate(input: $input) {
        contract { status } userErrors { field code message } } }";
    let input = json!({ "contractId": deal.contract, "reason": "x" });
    let answer = app.gql("", query, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    for (reason, wanted) in [(String::new(), "reason:REQUIRED"), ("x".repeat(1_001), "reason:TOO_LONG")] {
        let input = json!({ "contractId": deal.contract, "reason": reason });
        assert_eq!(errors(&app.mutate(&deal.client.token, query, input).await), [wanted]);
    }
    // An admin may; both sides are told.
    let admin = app.admin().await;
    let input = json!({ "contractId": deal.contract, "reason": "x".repeat(1_000) });
    ok(app.mutate(&admin.token, query, input).await);
    app.drain().await;
    for person in [&deal.client, &deal.freelancer] {
        let told = subjects(&app, person);
        assert!(
            told.iter().any(|told| told == "The contract on A web shop for plants ended early"),
            "{told:?}"
        );
    }
    app.finish().await;
}

/// While a dispute is open its parties cannot walk away from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_contract_is_ended_by_admins_only() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let id: ContractId = deal.contract.parse().unwrap();
    let change =
        contract::ActiveModel { id: Set(id), status: Set(ContractStatus::Disputed), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
    for party in [&deal.client, &deal.freelancer] {
        let payload = terminate(&app, party, &deal).await;
        assert_eq!(errors(&payload), ["contractId:ILLEGAL_STATE"]);
        let message = text(&payload["userErrors"][0]["message"]);
        assert!(message.contains("DISPUTED") && message.contains("TERMINATED"), "{message}");
    }
    let admin = app.admin().await;
    assert_eq!(ok(terminate(&app, &admin, &deal).await)["contract"]["status"], "TERMINATED");
    app.finish().await;
}
