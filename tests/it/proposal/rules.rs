//! The limits of a proposal, and of the contract that comes of it, each at its edge.

use serde_json::{Value, json};

use super::submit;
use crate::{
    market::{self, ACCEPT, bid, code, codes, merged, post, proposal_status, propose},
    support::TestApp,
};

fn money(amount: &str) -> Value {
    json!({ "amount": amount })
}

fn plan(amounts: &[&str]) -> Value {
    json!(amounts.iter().map(|a| json!({ "title": "Part", "amount": money(a) })).collect::<Vec<_>>())
}

/// A client's two open projects: one price, and by the hour.
async fn projects(app: &TestApp) -> [String; 2] {
    let client = market::client(app).await;
    let fixed = post(app, &client, json!({})).await;
    [fixed, post(app, &client, json!({ "budgetType": "HOURLY" })).await]
}

/// Bids that are refused, each with the one field and code that it is refused for.
async fn refused(app: &TestApp, cases: &[(&str, Value, &str, &str)]) {
    let freelancer = market::freelancer(app).await;
    for (project, changes, field, code) in cases {
        let answer = submit(app, &freelancer, merged(bid(project), changes.clone())).await;
        let wanted = ((*field).to_owned(), (*code).to_owned());
        assert_eq!(codes(&answer, "proposalSubmit"), [wanted], "{changes}");
        assert_eq!(answer["data"]["proposalSubmit"]["proposal"], Value::Null);
    }
}

/// Bids that pass; each by somebody else, because one bids on a project once.
async fn taken(app: &TestApp, cases: &[(&str, Value)]) {
    for (project, changes) in cases {
        let somebody = market::freelancer(app).await;
        propose(app, &somebody, project, changes.clone()).await;
    }
}

/// Proposal: one per project and freelancer.
#[tokio::test(flavor = "multi_thread")]
async fn rule_proposal_is_one_per_project_and_freelancer() {
    let app = TestApp::start().await;
    let [fixed, _] = projects(&app).await;
    let (freelancer, rival) = (market::freelancer(&app).await, market::freelancer(&app).await);
    // At the same moment too.
    let (one, other) =
        tokio::join!(submit(&app, &freelancer, bid(&fixed)), submit(&app, &freelancer, bid(&fixed)));
    let won = |answer: &Value| answer["data"]["proposalSubmit"]["proposal"].is_object();
    assert!(won(&one) ^ won(&other), "{one} {other}");
    assert_eq!(code(if won(&one) { &other } else { &one }, "proposalSubmit"), "TAKEN");
    assert_eq!(code(&submit(&app, &freelancer, bid(&fixed)).await, "proposalSubmit"), "TAKEN");
    propose(&app, &rival, &fixed, json!({})).await;
    app.finish().await;
}

/// Proposal: never on one's own project.
#[tokio::test]
async fn rule_proposal_is_never_on_ones_own_project() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let own = post(&app, &client, json!({})).await;
    assert_eq!(code(&submit(&app, &client, bid(&own)).await, "proposalSubmit"), "FORBIDDEN");
    app.finish().await;
}

/// Proposal: cover letter 50-5,000.
#[tokio::test]
async fn rule_proposal_cover_letter_is_50_to_5000_characters() {
    let app = TestApp::start().await;
    let [fixed, _] = projects(&app).await;
    let letter = |length: usize| json!({ "coverLetter": "x".repeat(length) });
    refused(
        &app,
        &[
            (&fixed, letter(49), "coverLetter", "TOO_SHORT"),
            (&fixed, letter(5_001), "coverLetter", "TOO_LONG"),
        ],
    )
    .await;
    taken(&app, &[(&fixed, letter(50)), (&fixed, letter(5_000))]).await;
    app.finish().await;
}

/// Proposal: bid 1-1,000,000 USDC (fixed).
#[tokio::test]
async fn rule_proposal_bid_is_1_to_1000000_usdc() {
    let app = TestApp::start().await;
    let [fixed, _] = projects(&app).await;
    refused(
        &app,
        &[
            (&fixed, json!({ "bid": money("0.999999") }), "bid", "OUT_OF_RANGE"),
            (&fixed, json!({ "bid": money("1000000.000001") }), "bid", "OUT_OF_RANGE"),
            (&fixed, json!({ "bid": money("ten") }), "bid.amount", "INVALID"),
            (&fixed, json!({ "estimatedHours": 10 }), "estimatedHours", "INVALID"),
        ],
    )
    .await;
    taken(&app, &[(&fixed, json!({ "bid": money("1") })), (&fixed, json!({ "bid": money("1000000") }))])
        .await;
    app.finish().await;
}

/// Proposal: rate 1-1,000 and hours 1-10,000 (hourly).
#[tokio::test]
async fn rule_proposal_rate_is_1_to_1000_and_hours_1_to_10000() {
    let app = TestApp::start().await;
    let [_, hourly] = projects(&app).await;
    let rate = |rate: &str, hours: i32| json!({ "bid": money(rate), "estimatedHours": hours });
    refused(
        &app,
        &[
            (&hourly, json!({ "bid": money("10") }), "estimatedHours", "REQUIRED"),
            (&hourly, rate("0.999999", 1), "bid", "OUT_OF_RANGE"),
            (&hourly, rate("1000.000001", 1), "bid", "OUT_OF_RANGE"),
            (&hourly, rate("10", 0), "estimatedHours", "OUT_OF_RANGE"),
            (&hourly, rate("10", 10_001), "estimatedHours", "OUT_OF_RANGE"),
        ],
    )
    .await;
    taken(&app, &[(&hourly, rate("1", 1)), (&hourly, rate("1000", 10_000))]).await;
    app.finish().await;
}

/// Proposal: a plan's sum equals the bid (fixed) or rate x hours (hourly).
#[tokio::test]
async fn rule_proposal_plan_sums_to_the_whole_price() {
    let app = TestApp::start().await;
    let [fixed, hourly] = projects(&app).await;
    let by_the_hour = |amounts: &[&str]| json!({ "bid": money("10.000001"), "estimatedHours": 3, "milestones": plan(amounts) });
    // The bid is 600.
    refused(
        &app,
        &[
            (&fixed, json!({ "milestones": plan(&["300", "300.000001"]) }), "milestones", "INVALID"),
            (&fixed, json!({ "milestones": plan(&["300", "299.999999"]) }), "milestones", "INVALID"),
            (&hourly, by_the_hour(&["30.000002"]), "milestones", "INVALID"),
            (&hourly, by_the_hour(&["30.000004"]), "milestones", "INVALID"),
        ],
    )
    .await;
    taken(
        &app,
        &[
            (&fixed, json!({ "milestones": plan(&["300.000001", "299.999999"]) })),
            (&hourly, by_the_hour(&["30", "0.000003"])),
            (
                &hourly,
                json!({ "bid": money("1000"), "estimatedHours": 10_000, "milestones": plan(&["10000000"]) }),
            ),
        ],
    )
    .await;
    app.finish().await;
}

/// Milestone: title 1-255.
#[tokio::test]
async fn rule_milestone_title_is_1_to_255_characters() {
    let app = TestApp::start().await;
    let [fixed, _] = projects(&app).await;
    let titled = |title: &str| json!({ "milestones": [{ "title": title, "amount": money("600") }] });
    refused(
        &app,
        &[
            (&fixed, titled(" "), "milestones.0.title", "REQUIRED"),
            (&fixed, titled(&"x".repeat(256)), "milestones.0.title", "TOO_LONG"),
            (&fixed, titled("Part\nBcc: x@example.com"), "milestones.0.title", "INVALID"),
        ],
    )
    .await;
    taken(&app, &[(&fixed, titled("x")), (&fixed, titled(&"é".repeat(255)))]).await;
    app.finish().await;
}

/// Milestone: amount > 0, due date optional.
#[tokio::test]
async fn rule_milestone_amount_is_above_0() {
    let app = TestApp::start().await;
    let [fixed, _] = projects(&app).await;
    let due =
        |due: &str| json!({ "milestones": [{ "title": "Part", "amount": money("600"), "dueAt": due }] });
    refused(
        &app,
        &[
            (&fixed, json!({ "milestones": plan(&["600", "0"]) }), "milestones.1.amount", "OUT_OF_RANGE"),
            (&fixed, due("-5000-01-01T00:00:00Z"), "milestones.0.dueAt", "OUT_OF_RANGE"),
        ],
    )
    .await;
    taken(
        &app,
        &[
            (&fixed, json!({ "milestones": plan(&["599.999999", "0.000001"]) })),
            (&fixed, due("2027-01-01T00:00:00Z")),
        ],
    )
    .await;
    app.finish().await;
}

/// Milestone: 20 a contract at first.
#[tokio::test]
async fn rule_milestone_20_a_contract_at_first() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let fixed = post(&app, &client, json!({})).await;
    refused(
        &app,
        &[(
            &fixed,
            json!({ "bid": money("21"), "milestones": plan(&["1"; 21]) }),
            "milestones",
            "LIMIT_REACHED",
        )],
    )
    .await;
    let somebody = market::freelancer(&app).await;
    let twenty = json!({ "bid": money("20"), "milestones": plan(&["1"; 20]) });
    let proposal = propose(&app, &somebody, &fixed, twenty).await;
    let answer = market::accept(&app, &client, &proposal).await;
    let contract = &answer["data"]["proposalAccept"]["contract"];
    assert_eq!(contract["milestones"].as_array().map(Vec::len), Some(20), "{answer}");
    assert_eq!(contract["amount"]["amount"], "20.00");
    app.finish().await;
}

/// A client with a proposal to accept, on terms that may be wrong.
async fn terms(cases: &[(Value, Option<(&str, &str)>)]) {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    for (terms, wanted) in cases {
        let input = merged(json!({ "proposalId": proposal, "description": "Ten chars." }), terms.clone());
        let answer = app.gql(&client, ACCEPT, json!({ "input": input })).await;
        let accepted = &answer["data"]["proposalAccept"];
        match wanted {
            Some((field, code)) => {
                let wanted = ((*field).to_owned(), (*code).to_owned());
                assert_eq!(codes(&answer, "proposalAccept"), [wanted], "{terms}");
                assert_eq!(accepted["contract"], Value::Null);
                // Nothing of the refused try stayed.
                assert_eq!(proposal_status(&app, &client, &proposal).await, "SUBMITTED");
            }
            None => assert_eq!(accepted["contract"]["status"], "PENDING", "{answer}"),
        }
    }
    app.finish().await;
}

/// Contract: description >=10.
#[tokio::test]
async fn rule_contract_description_is_at_least_10_characters() {
    terms(&[
        (json!({ "description": "Nine char" }), Some(("description", "TOO_SHORT"))),
        (json!({ "description": " Nine char " }), Some(("description", "TOO_SHORT"))),
        (json!({ "description": "x".repeat(10_001) }), Some(("description", "TOO_LONG"))),
        (json!({ "description": "Ten chars." }), None),
    ])
    .await;
}

/// Contract: end after start.
#[tokio::test]
async fn rule_contract_end_is_after_start() {
    let (early, late) = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z");
    terms(&[
        (json!({ "startAt": late, "endAt": early }), Some(("endAt", "OUT_OF_RANGE"))),
        (json!({ "startAt": early, "endAt": early }), Some(("endAt", "OUT_OF_RANGE"))),
        (json!({ "startAt": "1999-12-31T23:59:59Z" }), Some(("startAt", "OUT_OF_RANGE"))),
        (json!({ "endAt": "+200000-01-01T00:00:00Z" }), Some(("endAt", "OUT_OF_RANGE"))),
        (json!({ "startAt": early, "endAt": "2027-01-01T00:00:00.000001Z" }), None),
    ])
    .await;
}

/// Contract: the milestones' sum equals the contract's amount.
#[tokio::test]
async fn rule_contract_amount_is_the_sum_of_its_milestones() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    for (project, changes, amounts) in [
        (
            json!({}),
            json!({ "milestones": plan(&["200.000001", "399.999999"]) }),
            vec!["200.000001", "399.999999"],
        ),
        (json!({}), json!({}), vec!["600.00"]),
        (
            json!({ "budgetType": "HOURLY" }),
            json!({ "bid": money("12.5"), "estimatedHours": 3 }),
            vec!["37.50"],
        ),
    ] {
        let project = post(&app, &client, project).await;
        let proposal = propose(&app, &freelancer, &project, changes).await;
        let answer = market::accept(&app, &client, &proposal).await;
        let contract = &answer["data"]["proposalAccept"]["contract"];
        let milestones = contract["milestones"].as_array().unwrap();
        let seen: Vec<&Value> = milestones.iter().map(|milestone| &milestone["amount"]["amount"]).collect();
        assert_eq!(seen, amounts, "{answer}");
        assert_eq!(contract["amount"]["amount"], if amounts.len() == 2 { "600.00" } else { amounts[0] });
    }
    app.finish().await;
}
