//! Two nodes that have to agree: the second is reached through a go-between that lags, lies, or says nothing.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use domain::{
    entities::{PaymentId, payment},
    ledger::Account,
    money::Usdc,
    ports::chain::{EvmClient, EvmSettings},
    settings::LargeDeposits,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{
    asked, balance, credited, escrow, look, send, signed, state,
    unallocated::{assign, give_back, set_aside},
};
use crate::support::{Someone, TestApp, errors, new_key, proxy, text};

/// What the second node does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It has not the newest blocks yet.
    Lags,
    /// Its newest block is two before the newest there is.
    Behind,
    /// It shows another block at that height.
    Forked,
    /// It shows another sum in the receipt.
    Lies,
    /// It does not know the transaction.
    Misses,
    /// The first of all blocks is the newest final one.
    NotFinal,
    /// It is on another chain.
    OtherChain,
    /// It is down.
    Silent,
}

type Shared = (String, Arc<Mutex<Fault>>);

async fn between(
    State((target, fault)): State<Shared>,
    Json(mut call): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let fault = *fault.lock().unwrap();
    if fault == Fault::Silent {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    if fault == Fault::Behind && call["params"][0] == "latest" {
        // The sandbox's final block is just that.
        call["params"][0] = json!("finalized");
    }
    if fault == Fault::NotFinal && call["params"][0] == "finalized" {
        call["params"][0] = json!("earliest");
    }
    let sent = reqwest::Client::new().post(target).json(&call).send().await.unwrap();
    let mut answer: Value = sent.json().await.unwrap();
    let named = call["params"][0].as_str().is_some_and(|block| block.starts_with("0x"));
    match (fault, call["method"].as_str().unwrap()) {
        (Fault::Lags, "eth_getBlockByNumber") if named => answer["result"] = Value::Null,
        (Fault::Forked, "eth_getBlockByNumber") if named => {
            answer["result"]["hash"] = json!(format!("0x{}", "ab".repeat(32)));
        }
        (Fault::Lies, "eth_getTransactionReceipt") => {
            for log in answer["result"]["logs"].as_array_mut().unwrap() {
                log["data"] = json!(format!("0x{:064x}", 1));
            }
        }
        (Fault::Misses, "eth_getTransactionReceipt") => answer["result"] = Value::Null,
        (Fault::OtherChain, "eth_chainId") => answer["result"] = json!("0x1"),
        _ => {}
    }
    Ok(Json(answer))
}

/// A second node for the workers of this app; its fault can be changed.
async fn second_node(app: &mut TestApp) -> Arc<Mutex<Fault>> {
    let fault = Arc::new(Mutex::new(Fault::None));
    let routes = Router::new().route("/", post(between)).with_state((app.evm.rpc_url(), fault.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let node = EvmClient::new(EvmSettings {
        rpc_url: format!("http://{address}").parse().unwrap(),
        chain_id: 31_337,
        usdc: app.evm.token_address().parse().unwrap(),
        treasury_key: "11".repeat(32).into(),
    });
    app.app.witness = Some(Arc::new(node.unwrap()));
    fault
}

/// Nothing is credited while they differ, whatever the difference; the payment says so, and goes on once they agree.
#[tokio::test(flavor = "multi_thread")]
async fn a_credit_needs_both_nodes() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    for (wrong, said) in [
        (Fault::Lags, "do not show the same"),
        (Fault::Forked, "do not show the same"),
        (Fault::Lies, "do not show the same"),
        (Fault::Misses, "do not show the same"),
        (Fault::OtherChain, "the chain that it has to be on"),
        (Fault::Silent, "does not answer"),
    ] {
        *fault.lock().unwrap() = wrong;
        look(&app, 5).await;
        let waits = app.payment(&deal.client, &id).await;
        assert_eq!(waits["status"], "CONFIRMING", "{wrong:?}");
        assert!(text(&waits["failureReason"]).contains(said), "{wrong:?}: {waits}");
        assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
    }
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    let done = app.payment(&deal.client, &id).await;
    assert_eq!((&done["status"], &done["failureReason"]), (&json!("COMPLETED"), &Value::Null));
    assert_eq!(escrow(&app, milestone).await, Usdc(100_000_000));
    app.finish().await;
}

/// Nor is anything set aside, or sent back, that only one of them shows.
#[tokio::test(flavor = "multi_thread")]
async fn strays_need_both_nodes_too() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let (sender, treasury) = (app.freelancer("felix").await, app.app.chain.treasury().to_string());
    app.evm.pay(&sender.address(), &treasury, 3_000_000).await.unwrap();
    *fault.lock().unwrap() = Fault::Lies;
    look(&app, 5).await;
    look(&app, 0).await;
    let unallocated = domain::ledger::Account::Unallocated;
    assert_eq!(super::balance(&app, unallocated).await, Usdc::ZERO);
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    assert_eq!(super::balance(&app, unallocated).await, Usdc(-3_000_000));
    app.finish().await;
}

/// A second node that is behind, or on another fork, keeps a credit from being undone until it says so too.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_undone_on_the_word_of_one_node() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let (id, _) = credited(&app, &deal, &deal.milestones[0]).await;
    app.reorg(3).await;
    *fault.lock().unwrap() = Fault::Silent;
    look(&app, 1).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    *fault.lock().unwrap() = Fault::None;
    // The deposit's own look, should no other reorg wake it.
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    app.finish().await;
}

/// What pays nothing, and is there no more by the first node, is looked at until the second says so too or not: nobody decides on it
/// meanwhile, and what comes is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_stray_in_dispute_is_looked_at_until_both_agree() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let (deal, admin) = (app.deal(&[100, 5]).await, app.admin().await);
    let treasury = app.app.chain.treasury().to_string();
    let raw = signed(&app, &deal.freelancer, &treasury, 5_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    let money = text(&set_aside(&app, &admin, json!({})).await[0]["id"]);
    let (paid, _) = asked(&app, &deal, &deal.milestones[0]).await;
    let (short, _) = asked(&app, &deal, &deal.milestones[1]).await;

    app.reorg(3).await;
    for wrong in [Fault::Silent, Fault::Lags, Fault::Silent] {
        *fault.lock().unwrap() = wrong;
        look(&app, 1).await;
        look(&app, 1).await;
        assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000), "{wrong:?}");
        let refused = give_back(&app, &admin, &money, &new_key()).await;
        assert_eq!(errors(&refused), ["unallocatedId:ILLEGAL_STATE"], "{wrong:?}");
        assert!(text(&refused["userErrors"][0]["message"]).contains("reorganisation"), "{refused}");
        let refused = assign(&app, &admin, &money, &short, &new_key()).await;
        assert_eq!(errors(&refused), ["unallocatedId:ILLEGAL_STATE"], "{wrong:?}");
    }
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(app.payment(&deal.client, &paid).await["received"]["amount"], "100.00");
    assert_eq!(state(&app, &deal, &paid).await, "CONFIRMING");
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));

    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    assert_eq!(set_aside(&app, &admin, json!({})).await[0]["status"], "UNDONE");
    assert_eq!(state(&app, &deal, &paid).await, "COMPLETED");
    app.books_agree().await;
    // Mined again, it is set aside anew, and can be decided on.
    send(&app, &raw).await;
    look(&app, 3).await;
    look(&app, 0).await;
    let again = text(&set_aside(&app, &admin, json!({ "status": ["OPEN"] })).await[0]["id"]);
    assert_eq!(errors(&assign(&app, &admin, &again, &short, &new_key()).await), Vec::<String>::new());
    assert_eq!(state(&app, &deal, &short).await, "COMPLETED");
    app.finish().await;
}

/// The first node went astray, and is back: what it showed no more may be decided on again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stray_that_both_show_again_is_beyond_dispute() {
    let (mut app, proxy) = TestApp::start_behind_proxy().await;
    let fault = second_node(&mut app).await;
    let (felix, admin) = (app.freelancer("felix").await, app.admin().await);
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(&felix.address(), &treasury, 5_000_000).await.unwrap();
    let number = app.rpc("eth_blockNumber", json!([])).await;
    look(&app, 2).await;
    look(&app, 0).await;
    let money = text(&set_aside(&app, &admin, json!({})).await[0]["id"]);
    let head = app.rpc("eth_blockNumber", json!([])).await;
    // Another block in its place, and another one where the scanner stands.
    for block in [&number, &head] {
        let other = json!({ "hash": format!("0x{}", "ab".repeat(32)) });
        proxy.set_for("eth_getBlockByNumber", block.clone(), proxy::Fault::Lie(other));
    }
    look(&app, 1).await;
    proxy.cure();
    *fault.lock().unwrap() = Fault::Silent;
    look(&app, 1).await;
    let refused = give_back(&app, &admin, &money, &new_key()).await;
    assert_eq!(errors(&refused), ["unallocatedId:ILLEGAL_STATE"]);
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    assert_eq!(errors(&give_back(&app, &admin, &money, &new_key()).await), Vec::<String>::new());
    app.settle().await;
    app.advance(chrono::Duration::minutes(11));
    app.settle().await;
    assert_eq!(app.usdc_of(&felix.address()).await, 5_000_000);
    app.finish().await;
}

/// A deposit that was final is looked at again when one node shows it no more, and undone once both do not.
#[tokio::test(flavor = "multi_thread")]
async fn a_final_deposit_in_dispute_is_watched_again() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let (id, _) = credited(&app, &deal, &deal.milestones[0]).await;
    look(&app, 0).await;
    let row = async || {
        let id = id.parse::<PaymentId>().unwrap();
        payment::Entity::find_by_id(id).one(app.app.db.reader()).await.unwrap().unwrap()
    };
    assert!(row().await.final_at.is_some() && row().await.due_at.is_none());
    app.reorg(3).await;
    *fault.lock().unwrap() = Fault::Silent;
    look(&app, 1).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert!(row().await.due_at.is_some());
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    app.finish().await;
}

/// A block is as deep as the node says that shows fewer.
#[tokio::test(flavor = "multi_thread")]
async fn the_lower_of_two_heads_counts() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    *fault.lock().unwrap() = Fault::Behind;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    look(&app, 2).await;
    let waits = app.payment(&deal.client, &id).await;
    assert_eq!((&waits["status"], &waits["failureReason"]), (&json!("CONFIRMING"), &Value::Null));
    look(&app, 2).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// A transfer that the first node shows in another block, not as deep, is undone once the second shows it there too.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_one_node_shows_undoes_nothing() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let (id, raw) = credited(&app, &deal, &deal.milestones[0]).await;
    app.reorg(3).await;
    send(&app, &raw).await;
    for wrong in [Fault::Lags, Fault::Forked, Fault::Silent] {
        *fault.lock().unwrap() = wrong;
        look(&app, 0).await;
        look(&app, 0).await;
        assert_eq!(state(&app, &deal, &id).await, "COMPLETED", "{wrong:?}");
        assert_eq!(escrow(&app, &deal.milestones[0]).await, Usdc(100_000_000), "{wrong:?}");
    }
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "CONFIRMING");
    look(&app, 3).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// Short at its deadline, with a doubt: it says why it waits, and ends a day later without what came, which is then set aside
/// once the nodes agree.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_deposit_in_doubt_ends() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    app.evm.pay(&deal.client.address(), &treasury, 40_000_000).await.unwrap();
    look(&app, 5).await;
    *fault.lock().unwrap() = Fault::Lies;
    app.advance(chrono::Duration::hours(25));
    look(&app, 5).await;
    look(&app, 5).await;
    let waits = app.payment(&deal.client, &id).await;
    assert_eq!(waits["status"], "AWAITING_FUNDS");
    assert!(text(&waits["failureReason"]).contains("do not show the same"), "{waits}");
    *fault.lock().unwrap() = Fault::Silent;
    look(&app, 1).await;
    let waits = app.payment(&deal.client, &id).await;
    assert!(text(&waits["failureReason"]).contains("does not answer"), "{waits}");

    app.advance(chrono::Duration::hours(24));
    look(&app, 1).await;
    look(&app, 1).await;
    let ended = app.payment(&deal.client, &id).await;
    assert_eq!(ended["status"], "EXPIRED");
    assert!(text(&ended["failureReason"]).contains("an administrator"), "{ended}");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PENDING");
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-40_000_000));
    app.finish().await;
}

async fn trouble(app: &TestApp, admin: &Someone) -> Value {
    let answer = app.gql(&admin.token, "{ treasury { nodeTrouble { reason since } } }", json!({})).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["treasury"]["nodeTrouble"].clone()
}

/// How often somebody was told that deposits wait for a node, and that it is over.
fn told(app: &TestApp, whom: &Someone) -> (usize, usize) {
    let mails = app.mails(&whom.email);
    let of = |subject: &str| mails.iter().filter(|mail| mail.subject == subject).count();
    (of("Deposits wait for a node"), of("Deposits wait for no node any more"))
}

/// Where the final block of a node stays behind, what needs none goes on. What does says why it waits, and administrators hear of
/// it.
#[tokio::test(flavor = "multi_thread")]
async fn a_final_block_that_stays_behind_keeps_large_deposits_alone() {
    let mut app = TestApp::start_with(|settings| {
        settings.large_deposits =
            LargeDeposits { tiers: Vec::new(), finalized_from: Some(Usdc(100_000_000)) };
    })
    .await;
    let fault = second_node(&mut app).await;
    let (deal, admin) = (app.deal(&[50, 100]).await, app.admin().await);
    let (small, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let (large, _) = asked(&app, &deal, &deal.milestones[1]).await;
    *fault.lock().unwrap() = Fault::NotFinal;
    app.advance(chrono::Duration::hours(2));
    for micro in [50_000_000, 100_000_000] {
        app.evm.pay(&deal.client.address(), &treasury, micro).await.unwrap();
    }
    look(&app, 5).await;
    let done = app.payment(&deal.client, &small).await;
    assert_eq!((&done["status"], &done["failureReason"]), (&json!("COMPLETED"), &Value::Null));
    let waits = app.payment(&deal.client, &large).await;
    assert_eq!(waits["status"], "CONFIRMING");
    assert!(text(&waits["failureReason"]).contains("final block"), "{waits}");
    assert!(text(&trouble(&app, &admin).await["reason"]).contains("final block"));
    assert_eq!(told(&app, &admin), (0, 0), "it may pass");
    for _ in 0..3 {
        app.advance(chrono::Duration::minutes(6));
        look(&app, 1).await;
    }
    assert_eq!((told(&app, &admin), state(&app, &deal, &large).await), ((1, 0), "CONFIRMING".to_owned()));
    *fault.lock().unwrap() = Fault::None;
    look(&app, 1).await;
    look(&app, 1).await;
    let done = app.payment(&deal.client, &large).await;
    assert_eq!((&done["status"], &done["failureReason"]), (&json!("COMPLETED"), &Value::Null));
    assert_eq!((told(&app, &admin), trouble(&app, &admin).await), ((1, 1), Value::Null));
    app.finish().await;
}

/// Administrators see at once that the second node is out of order, and are told once an outage when it lasts.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_told_once_of_a_node_that_fails() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let admin = app.admin().await;
    let told = |app: &TestApp| told(app, &admin);
    for (outage, wrong, said) in
        [(1, Fault::Silent, "does not answer"), (2, Fault::OtherChain, "the chain that it has to be on")]
    {
        *fault.lock().unwrap() = wrong;
        look(&app, 1).await;
        let seen = trouble(&app, &admin).await;
        assert!(text(&seen["reason"]).contains(said), "{seen}");
        assert_eq!(told(&app), (outage - 1, outage - 1), "it may pass");
        for _ in 0..3 {
            app.advance(chrono::Duration::minutes(6));
            look(&app, 1).await;
        }
        assert_eq!(told(&app), (outage, outage - 1));
        assert_eq!(trouble(&app, &admin).await["since"], seen["since"]);
        *fault.lock().unwrap() = Fault::None;
        look(&app, 1).await;
        look(&app, 1).await;
        assert_eq!((told(&app), trouble(&app, &admin).await), ((outage, outage), Value::Null));
    }
    // What passes by itself is no news.
    *fault.lock().unwrap() = Fault::Silent;
    look(&app, 1).await;
    *fault.lock().unwrap() = Fault::None;
    look(&app, 1).await;
    assert_eq!((told(&app), trouble(&app, &admin).await), ((2, 2), Value::Null));
    app.finish().await;
}

/// What the nodes do not agree on for an hour is for administrators to hear of, once.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_told_once_of_a_dispute_that_lasts() {
    let mut app = TestApp::start().await;
    let fault = second_node(&mut app).await;
    let (felix, admin) = (app.freelancer("felix").await, app.admin().await);
    let treasury = app.app.chain.treasury().to_string();
    let raw = signed(&app, &felix, &treasury, 5_000_000).await;
    send(&app, &raw).await;
    look(&app, 2).await;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-5_000_000));
    app.reorg(3).await;
    *fault.lock().unwrap() = Fault::Lags;
    for (minutes, times) in [(0, 0), (59, 0), (1, 1), (1, 1), (240, 1)] {
        app.advance(chrono::Duration::minutes(minutes));
        look(&app, 1).await;
        look(&app, 1).await;
        assert_eq!(told(&app, &admin), (times, 0), "{minutes} minutes later");
    }
    let mails = app.mails(&admin.email);
    let mail = mails.iter().find(|mail| mail.subject == "Deposits wait for a node").unwrap();
    assert!(mail.text.contains("the two nodes do not show the same yet"), "{}", mail.text);
    *fault.lock().unwrap() = Fault::None;
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.finish().await;
}
