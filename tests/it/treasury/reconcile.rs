//! The treasury on the chain against the books.

use std::sync::Arc;

use chrono::Duration;
use domain::{
    Actor, App,
    entities::{ReconciliationOutcome as Outcome, chain_cursor, reconciliation},
    ledger::verify,
    ports::chain::{BlockTag, EvmClient, EvmSettings},
    treasury::reconcile::{last, reconcile},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::{Someone, TestApp, new_key, ok, text};

const TREASURY: &str = "{ treasury { address onChain { amount } inLedger { amount } difference { amount }
    pendingIn { amount { amount } count } pendingOut { amount { amount } count } heldCount gas nextNonce minedNonce
    nonceGap lastReconciliation { outcome onChain { amount } expected { amount } difference { amount } blockNumber
    blockHash reason } outgoingPaused { reason by { id } } } }";

/// Compares, and says what came of it.
async fn compared(app: &TestApp) -> reconciliation::Model {
    reconcile(&app.app).await.unwrap();
    last(app.app.db.reader()).await.unwrap().expect("a row")
}

async fn treasury(app: &TestApp, admin: &Someone) -> Value {
    let answer = app.gql(&admin.token, TREASURY, json!({})).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["treasury"].clone()
}

/// The titles of what an admin was told about the treasury, oldest first.
async fn alerts(app: &TestApp, admin: &Someone) -> Vec<String> {
    let query = "{ viewer { notifications(first: 100) { nodes { kind title } } } }";
    let answer = app.gql(&admin.token, query, json!({})).await;
    let nodes = answer["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap().clone();
    let mut titles: Vec<_> = nodes
        .iter()
        .filter(|node| node["kind"] == "TREASURY_ALERT")
        .map(|node| text(&node["title"]))
        .collect();
    titles.reverse();
    titles
}

/// Moves USDC past the books: `from` is impersonated.
async fn move_usdc(app: &TestApp, from: &str, to: &str, micro: u64) {
    app.evm.pay(from, to, micro).await.unwrap();
    app.evm.mine(4).unwrap();
}

/// A deposit and a payout at every depth: seen, mined, booked, final. Nothing of it is a difference.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_no_difference_at_any_moment() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    // Until the contract of the token is final.
    app.mine(3).await;
    assert_eq!(compared(&app).await.outcome, Outcome::Ok, "an empty treasury");
    let deposit = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let address = text(&deposit["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, 100_000_000).await.unwrap();
    let mut seen = 0;
    for _ in 0..8 {
        app.mine(1).await;
        let row = compared(&app).await;
        assert_eq!(row.outcome, Outcome::Ok, "{row:?}");
        seen += usize::from(row.on_chain.is_some_and(|held| held.is_positive()));
    }
    assert!(seen > 2, "the deposit was on both sides");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDED");

    app.submit(&deal, &deal.milestones[0]).await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    for _ in 0..8 {
        // Signed and broadcast, mined, and more and more deep.
        app.drain().await;
        let row = compared(&app).await;
        assert_eq!(row.outcome, Outcome::Ok, "{row:?}");
        app.mine(1).await;
    }
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PAID");
    // Something that pays nothing is booked too, once it is deep.
    move_usdc(&app, &deal.client.address(), &address, 500_000).await;
    for _ in 0..4 {
        app.mine(1).await;
        assert_eq!(compared(&app).await.outcome, Outcome::Ok);
    }
    assert_eq!(alerts(&app, &admin).await, [""; 0]);
    app.finish().await;
}

/// The scheduled task runs it every ten minutes.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_compares_every_ten_minutes() {
    let app = TestApp::start().await;
    app.evm.mine(3).unwrap();
    for round in 1..=2 {
        app.advance(Duration::minutes(10));
        app.mine(1).await;
        let rows = reconciliation::Entity::find().all(app.app.db.reader()).await.unwrap();
        assert_eq!(rows.len(), round, "{rows:?}");
        assert!(rows.iter().all(|row| row.outcome == Outcome::Ok), "{rows:?}");
    }
    app.finish().await;
}

/// Less on the chain: alert and outgoing payments pause, once. Nobody is told again until it is worse, or right.
#[tokio::test(flavor = "multi_thread")]
async fn rule_money_missing_from_the_treasury_pauses_what_goes_out() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.submitted(&deal, &deal.milestones[0]).await;
    let thief = app.register("thief", "CLIENT").await;
    let treasury_address = app.app.chain.treasury().to_string();
    move_usdc(&app, &treasury_address, &thief.address(), 1).await;
    app.mine(1).await;

    let row = compared(&app).await;
    assert_eq!((row.outcome, row.difference.unwrap().micro()), (Outcome::Less, -1), "{row:?}");
    compared(&app).await;
    let pair = ["The treasury holds less than the books say", "Outgoing payments are paused"];
    assert_eq!(alerts(&app, &admin).await, pair);
    let seen = treasury(&app, &admin).await;
    assert_eq!(seen["outgoingPaused"]["by"], Value::Null);
    assert_eq!(seen["lastReconciliation"]["outcome"], "LESS");
    assert_eq!(seen["lastReconciliation"]["difference"]["amount"], "-0.000001");

    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    app.drain().await;
    let held = treasury(&app, &admin).await;
    assert_eq!((&held["heldCount"], &held["nextNonce"]), (&json!(1), &Value::Null), "{held:#}");

    // An administrator knows, and lets them go on: that is not undone.
    let resume = "mutation($input: OutgoingResumeInput!) { outgoingResume(input: $input) {
        userErrors { field code message } } }";
    ok(app.mutate(&admin.token, resume, json!({})).await);
    compared(&app).await;
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_null());
    // More is missing: that is news.
    move_usdc(&app, &treasury_address, &thief.address(), 2).await;
    app.mine(1).await;
    assert_eq!(compared(&app).await.difference.unwrap().micro(), -3);
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_object());
    assert_eq!(alerts(&app, &admin).await.len(), 5);

    // It comes back, past the scanner's eyes: the books know nothing of the thief either.
    move_usdc(&app, &thief.address(), &treasury_address, 3).await;
    skip(&app).await;
    app.mine(1).await;
    let last = compared(&app).await;
    assert_eq!(last.outcome, Outcome::Ok, "{last:?}");
    assert_eq!(alerts(&app, &admin).await.last().unwrap(), "The treasury holds what the books say");
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_object(), "a person resumes, not the task");
    ok(app.mutate(&admin.token, resume, json!({})).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    // From outside the theft still shows.
    app.finish_made_up().await;
}

/// LESS that was found while an administrator's own pause was on: they may not know of it, so that it pauses again when theirs is
/// over, unless they say that they do.
#[tokio::test(flavor = "multi_thread")]
async fn money_missing_under_an_administrators_pause_pauses_again_after_it() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.submitted(&deal, &deal.milestones[0]).await;
    let (thief, treasury_address) =
        (app.register("thief", "CLIENT").await, app.app.chain.treasury().to_string());
    let pause = "mutation($input: OutgoingPauseInput!) { outgoingPause(input: $input) {
        userErrors { field code message } } }";
    let resume = "mutation($input: OutgoingResumeInput!) { outgoingResume(input: $input) {
        userErrors { field code message } } }";
    ok(app.mutate(&admin.token, pause, json!({ "reason": "Moving house." })).await);
    move_usdc(&app, &treasury_address, &thief.address(), 1).await;
    app.mine(1).await;
    assert_eq!(compared(&app).await.outcome, Outcome::Less);
    assert_eq!(treasury(&app, &admin).await["outgoingPaused"]["reason"], "Moving house.");

    ok(app.mutate(&admin.token, resume, json!({})).await);
    let row = compared(&app).await;
    assert_eq!((row.outcome, row.acknowledged), (Outcome::Less, false));
    let paused = treasury(&app, &admin).await["outgoingPaused"].clone();
    assert_eq!(paused["by"], Value::Null, "the same difference pauses now: {paused}");
    // That pause says why, so whoever ends it knows.
    ok(app.mutate(&admin.token, resume, json!({})).await);
    assert!(compared(&app).await.acknowledged);
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_null());

    // More is missing, and they say that they know.
    ok(app.mutate(&admin.token, pause, json!({ "reason": "Moving back." })).await);
    move_usdc(&app, &treasury_address, &thief.address(), 1).await;
    app.mine(1).await;
    assert_eq!(compared(&app).await.difference.unwrap().micro(), -2);
    ok(app.mutate(&admin.token, resume, json!({ "acknowledgeMissing": true })).await);
    assert!(compared(&app).await.acknowledged);
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_null());
    // It comes back, past the scanner's eyes; from outside the theft still shows.
    move_usdc(&app, &thief.address(), &treasury_address, 2).await;
    skip(&app).await;
    app.finish_made_up().await;
}

/// More on the chain: an alert only (anybody can send a dust).
#[tokio::test(flavor = "multi_thread")]
async fn rule_more_in_the_treasury_than_in_the_books_is_an_alert_only() {
    let app = TestApp::start().await;
    let (client, admin) = (app.client("carla").await, app.admin().await);
    let treasury_address = app.app.chain.treasury().to_string();
    move_usdc(&app, &client.address(), &treasury_address, 700).await;
    skip(&app).await;
    let row = compared(&app).await;
    assert_eq!((row.outcome, row.difference.unwrap().micro()), (Outcome::More, 700), "{row:?}");
    compared(&app).await;
    assert_eq!(alerts(&app, &admin).await, ["The treasury holds more than the books say"]);
    assert!(treasury(&app, &admin).await["outgoingPaused"].is_null());
    // The scanner reads it after all.
    app.app.db.writer().execute_unprepared("UPDATE chain_cursors SET first_block = 0").await.unwrap();
    app.mine(1).await;
    assert_eq!(compared(&app).await.outcome, Outcome::Ok);
    app.finish().await;
}

/// The scanner takes itself to begin here, so that it never reads what was before.
async fn skip(app: &TestApp) {
    let head = app.app.chain.block(BlockTag::Latest).await.unwrap().expect("a block");
    let change = chain_cursor::ActiveModel {
        chain_id: Set(31_337),
        scanned_block: Set(head.number.try_into().unwrap()),
        first_block: Set(head.number.try_into().unwrap()),
        block_hash: Set(head.hash.to_string()),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
}

/// What cannot be compared is no alarm: it is said, and tried again. After an hour of it somebody is told, once.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_claimed_while_the_scanner_reads_back() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.funded(&deal, &deal.milestones[0]).await;
    let lost = "UPDATE chain_cursors SET block_hash = ''";
    for minutes in [0, 30, 40, 10] {
        app.advance(Duration::minutes(minutes));
        app.app.db.writer().execute_unprepared(lost).await.unwrap();
        let row = compared(&app).await;
        assert_eq!((row.outcome, row.difference), (Outcome::Skipped, None), "{row:?}");
        assert_eq!(row.reason.as_deref(), Some("the scanner reads back after a reorg"));
    }
    assert_eq!(alerts(&app, &admin).await, ["The treasury is not being checked"]);
    app.mine(1).await;
    assert_eq!(compared(&app).await.outcome, Outcome::Ok);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_everything_that_answers() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    app.submitted(&deal, &deal.milestones[0]).await;
    let deposit = ok(app.fund(&deal, &deal.milestones[1], &new_key()).await);
    let address = text(&deposit["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, 20_000_000).await.unwrap();
    app.mine(1).await;
    compared(&app).await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);

    let seen = treasury(&app, &admin).await;
    assert_eq!(seen["address"], json!(app.app.chain.treasury().checksummed()));
    assert_eq!(
        (&seen["onChain"]["amount"], &seen["inLedger"]["amount"]),
        (&json!("120.00"), &json!("100.00"))
    );
    assert_eq!(seen["difference"]["amount"], "20.00");
    assert_eq!(seen["pendingIn"], json!({ "amount": { "amount": "20.00" }, "count": 1 }));
    assert_eq!(seen["pendingOut"], json!({ "amount": { "amount": "90.00" }, "count": 1 }));
    assert_eq!(
        (&seen["heldCount"], &seen["nextNonce"], &seen["nonceGap"]),
        (&json!(0), &Value::Null, &Value::Null)
    );
    assert!(text(&seen["gas"]).parse::<u128>().unwrap() > 0);
    assert_eq!(seen["lastReconciliation"]["outcome"], "OK");

    app.drain().await;
    let signed = treasury(&app, &admin).await;
    assert_eq!(
        text(&signed["nextNonce"]).parse::<i64>().unwrap(),
        1 + text(&seen["minedNonce"]).parse::<i64>().unwrap()
    );
    app.settle().await;
    let mined = treasury(&app, &admin).await;
    assert_eq!((&mined["nonceGap"], &mined["pendingOut"]["count"]), (&json!("0"), &json!(0)), "{mined:#}");

    let list = "{ reconciliations(first: 10) { totalCount nodes { id outcome createdAt } } }";
    let list = app.gql(&admin.token, list, json!({})).await["data"]["reconciliations"].clone();
    assert!(list["totalCount"].as_i64().unwrap() >= 1, "{list}");
    assert!(text(&list["nodes"][0]["id"]).starts_with("rec_"));
    app.finish().await;
}

/// At three in the morning the node is down: what the books know is there all the same, and nothing is claimed.
#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_does_not_answer_hides_nothing_else() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let chain = EvmClient::new(EvmSettings {
        rpc_url: format!("http://{nobody}").parse().unwrap(),
        chain_id: 31_337,
        usdc: app.app.chain.usdc(),
        treasury_key: format!("0x{}", "11".repeat(32)).into(),
    });
    let blind = App { chain: Arc::new(chain.unwrap()), ..app.app.clone() };

    assert_eq!(reconcile(&blind).await.unwrap(), 0, "nothing was compared");
    let row = last(app.app.db.reader()).await.unwrap().expect("a row");
    assert_eq!(row.outcome, Outcome::Skipped, "{row:?}");
    assert!(row.reason.as_deref().is_some_and(|reason| reason.starts_with("chain: ")), "{row:?}");

    let request = async_graphql::Request::new(TREASURY).data(Actor::System);
    let answer = api::schema(blind.clone()).execute(request).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let seen = answer.data.into_json().unwrap()["treasury"].clone();
    for field in ["onChain", "difference", "gas", "minedNonce", "nonceGap"] {
        assert!(seen[field].is_null(), "{field}: {seen:#}");
    }
    assert_eq!(seen["inLedger"]["amount"], "100.00");
    assert_eq!(seen["pendingOut"], json!({ "amount": { "amount": "90.00" }, "count": 1 }));
    assert_eq!(seen["lastReconciliation"]["outcome"], "SKIPPED");
    let checked = verify::chain(&blind).await.unwrap();
    assert!(checked.problems[0].contains("could not be compared"), "{checked:?}");
    app.settle().await;
    app.finish().await;
}
