//! The example tabs, and the three days of `tests/days`: each operation as it stands there, in order, on the demo.

use std::collections::HashMap;

use api::{
    http::graphiql::example_tabs,
    seed::{Values, times},
};
use async_graphql::parser::{
    parse_query,
    types::{DocumentOperations, OperationType},
};
use domain::entities::{Usdc, reconciliation};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    seed::{demo, sign_in},
    support::{CONFIRMATIONS, TestApp},
};

/// A document with what it is run with.
struct Script {
    document: String,
    variables: Value,
    token: String,
    /// Names of its operations, in order.
    operations: Vec<String>,
}

impl Script {
    /// Runs one operation; what it answers has neither errors nor user errors.
    async fn run(&self, app: &TestApp, operation: &str) -> Value {
        let body = json!({ "query": self.document, "variables": self.variables, "operationName": operation });
        let answer = app.post(&self.token, body).await;
        assert!(answer.get("errors").is_none(), "{operation}: {answer:#}");
        for payload in answer["data"].as_object().unwrap().values() {
            assert!(payload["userErrors"].as_array().is_none_or(Vec::is_empty), "{operation}: {answer:#}");
        }
        answer["data"].clone()
    }

    /// Runs all of them; what each answers, by its name. After each, `then` may do what happens outside.
    async fn run_all(
        &self,
        app: &TestApp,
        mut then: impl AsyncFnMut(&str, &Value),
    ) -> HashMap<String, Value> {
        let mut answers = HashMap::new();
        for operation in &self.operations {
            let answer = self.run(app, operation).await;
            then(operation, &answer).await;
            answers.insert(operation.clone(), answer);
        }
        answers
    }
}

/// Every tab that GraphiQL shows, by the name of its first operation; subscriptions have tests of their own.
async fn scripts(app: &TestApp, mut values: Values) -> Vec<Script> {
    values.extend(times(&app.app.clock));
    for (role, name) in
        [("client", "client_token"), ("freelancer", "freelancer_token"), ("admin", "admin_token")]
    {
        values.insert(name, sign_in(app, &format!("{role}@demo.example")).await);
    }
    let mut scripts = Vec::new();
    for tab in example_tabs(&values) {
        let document = parse_query(&tab.query).unwrap();
        let DocumentOperations::Multiple(operations) = &document.operations else { panic!("{}", tab.title) };
        let mut operations: Vec<_> = operations.iter().collect();
        operations.sort_by_key(|(_, operation)| operation.pos.line);
        if operations.iter().any(|(_, operation)| operation.node.ty == OperationType::Subscription) {
            continue;
        }
        let headers: Value = serde_json::from_str(tab.headers.as_deref().unwrap_or("{}")).unwrap();
        scripts.push(Script {
            document: tab.query,
            variables: serde_json::from_str(tab.variables.as_deref().unwrap_or("{}")).unwrap(),
            token: headers["Authorization"].as_str().unwrap_or("").trim_start_matches("Bearer ").to_owned(),
            operations: operations.iter().map(|(name, _)| name.to_string()).collect(),
        });
    }
    scripts
}

fn day<'a>(scripts: &'a [Script], first: &str) -> &'a Script {
    scripts.iter().find(|script| script.operations.first().is_some_and(|name| name == first)).expect(first)
}

/// What stands at these places: `Operation/path/to/field`.
#[track_caller]
fn says(answers: &HashMap<String, Value>, expected: &[(&str, Value)]) {
    let found = |place: &str| {
        let (operation, path) = place.split_once('/').unwrap();
        answers[operation].pointer(&format!("/{path}")).cloned()
    };
    let found: Vec<_> = expected.iter().map(|(place, _)| (*place, found(place))).collect();
    let expected: Vec<_> = expected.iter().map(|(place, value)| (*place, Some(value.clone()))).collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_tab_runs_as_it_is() {
    let app = TestApp::start().await;
    let values = demo(&app).await;
    let scripts = scripts(&app, values).await;
    let examples: Vec<_> = scripts.iter().filter(|script| script.operations.len() == 1).collect();
    assert!(examples.len() >= 11, "{} tabs: a value is missing", examples.len());
    for script in examples {
        script.run_all(&app, async |_, _| ()).await;
    }
    app.settle().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_days_go_by() {
    let app = TestApp::start().await;
    let values = demo(&app).await;
    let scripts = scripts(&app, values).await;

    // The client pays from the wallet what she is asked for, and a payout is sent and confirmed.
    let client = day(&scripts, "ClientsDay");
    let wallet = "{ viewer { wallets { address } } }";
    let wallet =
        app.gql(&client.token, wallet, json!({})).await["data"]["viewer"]["wallets"][0]["address"].clone();
    let pay = async |_: &str, answer: &Value| {
        let payment = answer.as_object().unwrap().values().next().unwrap()["payment"].clone();
        if let Some(address) = payment["depositAddress"].as_str() {
            let amount = payment["amount"]["amount"].as_str().unwrap().parse().unwrap();
            let micro = domain::money::Usdc::from_decimal(amount).unwrap().micro();
            app.evm.pay(wallet.as_str().unwrap(), address, micro.try_into().unwrap()).await.unwrap();
            app.mine(u64::from(CONFIRMATIONS)).await;
        }
        app.settle().await;
    };
    let said = client.run_all(&app, pay).await;
    says(
        &said,
        &[
            ("WeighTheBids/project/proposals/nodes/0/bid/amount", json!("380.00")),
            ("ShortlistABid/proposalShortlist/proposal/status", json!("SHORTLISTED")),
            ("TurnABidDown/proposalReject/proposal/status", json!("REJECTED")),
            ("RememberThem/savedFreelancerAdd/freelancer/isSaved", json!(true)),
            ("InviteThem/invitationSend/invitation/status", json!("PENDING")),
            ("OfferAContract/proposalAccept/contract/status", json!("PENDING")),
            ("WhatWillArrive/quote/net/amount", json!("81.00")),
            ("FundTheNextPart/milestoneFund/milestone/status", json!("FUNDING")),
            ("AskForChanges/milestoneRequestChanges/milestone/status", json!("FUNDED")),
            ("ApproveAndPay/milestoneApprove/milestone/status", json!("APPROVED")),
            ("WriteAReview/reviewCreate/review/shownAt", Value::Null),
            ("ClientsEvening/contract/paid/amount", json!("170.00")),
            ("ClientsEvening/contract/inEscrow/amount", json!("390.00")),
            ("ClientsEvening/contract/milestones/0/status", json!("PAID")),
            ("ClientsEvening/contract/milestones/3/status", json!("FUNDED")),
            ("ClientsEvening/viewer/payments/nodes/0/kind", json!("BONUS")),
            ("ClientsEvening/viewer/payments/nodes/0/status", json!("COMPLETED")),
        ],
    );

    let said = day(&scripts, "FreelancersDay").run_all(&app, async |_, _| app.settle().await).await;
    says(
        &said,
        &[
            ("LookForWork/projects/nodes/0/title", json!("Search in nine guides at once")),
            ("SendABid/proposalSubmit/proposal/status", json!("SUBMITTED")),
            ("BetterABid/proposalUpdate/proposal/bid/amount", json!("540.00")),
            ("TakeABidBack/proposalWithdraw/proposal/status", json!("WITHDRAWN")),
            ("DeclineAnInvitation/invitationDecline/invitation/status", json!("DECLINED")),
            ("AcceptAnOffer/contractAccept/contract/project/status", json!("IN_PROGRESS")),
            ("AcceptAnAmendment/amendmentAccept/amendment/amountBefore/amount", json!("560.00")),
            ("AcceptAnAmendment/amendmentAccept/amendment/amount/amount", json!("630.00")),
            ("HandWorkIn/milestoneSubmit/milestone/status", json!("SUBMITTED")),
            ("OpenADispute/disputeOpen/dispute/milestone/status", json!("DISPUTED")),
            ("OpenADispute/disputeOpen/dispute/contract/status", json!("DISPUTED")),
            ("FreelancersEvening/contract/status", json!("COMPLETED")),
            ("FreelancersEvening/viewer/payments/nodes/0/net/amount", json!("11.25")),
        ],
    );
    let both = &said["FreelancersEvening"]["contract"]["reviews"];
    assert_eq!(both.as_array().unwrap().len(), 2, "{both}");
    assert!(both[0]["shownAt"].is_string(), "both have written: {both}");

    let said = day(&scripts, "AdminsDay").run_all(&app, async |_, _| app.settle().await).await;
    says(
        &said,
        &[
            ("TakeADispute/disputeTake/dispute/status", json!("IN_REVIEW")),
            ("ResolveIt/disputeResolve/dispute/status", json!("RESOLVED")),
            ("ResolveIt/disputeResolve/dispute/releaseAmount/amount", json!("55.00")),
            ("FindAPerson/users/nodes/0/email", json!("writer@demo.example")),
            ("RestoreThem/userRestore/user/suspendedAt", Value::Null),
            ("AddACategory/categoryCreate/category/slug", json!("ceramics-craft")),
            ("LowerTheFee/feeScheduleCreate/feeSchedule/basisPoints", json!(900)),
            ("IsItAllThere/treasury/lastReconciliation/outcome", json!("OK")),
            ("IsItAllThere/treasury/outgoingPaused", Value::Null),
            ("AdminsEvening/auditLog/nodes/0/action", json!("scheduledTask.run")),
        ],
    );
    let compared = reconciliation::Entity::find().all(app.app.db.reader()).await.unwrap();
    let off = |row: &&reconciliation::Model| row.difference.is_some_and(|found| found != Usdc::ZERO);
    assert_eq!(compared.iter().find(off), None, "whatever went on in these days was no difference");
    app.finish().await;
}
