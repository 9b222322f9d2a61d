//! Contracts that rest and go on.

use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

async fn pause(app: &TestApp, who: &Someone, deal: &Deal) -> Value {
    app.on_contract(&who.token, "contractPause", deal, json!({})).await
}

async fn resume(app: &TestApp, who: &Someone, deal: &Deal) -> Value {
    app.on_contract(&who.token, "contractResume", deal, json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_contract_rests_nothing_is_funded_handed_in_or_approved() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    let paused = ok(pause(&app, &deal.client, &deal).await)["contract"].clone();
    assert_eq!(paused["status"], "PAUSED");
    assert!(paused["pausedAt"].is_string());
    assert_eq!(errors(&pause(&app, &deal.client, &deal).await), ["contractId:ILLEGAL_STATE"]);

    let state = ["milestoneId:ILLEGAL_STATE"];
    assert_eq!(errors(&app.fund(&deal, &deal.milestones[1], &new_key()).await), state);
    assert_eq!(errors(&app.try_submit(&deal, &deal.milestones[0]).await), state);
    assert_eq!(errors(&app.approve(&deal, &deal.milestones[0], &new_key()).await), state);
    // A refund is the freelancer's way out.
    ok(app.refund(&deal, &deal.milestones[0], Some("40"), &new_key()).await);
    app.settle().await;
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDED");

    let resumed = ok(resume(&app, &deal.client, &deal).await)["contract"].clone();
    assert_eq!((&resumed["status"], &resumed["pausedAt"]), (&json!("ACTIVE"), &Value::Null));
    assert_eq!(errors(&resume(&app, &deal.client, &deal).await), ["contractId:ILLEGAL_STATE"]);
    ok(app.try_submit(&deal, &deal.milestones[0]).await);
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    // A second rest is told like the first.
    ok(pause(&app, &deal.client, &deal).await);
    app.settle().await;
    let told: Vec<_> = app.mails(&deal.freelancer.email).into_iter().map(|mail| mail.subject).collect();
    let count = |subject: &str| told.iter().filter(|told| *told == subject).count();
    assert_eq!(count("The contract on A web shop for plants is paused"), 2, "{told:?}");
    assert_eq!(count("The contract on A web shop for plants goes on"), 1, "{told:?}");
    app.finish().await;
}

/// Nobody gets around the automatic release by letting the contract rest.
#[tokio::test(flavor = "multi_thread")]
async fn handed_in_work_is_answered_before_a_contract_rests() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let refused = pause(&app, &deal.client, &deal).await;
    assert_eq!(errors(&refused), ["contractId:ILLEGAL_STATE"]);
    assert!(text(&refused["userErrors"][0]["message"]).contains("\"Part 1\" is SUBMITTED"), "{refused}");
    // Nor while a refund is under way after which it waits again.
    ok(app.refund(&deal, &deal.milestones[0], Some("10"), &new_key()).await);
    assert_eq!(errors(&pause(&app, &deal.client, &deal).await), ["contractId:ILLEGAL_STATE"]);
    app.settle().await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);

    // What was approved is paid while the contract rests; going on, it finds that it is complete.
    ok(pause(&app, &deal.client, &deal).await);
    app.settle().await;
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PAID");
    assert_eq!(app.contract_of(&deal, "status").await["status"], "PAUSED");
    let resumed = ok(resume(&app, &deal.client, &deal).await)["contract"].clone();
    assert_eq!(
        (&resumed["status"], &resumed["project"]["status"]),
        (&json!("COMPLETED"), &json!("COMPLETED"))
    );
    app.finish().await;
}

/// Resting and handing in at once: one of them comes second and is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_rest_beside_a_submission_leaves_no_unanswered_work() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    for _ in 0..5 {
        let (paused, submitted) =
            tokio::join!(pause(&app, &deal.client, &deal), app.try_submit(&deal, &deal.milestones[0]));
        let won = |payload: &Value| payload["userErrors"] == json!([]);
        assert!(won(&paused) ^ won(&submitted), "{paused} {submitted}");
        if won(&paused) {
            ok(resume(&app, &deal.client, &deal).await);
        } else {
            let query =
                "mutation($input: MilestoneRequestChangesInput!) { milestoneRequestChanges(input: $input) {
                milestone { status } userErrors { field code message } } }";
            let input = json!({ "milestoneId": deal.milestones[0], "feedback": "More." });
            ok(app.mutate(&deal.client.token, query, input).await);
        }
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_client_lets_a_contract_rest() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let stranger = app.client("olga").await;
    for paused in [false, true] {
        for (who, wanted) in [(&stranger, "contractId:NOT_FOUND"), (&deal.freelancer, ":FORBIDDEN")] {
            assert_eq!(errors(&pause(&app, who, &deal).await), [wanted]);
            assert_eq!(errors(&resume(&app, who, &deal).await), [wanted]);
        }
        if !paused {
            ok(pause(&app, &deal.client, &deal).await);
        }
    }
    app.finish().await;
}
