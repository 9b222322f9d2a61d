//! The life cycles of contracts and milestones through the router: each mutation in each state, and the limits.

use domain::entities::{ContractId, ContractStatus, contract};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use super::{DECLINE, RETRACT, market as new_market};
use crate::{
    market::{self, ACCEPT, CONTRACT_ACCEPT, accept, code, codes, offer},
    support::{Deal, Someone, TestApp, errors, new_key, ok, text},
};

/// Two people, and a contract between them in a state.
async fn in_state(app: &TestApp, client: &Someone, freelancer: &Someone, state: &str) -> Deal {
    let project = app.project(client).await;
    let proposal = app.proposal(freelancer, &project, &[10]).await;
    let contract = app.offer(client, &proposal).await;
    let same = |who: &Someone| Someone {
        id: who.id.clone(),
        email: who.email.clone(),
        token: who.token.clone(),
        wallet: who.wallet.clone(),
    };
    let mut deal =
        Deal { client: same(client), freelancer: same(freelancer), contract, milestones: Vec::new() };
    let milestones = app.contract_of(&deal, "milestones { id }").await;
    deal.milestones.push(text(&milestones["milestones"][0]["id"]));
    let path: &[&str] = match state {
        "PENDING" => &[],
        "DECLINED" => &["contractDecline"],
        "RETRACTED" => &["contractRetract"],
        "PAUSED" => &["contractAccept", "contractPause"],
        "TERMINATED" => &["contractAccept", "contractTerminate"],
        "LAPSED" => {
            app.advance(domain::contract::ANSWER_WITHIN);
            app.drain().await;
            &[]
        }
        _ => &["contractAccept"],
    };
    for mutation in path {
        ok(call(app, &deal, mutation).await);
    }
    match state {
        "COMPLETED" => app.paid(&deal, &deal.milestones[0]).await,
        "DISPUTED" => {
            let id: ContractId = deal.contract.parse().unwrap();
            let status = Set(ContractStatus::Disputed);
            let change = contract::ActiveModel { id: Set(id), status, ..Default::default() };
            change.update(app.app.db.writer()).await.unwrap();
        }
        _ => (),
    }
    assert_eq!(app.contract_of(&deal, "status").await["status"], state);
    deal
}

/// Calls a mutation as the one who may.
async fn call(app: &TestApp, deal: &Deal, mutation: &str) -> Value {
    let who = if matches!(mutation, "contractAccept" | "contractDecline") {
        &deal.freelancer
    } else {
        &deal.client
    };
    let more = if mutation == "contractTerminate" { json!({ "reason": "Enough." }) } else { json!({}) };
    app.on_contract(&who.token, mutation, deal, more).await
}

/// Contract: every (state, mutation): what the life cycle does not draw is refused and names both states.
#[tokio::test(flavor = "multi_thread")]
async fn rule_contracts_move_as_their_life_cycle_says_and_no_other_way() {
    const MUTATIONS: [&str; 6] = [
        "contractAccept",
        "contractDecline",
        "contractRetract",
        "contractPause",
        "contractResume",
        "contractTerminate",
    ];
    let app = TestApp::start().await;
    let (client, freelancer) = (app.client("carla").await, app.freelancer("felix").await);
    for (state, legal) in [
        (
            "PENDING",
            &[
                ("contractAccept", "ACTIVE"),
                ("contractDecline", "DECLINED"),
                ("contractRetract", "RETRACTED"),
            ][..],
        ),
        ("ACTIVE", &[("contractPause", "PAUSED"), ("contractTerminate", "TERMINATED")]),
        ("PAUSED", &[("contractResume", "ACTIVE"), ("contractTerminate", "TERMINATED")]),
        // Its parties wait for the dispute's end.
        ("DISPUTED", &[]),
        ("COMPLETED", &[]),
        ("TERMINATED", &[]),
        ("DECLINED", &[]),
        ("RETRACTED", &[]),
        ("LAPSED", &[]),
    ] {
        let deal = in_state(&app, &client, &freelancer, state).await;
        for mutation in MUTATIONS.iter().filter(|name| legal.iter().all(|(legal, _)| legal != *name)) {
            let refused = call(&app, &deal, mutation).await;
            assert_eq!(errors(&refused), ["contractId:ILLEGAL_STATE"], "{state} {mutation}");
            let message = text(&refused["userErrors"][0]["message"]);
            assert!(message.contains(state), "{message}");
            assert_eq!(app.contract_of(&deal, "status").await["status"], state);
        }
        for (mutation, to) in legal {
            let deal = in_state(&app, &client, &freelancer, state).await;
            let moved = ok(call(&app, &deal, mutation).await);
            assert_eq!(moved["contract"]["status"], *to, "{state} {mutation}");
        }
    }
    app.finish().await;
}

/// Milestone: every (state, mutation) that can be reached: the others are refused and name both states.
#[tokio::test(flavor = "multi_thread")]
async fn rule_milestones_move_as_their_life_cycle_says_and_no_other_way() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50, 25, 10]).await;
    let changes = "mutation($input: MilestoneRequestChangesInput!) { milestoneRequestChanges(input: $input) {
        milestone { status } userErrors { field code message } } }";
    let call = async |mutation: &str, milestone: &str| match mutation {
        "fund" => app.fund(&deal, milestone, &new_key()).await,
        "submit" => app.try_submit(&deal, milestone).await,
        "changes" => {
            let input = json!({ "milestoneId": milestone, "feedback": "More." });
            app.mutate(&deal.client.token, changes, input).await
        }
        "approve" => app.approve(&deal, milestone, &new_key()).await,
        _ => app.refund(&deal, milestone, None, &new_key()).await,
    };
    let only = async |milestone: &str, state: &str, legal: &[&str]| {
        assert_eq!(app.status_of(&deal, milestone).await, state);
        for mutation in ["fund", "submit", "changes", "approve", "refund"] {
            if legal.contains(&mutation) {
                continue;
            }
            let refused = call(mutation, milestone).await;
            assert_eq!(errors(&refused), ["milestoneId:ILLEGAL_STATE"], "{state} {mutation}");
            assert!(text(&refused["userErrors"][0]["message"]).contains(state), "{refused}");
        }
        assert_eq!(app.status_of(&deal, milestone).await, state);
    };
    let [paid, refunded, unpaid, dropped] = &deal.milestones[..] else { panic!("four milestones") };
    only(paid, "PENDING", &["fund"]).await;
    let deposit = ok(call("fund", paid).await);
    only(paid, "FUNDING", &[]).await;
    let treasury = text(&deposit["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.mine(5).await;
    only(paid, "FUNDED", &["submit", "refund"]).await;
    ok(call("submit", paid).await);
    only(paid, "SUBMITTED", &["changes", "approve", "refund"]).await;
    ok(call("changes", paid).await);
    only(paid, "FUNDED", &["submit", "refund"]).await;
    ok(call("submit", paid).await);
    ok(call("approve", paid).await);
    only(paid, "APPROVED", &[]).await;
    app.settle().await;
    only(paid, "PAID", &[]).await;

    app.funded(&deal, refunded).await;
    ok(call("refund", refunded).await);
    only(refunded, "REFUNDING", &[]).await;
    app.settle().await;
    only(refunded, "REFUNDED", &[]).await;

    ok(call("fund", unpaid).await);
    app.advance(chrono::Duration::hours(25));
    app.settle().await;
    only(unpaid, "PENDING", &["fund"]).await;

    let amend = "mutation($input: ContractAmendInput!) { contractAmend(input: $input) {
        amendment { id } userErrors { field code message } } }";
    let input = json!({ "contractId": deal.contract, "reason": "Not needed.", "remove": [dropped] });
    let amendment = ok(app.mutate(&deal.client.token, amend, input).await)["amendment"]["id"].clone();
    let accept = "mutation($input: AmendmentAcceptInput!) { amendmentAccept(input: $input) {
        amendment { id } userErrors { field code message } } }";
    ok(app.mutate(&deal.freelancer.token, accept, json!({ "amendmentId": amendment })).await);
    only(dropped, "CANCELLED", &[]).await;
    app.finish().await;
}

/// Contract: one PENDING or ACTIVE contract a project.
#[tokio::test]
async fn rule_a_project_has_one_pending_or_active_contract() {
    let app = TestApp::start().await;
    let m = new_market(&app).await;
    let contract = offer(&app, &m.client, &m.proposals[0]).await;
    let second = accept(&app, &m.client, &m.proposals[1]).await;
    assert_eq!(code(&second, "proposalAccept"), "ILLEGAL_STATE", "PENDING");
    // Declined, it is in nobody's way; the next one is accepted.
    let answer = app.gql(&m.freelancers[0], DECLINE, json!({ "id": contract })).await;
    assert_eq!(answer["data"]["contractDecline"]["userErrors"], json!([]));
    let third = market::freelancer(&app).await;
    let third = market::propose(&app, &third, &m.project, json!({})).await;
    let contract = offer(&app, &m.client, &m.proposals[1]).await;
    let answer = app.gql(&m.freelancers[1], CONTRACT_ACCEPT, json!({ "id": contract })).await;
    assert_eq!(answer["data"]["contractAccept"]["contract"]["status"], "ACTIVE", "{answer}");
    let another = accept(&app, &m.client, &third).await;
    assert_eq!(code(&another, "proposalAccept"), "ILLEGAL_STATE", "ACTIVE");
    let answer = app.gql(&m.client, RETRACT, json!({ "id": contract })).await;
    assert_eq!(code(&answer, "contractRetract"), "ILLEGAL_STATE");
    app.finish().await;
}

/// Contract: PENDING -> LAPSED (7 days unanswered).
#[tokio::test]
async fn rule_an_offer_can_be_answered_for_7_days() {
    let app = TestApp::start().await;
    let answers = [
        ("contractAccept", CONTRACT_ACCEPT, "ACTIVE"),
        ("contractDecline", DECLINE, "DECLINED"),
        ("contractRetract", RETRACT, "RETRACTED"),
    ];
    for (name, mutation, status) in answers {
        for late in [false, true] {
            let m = new_market(&app).await;
            let contract = offer(&app, &m.client, &m.proposals[0]).await;
            let week = chrono::Duration::days(7);
            app.advance(if late { week } else { week - chrono::Duration::microseconds(1) });
            let who = if name == "contractRetract" { &m.client } else { &m.freelancers[0] };
            let answer = app.gql(who, mutation, json!({ "id": contract })).await;
            if late {
                assert_eq!(code(&answer, name), "EXPIRED");
            } else {
                assert_eq!(answer["data"][name]["contract"]["status"], status, "{answer}");
            }
        }
    }
    app.finish().await;
}

/// Contract: description >=10, end after start.
#[tokio::test]
async fn rule_a_contract_says_at_least_10_characters_and_ends_after_it_starts() {
    let app = TestApp::start().await;
    let m = new_market(&app).await;
    let (start, after) = ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00.000001Z");
    for (description, end, wanted) in [
        ("Nine char", after, Some(("description", "TOO_SHORT"))),
        ("Ten chars.", start, Some(("endAt", "OUT_OF_RANGE"))),
        ("Ten chars.", after, None),
    ] {
        let input = json!({ "proposalId": m.proposals[0], "description": description, "startAt": start, "endAt": end });
        let answer = app.gql(&m.client, ACCEPT, json!({ "input": input })).await;
        let wanted: Vec<_> =
            wanted.into_iter().map(|(field, code)| (field.to_owned(), code.to_owned())).collect();
        assert_eq!(codes(&answer, "proposalAccept"), wanted);
    }
    // Without a beginning it begins at once.
    let m = new_market(&app).await;
    let now = app.app.clock.now();
    for (end, wanted) in [(now, Some("OUT_OF_RANGE")), (now + chrono::Duration::microseconds(1), None)] {
        let input = json!({ "proposalId": m.proposals[0], "description": "Ten chars.", "endAt": end });
        let answer = app.gql(&m.client, ACCEPT, json!({ "input": input })).await;
        let codes: Vec<_> = codes(&answer, "proposalAccept").into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, wanted.into_iter().collect::<Vec<_>>());
    }
    app.finish().await;
}

/// Milestone: a note is needed to submit.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_note_is_needed_to_hand_in_work() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    let query = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        milestone { status } userErrors { field code message } } }";
    for (note, wanted) in [("", vec!["note:REQUIRED"]), ("  \n ", vec!["note:REQUIRED"]), ("x", vec![])] {
        let input = json!({ "milestoneId": deal.milestones[0], "note": note });
        assert_eq!(errors(&app.mutate(&deal.freelancer.token, query, input).await), wanted);
    }
    app.finish().await;
}
