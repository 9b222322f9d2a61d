//! Amendments: one side proposes, the other answers, and only then does a contract change.

use chrono::Duration;
use domain::entities::{
    AmendmentChangeKind, AmendmentStatus, ContractId, UserId, amendment_change, contract_amendment,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

mod limits;

const AMENDMENT: &str =
    "amendment { id status reason description endAt amountBefore { amount } amount { amount }
    answeredAt proposedBy { id } contract { status amount { amount } }
    changes { kind position title amount { amount } dueAt milestone { id status } } }
    userErrors { field code message }";

async fn amend(app: &TestApp, who: &Someone, deal: &Deal, more: Value) -> Value {
    let query =
        format!("mutation($input: ContractAmendInput!) {{ contractAmend(input: $input) {{ {AMENDMENT} }} }}");
    let mut input = json!({ "contractId": deal.contract, "reason": "We found more to do." });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    app.mutate(&who.token, &query, input).await
}

/// amendmentAccept, -Reject or -Withdraw: the payload.
async fn answer(app: &TestApp, who: &Someone, how: &str, amendment: &str) -> Value {
    let query = format!(
        "mutation($input: Amendment{how}Input!) {{ amendment{how}(input: $input) {{ {AMENDMENT} }} }}"
    );
    app.mutate(&who.token, &query, json!({ "amendmentId": amendment })).await
}

fn id(payload: &Value) -> String {
    text(&payload["amendment"]["id"])
}

fn money(amount: &str) -> Value {
    json!({ "amount": amount })
}

/// The contract's amount, and the amounts and states of its milestones.
async fn terms(app: &TestApp, deal: &Deal) -> Value {
    let fields = "amount { amount } description endAt milestones { title status position amount { amount } }";
    app.contract_of(deal, fields).await
}

/// Contract: the milestones' sum equals the contract's amount, changed only by an amendment both sides accept.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_contracts_amount_changes_only_by_an_amendment_that_both_sides_accept() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let before = terms(&app, &deal).await;
    let change = json!({
        "description": "The shop as described, and a blog.",
        "add": [{ "title": "Blog", "amount": money("25.5"), "dueAt": "2026-06-01T00:00:00Z" }],
        "change": [{ "milestoneId": deal.milestones[0], "title": "Shop", "amount": money("80") }],
        "remove": [deal.milestones[1]],
    });
    // Rejected or withdrawn, it changes nothing.
    for (who, how, status) in
        [(&deal.client, "Reject", "REJECTED"), (&deal.freelancer, "Withdraw", "WITHDRAWN")]
    {
        let proposed = ok(amend(&app, &deal.freelancer, &deal, change.clone()).await);
        let ended = ok(answer(&app, who, how, &id(&proposed)).await);
        assert_eq!(ended["amendment"]["status"], status);
        assert!(ended["amendment"]["answeredAt"].is_string());
        assert_eq!(terms(&app, &deal).await, before);
    }

    let proposed = ok(amend(&app, &deal.freelancer, &deal, change).await)["amendment"].clone();
    assert_eq!((&proposed["status"], &proposed["answeredAt"]), (&json!("PROPOSED"), &Value::Null));
    assert_eq!(proposed["amountBefore"]["amount"], "150.00");
    assert_eq!(proposed["amount"]["amount"], "105.50");
    assert_eq!(proposed["proposedBy"]["id"], json!(deal.freelancer.id));
    let kinds: Vec<_> =
        proposed["changes"].as_array().unwrap().iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["CHANGE", "REMOVE", "ADD"]);
    assert_eq!(terms(&app, &deal).await, before, "proposed is not accepted");

    let accepted =
        ok(answer(&app, &deal.client, "Accept", &text(&proposed["id"])).await)["amendment"].clone();
    assert_eq!(accepted["status"], "ACCEPTED");
    assert_eq!(accepted["contract"]["amount"]["amount"], "105.50");
    let after = terms(&app, &deal).await;
    assert_eq!(after["description"], "The shop as described, and a blog.");
    assert_eq!(after["amount"]["amount"], "105.50");
    assert_eq!(
        after["milestones"],
        json!([
            { "title": "Shop", "status": "PENDING", "position": 1, "amount": { "amount": "80.00" } },
            { "title": "Part 2", "status": "CANCELLED", "position": 2, "amount": { "amount": "50.00" } },
            { "title": "Blog", "status": "PENDING", "position": 3, "amount": { "amount": "25.50" } },
        ])
    );
    app.drain().await;
    let told: Vec<_> = app.mails(&deal.freelancer.email).into_iter().map(|mail| mail.subject).collect();
    assert!(
        told.iter().any(|told| told == "carla agreed to the change on A web shop for plants"),
        "{told:?}"
    );
    let told: Vec<_> = app.mails(&deal.client.email).into_iter().map(|mail| mail.subject).collect();
    let asked = "felix wants to change the contract on A web shop for plants";
    assert_eq!(told.iter().filter(|told| *told == asked).count(), 3, "{told:?}");
    app.finish().await;
}

/// Only the other side answers, only who proposed it takes it back, and strangers see nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_propose_answer_and_withdraw() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (stranger, admin) = (app.freelancer("olga").await, app.admin().await);
    let change = json!({ "add": [{ "title": "More", "amount": money("1") }] });
    assert_eq!(errors(&amend(&app, &stranger, &deal, change.clone()).await), ["contractId:NOT_FOUND"]);
    assert_eq!(errors(&amend(&app, &admin, &deal, change.clone()).await), [":FORBIDDEN"]);
    let amendment = id(&ok(amend(&app, &deal.client, &deal, change.clone()).await));
    for how in ["Accept", "Reject"] {
        assert_eq!(errors(&answer(&app, &deal.client, how, &amendment).await), [":FORBIDDEN"]);
        assert_eq!(errors(&answer(&app, &stranger, how, &amendment).await), ["amendmentId:NOT_FOUND"]);
        assert_eq!(errors(&answer(&app, &admin, how, &amendment).await), [":FORBIDDEN"]);
    }
    assert_eq!(errors(&answer(&app, &deal.freelancer, "Withdraw", &amendment).await), [":FORBIDDEN"]);
    assert_eq!(errors(&answer(&app, &stranger, "Withdraw", &amendment).await), ["amendmentId:NOT_FOUND"]);
    // While it is open there is no other, whoever asks.
    for who in [&deal.client, &deal.freelancer] {
        assert_eq!(errors(&amend(&app, who, &deal, change.clone()).await), ["contractId:ILLEGAL_STATE"]);
    }
    ok(answer(&app, &deal.client, "Withdraw", &amendment).await);
    for (who, how) in [(&deal.freelancer, "Accept"), (&deal.freelancer, "Reject"), (&deal.client, "Withdraw")]
    {
        assert_eq!(errors(&answer(&app, who, how, &amendment).await), ["amendmentId:ILLEGAL_STATE"]);
    }
    let second = id(&ok(amend(&app, &deal.freelancer, &deal, change).await));

    // The list is newest first, for those who see the contract; `node` shows one to the same people.
    let list = app.contract_of(&deal, "amendments { totalCount nodes { id status } }").await;
    assert_eq!(
        list["amendments"],
        json!({ "totalCount": 2, "nodes": [
            { "id": second, "status": "PROPOSED" }, { "id": amendment, "status": "WITHDRAWN" },
        ] })
    );
    let node = "query($id: ID!) { node(id: $id) { id ... on Amendment { reason } } }";
    for (token, sees) in [
        (&deal.client.token, true),
        (&deal.freelancer.token, true),
        (&admin.token, true),
        (&stranger.token, false),
        (&String::new(), false),
    ] {
        let seen = app.gql(token, node, json!({ "id": second })).await["data"]["node"].clone();
        assert_eq!(seen.is_object(), sees, "{seen}");
    }
    app.finish().await;
}

/// A milestone that is funded between the proposal and its acceptance: nothing of it happens.
#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_of_a_milestone_that_is_funded_meanwhile_changes_nothing() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let change = json!({
        "add": [{ "title": "More", "amount": money("1") }],
        "change": [{ "milestoneId": deal.milestones[1], "amount": money("60") }],
        "remove": [deal.milestones[0]],
    });
    let amendment = id(&ok(amend(&app, &deal.client, &deal, change).await));
    ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let before = terms(&app, &deal).await;
    let refused = answer(&app, &deal.freelancer, "Accept", &amendment).await;
    assert_eq!(errors(&refused), ["amendmentId:ILLEGAL_STATE"]);
    let message = text(&refused["userErrors"][0]["message"]);
    assert!(message.contains("\"Part 1\", is FUNDING") && message.contains("PENDING"), "{message}");
    assert_eq!(terms(&app, &deal).await, before);
    let list = app.contract_of(&deal, "amendments { nodes { status } }").await;
    assert_eq!(list["amendments"]["nodes"][0]["status"], "PROPOSED");
    ok(answer(&app, &deal.freelancer, "Reject", &amendment).await);
    app.finish().await;
}

fn won(payload: &Value) -> bool {
    payload["userErrors"] == json!([])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let more = |title: &str| json!({ "add": [{ "title": title, "amount": money("1") }] });
    // Two proposals.
    let (one, other) = tokio::join!(
        amend(&app, &deal.client, &deal, more("One")),
        amend(&app, &deal.freelancer, &deal, more("Other")),
    );
    assert!(won(&one) ^ won(&other), "{one} {other}");
    let (winner, loser) = if won(&one) { (&one, &other) } else { (&other, &one) };
    assert_eq!(errors(loser), ["contractId:ILLEGAL_STATE"]);
    let (proposer, answerer) =
        if won(&one) { (&deal.client, &deal.freelancer) } else { (&deal.freelancer, &deal.client) };
    // Two accepts of it.
    let amendment = id(winner);
    let (first, second) = tokio::join!(
        answer(&app, answerer, "Accept", &amendment),
        answer(&app, answerer, "Accept", &amendment),
    );
    assert!(won(&first) ^ won(&second), "{first} {second}");
    assert_eq!(terms(&app, &deal).await["amount"]["amount"], "101.00", "applied once");
    // An accept beside a withdrawal, and beside a deposit for what it drops.
    for _ in 0..3 {
        let before = text(&terms(&app, &deal).await["amount"]["amount"]);
        let proposed = ok(amend(&app, proposer, &deal, more("Again")).await);
        let after = text(&proposed["amendment"]["amount"]["amount"]);
        let amendment = id(&proposed);
        let (accepted, withdrawn) = tokio::join!(
            answer(&app, answerer, "Accept", &amendment),
            answer(&app, proposer, "Withdraw", &amendment),
        );
        assert!(won(&accepted) ^ won(&withdrawn), "{accepted} {withdrawn}");
        let loser = if won(&accepted) { &withdrawn } else { &accepted };
        assert_eq!(errors(loser), ["amendmentId:ILLEGAL_STATE"]);
        let amount = text(&terms(&app, &deal).await["amount"]["amount"]);
        assert_eq!(amount, if won(&accepted) { after } else { before });
    }
    let proposed = ok(amend(&app, proposer, &deal, json!({ "remove": [deal.milestones[0]] })).await);
    let (amendment, key) = (id(&proposed), new_key());
    let (accepted, funded) = tokio::join!(
        answer(&app, answerer, "Accept", &amendment),
        app.fund(&deal, &deal.milestones[0], &key),
    );
    assert!(won(&accepted) ^ won(&funded), "{accepted} {funded}");
    let status = app.status_of(&deal, &deal.milestones[0]).await;
    assert_eq!(status, if won(&accepted) { "CANCELLED" } else { "FUNDING" });
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_ends_takes_its_open_amendment_with_it() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let more = json!({ "add": [{ "title": "More", "amount": money("1") }] });
    ok(amend(&app, &deal.client, &deal, more.clone()).await);
    app.paid(&deal, &deal.milestones[0]).await;
    let fields = "status amendments { nodes { status answeredAt } }";
    let done = app.contract_of(&deal, fields).await;
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(done["amendments"]["nodes"][0]["status"], "WITHDRAWN");
    assert!(done["amendments"]["nodes"][0]["answeredAt"].is_string());
    assert_eq!(errors(&amend(&app, &deal.client, &deal, more.clone()).await), ["contractId:ILLEGAL_STATE"]);
    app.finish().await;

    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let amendment = id(&ok(amend(&app, &deal.freelancer, &deal, more).await));
    let reason = json!({ "reason": "Enough." });
    ok(app.on_contract(&deal.freelancer.token, "contractTerminate", &deal, reason).await);
    let done = app.contract_of(&deal, fields).await;
    assert_eq!(done["amendments"]["nodes"][0]["status"], "WITHDRAWN");
    let late = answer(&app, &deal.client, "Accept", &amendment).await;
    assert_eq!(errors(&late), ["amendmentId:ILLEGAL_STATE"]);
    app.finish().await;
}

/// What is paid is all that is left: accepting that the rest is dropped completes the contract.
#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_rest_completes_a_contract() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    let proposed = ok(amend(&app, &deal.client, &deal, json!({ "remove": [deal.milestones[1]] })).await);
    let accepted = ok(answer(&app, &deal.freelancer, "Accept", &id(&proposed)).await);
    assert_eq!(
        accepted["amendment"]["contract"],
        json!({ "status": "COMPLETED", "amount": { "amount": "100.00" } })
    );
    assert_eq!(app.contract_of(&deal, "project { status }").await["project"]["status"], "COMPLETED");
    app.finish().await;
}

/// A contract that rests takes no changes; one that was proposed before waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_resting_contract_is_not_changed() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let more = json!({ "add": [{ "title": "More", "amount": money("1") }] });
    let amendment = id(&ok(amend(&app, &deal.client, &deal, more.clone()).await));
    ok(app.on_contract(&deal.client.token, "contractPause", &deal, json!({})).await);
    assert_eq!(errors(&amend(&app, &deal.client, &deal, more).await), ["contractId:ILLEGAL_STATE"]);
    let refused = answer(&app, &deal.freelancer, "Accept", &amendment).await;
    assert_eq!(errors(&refused), ["amendmentId:ILLEGAL_STATE"]);
    assert_eq!(terms(&app, &deal).await["amount"]["amount"], "100.00");
    ok(app.on_contract(&deal.client.token, "contractResume", &deal, json!({})).await);
    ok(answer(&app, &deal.freelancer, "Accept", &amendment).await);
    app.finish().await;
}

/// The database refuses a second open amendment, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_one_open_amendment_a_contract() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    ok(amend(&app, &deal.client, &deal, json!({ "add": [{ "title": "More", "amount": money("1") }] })).await);
    let db = app.app.db.writer();
    let contract: ContractId = deal.contract.parse().unwrap();
    let row = contract_amendment::Entity::find()
        .filter(contract_amendment::Column::ContractId.eq(contract))
        .one(db)
        .await
        .unwrap()
        .unwrap();
    let line = amendment_change::Entity::find()
        .filter(amendment_change::Column::AmendmentId.eq(row.id))
        .one(db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((line.kind, line.position), (AmendmentChangeKind::Add, 1));
    let proposed_by: UserId = deal.freelancer.id.parse().unwrap();
    let now = row.created_at + Duration::seconds(1);
    let second =
        contract_amendment::Model { id: app.app.clock.new_id(), proposed_by, created_at: now, ..row };
    assert!(second.clone().into_active_model().insert(db).await.is_err());
    let answered = contract_amendment::Model { status: AmendmentStatus::Rejected, ..second };
    assert!(answered.into_active_model().insert(db).await.is_ok());
    app.finish().await;
}
