//! What the scanner reads: the last blocks again and again, nothing from before it began, and each thing by itself.

use domain::{
    entities::{chain_cursor, chain_transfer},
    fault::Scope,
    ledger::Account,
    money::Usdc,
    payment::scan,
    ports::chain::BlockTag,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, PaginatorTrait};
use serde_json::json;

use super::{asked, balance, look, report, state};
use crate::support::{TestApp, ok, proxy::Fault};

const STRANGER: &str = "0x00000000000000000000000000000000000057a6";

async fn transfers(app: &TestApp) -> u64 {
    chain_transfer::Entity::find().count(app.app.db.reader()).await.unwrap()
}

/// Behind a load balancer a node may answer with nothing for a block that it does not know yet: the next look finds it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_left_out_is_found_by_the_next_look() {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    proxy.set("eth_getLogs", Fault::Lie(json!([])));
    look(&app, 1).await;
    assert!(proxy.calls("eth_getLogs") > 0);
    assert_eq!((transfers(&app).await, state(&app, &deal, &id).await), (0, "AWAITING_FUNDS".to_owned()));
    proxy.cure();
    look(&app, 0).await;
    assert_eq!((transfers(&app).await, state(&app, &deal, &id).await), (1, "CONFIRMING".to_owned()));
    // Read again and again, it is counted once.
    for _ in 0..4 {
        look(&app, 1).await;
    }
    assert_eq!((transfers(&app).await, state(&app, &deal, &id).await), (1, "COMPLETED".to_owned()));
    app.finish().await;
}

/// A node whose head is behind what it was asked for is not believed when it finds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_believed_above_the_head_of_the_node_that_says_it() {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    look(&app, 1).await;
    let behind = app.rpc("eth_blockNumber", json!([])).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    proxy.set("eth_getLogs", Fault::Lie(json!([])));
    proxy.set("eth_blockNumber", Fault::Lie(behind));
    // So long that the block would be read no more.
    look(&app, 6).await;
    let cursor = chain_cursor::Entity::find_by_id(31_337).one(app.app.db.reader()).await.unwrap().unwrap();
    let head = app.app.chain.block(BlockTag::Latest).await.unwrap().unwrap();
    assert!(cursor.scanned_block + 6 < i64::try_from(head.number).unwrap(), "{cursor:?}");
    proxy.cure();
    // The look that failed is tried again after a while.
    for _ in 0..5 {
        look(&app, 1).await;
    }
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// No address was given out before the scanner began: what came then is not read, however far the last blocks reach.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_before_the_first_scan_is_read() {
    let app = TestApp::start().await;
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(STRANGER, &treasury, 5_000_000).await.unwrap();
    app.evm.pay(&treasury, STRANGER, 5_000_000).await.unwrap();
    // As if it began here.
    let head = app.app.chain.block(BlockTag::Latest).await.unwrap().unwrap();
    let height = i64::try_from(head.number).unwrap();
    let began = chain_cursor::ActiveModel {
        chain_id: Set(31_337),
        scanned_block: Set(height),
        first_block: Set(height),
        block_hash: Set(head.hash.to_string()),
        ..Default::default()
    };
    began.update(app.app.db.writer()).await.unwrap();
    for _ in 0..3 {
        look(&app, 1).await;
    }
    // Nor after a reorg, which it reads further back for.
    app.reorg(2).await;
    look(&app, 1).await;
    look(&app, 1).await;
    assert_eq!(transfers(&app).await, 0);
    app.finish_made_up().await;
}

/// A height alone names no block: a receipt out of one that the chain does not have is no deposit.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_from_a_block_that_is_not_there_is_no_deposit() {
    let (app, proxy) = TestApp::start_behind_proxy().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let hash = app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    let gone = json!({ "blockHash": format!("0x{}", "fa".repeat(32)) });
    proxy.set_for("eth_getTransactionReceipt", json!(hash), Fault::Lie(gone));
    proxy.set("eth_getLogs", Fault::Lie(json!([])));
    ok(report(&app, &deal.client, &id, &hash).await);
    look(&app, 0).await;
    assert!(proxy.calls("eth_getTransactionReceipt") > 0, "the hint was followed");
    assert_eq!(transfers(&app).await, 0);
    proxy.cure();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// What was found is written thing by thing: what one of them fails at keeps none of the others back, and no payment is held
/// while another is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn each_thing_is_booked_by_itself() {
    let app = TestApp::start().await;
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(STRANGER, &treasury, 3_000_000).await.unwrap();
    app.evm.pay(STRANGER, &treasury, 4_000_000).await.unwrap();
    app.evm.mine(5).unwrap();
    app.advance(chrono::Duration::minutes(1));
    let scope = Scope::new();
    scope.arm("ledger.post", "1*off->1*return(error)").unwrap();
    Box::pin(scope.run(scan::run(&app.app))).await.unwrap_err();
    assert_eq!((transfers(&app).await, balance(&app, Account::Unallocated).await), (2, Usdc(-3_000_000)));
    look(&app, 0).await;
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-7_000_000));
    app.finish().await;
}
