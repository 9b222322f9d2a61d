//! What an administrator signs with the treasury's own key uses a nonce of it, and counts once it is final.

use domain::{
    entities::{ChainTransactionStatus, chain_nonce, chain_transaction, treasury_move},
    ledger::verify,
};
use ethers_core::utils::keccak256;
use sandbox::evm::Mining;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::{AT_CIRCLE, moves::record};
use crate::support::{CONFIRMATIONS, Deal, Someone, TestApp, errors, new_key, ok, proxy::Fault, text};

/// A deal whose first part is paid by the chain, so that nonces are counted, and whose second is handed in. Payouts go by the chain;
/// what is moved may leave 10 of the first part's fee.
async fn counting() -> (TestApp, Deal, Someone) {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 90]).await, app.admin().await);
    app.paid(&deal, &deal.milestones[0]).await;
    app.submitted(&deal, &deal.milestones[1]).await;
    (app, deal, admin)
}

/// Moves money with the treasury's key; the transaction's hash.
async fn leave(app: &TestApp, usdc: u64) -> String {
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(&treasury, AT_CIRCLE, usdc * 1_000_000).await.unwrap()
}

/// The next nonce that a payout gets.
async fn next(app: &TestApp) -> i64 {
    chain_nonce::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap().next_nonce
}

/// What an administrator reads of it: the gap of nonces, and why outgoing money is paused.
async fn told(app: &TestApp, admin: &Someone) -> (Value, Value) {
    let query = "{ treasury { nonceGap outgoingPaused { reason } } }";
    let seen = app.gql(&admin.token, query, json!({})).await["data"]["treasury"].clone();
    (seen["nonceGap"].clone(), seen["outgoingPaused"].clone())
}

/// The second part is approved, and paid under this nonce; nothing is paused by it.
async fn pays_under(app: &TestApp, deal: &Deal, admin: &Someone, nonce: i64) {
    let release = ok(app.approve(deal, &deal.milestones[1], &new_key()).await);
    app.settle().await;
    let paid = app.payment(&deal.client, &text(&release["payment"]["id"])).await;
    assert_eq!(paid["status"], "COMPLETED", "{paid}");
    let signed = chain_transaction::Entity::find()
        .filter(chain_transaction::Column::Hash.eq(text(&paid["transactionHash"])))
        .one(app.app.db.reader())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((signed.nonce, next(app).await), (nonce, nonce + 1));
    assert_eq!(told(app, admin).await, (json!("0"), Value::Null));
}

/// What `megilance ledger verify` finds wrong.
async fn wrong(app: &TestApp) -> Vec<&'static str> {
    let checks = verify::books(&app.app).await.unwrap();
    checks.into_iter().filter(|check| !check.problems.is_empty()).map(|check| check.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_after_a_recorded_move_takes_the_nonce_after_it() {
    let (app, deal, admin) = counting().await;
    let before = next(&app).await;
    let hash = leave(&app, 10).await;
    app.make_final();
    assert_eq!(told(&app, &admin).await.0, json!("-1"), "nobody has recorded it yet");
    let key = new_key();
    ok(record(&app, &admin, "10", &hash, &key).await);
    ok(record(&app, &admin, "10", &hash, &key).await);
    assert_eq!(next(&app).await, before + 1);
    assert_eq!(told(&app, &admin).await.0, json!("0"));
    let row = treasury_move::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    let treasury = app.app.chain.treasury().to_string();
    assert_eq!((row.sender, row.chain_id, row.nonce), (Some(treasury), Some(31_337), Some(before)));
    app.books_agree().await;
    pays_under(&app, &deal, &admin, before + 1).await;

    // A counter that went on without a move is found.
    for (change, found) in [("+ 1", &["nonces"][..]), ("- 1", &[])] {
        let sql = format!("UPDATE chain_nonces SET next_nonce = next_nonce {change}");
        app.app.db.writer().execute_unprepared(&sql).await.unwrap();
        assert_eq!(wrong(&app).await, found);
    }
    app.finish().await;
}

/// The later one is known first: the counter waits for the one before.
#[tokio::test(flavor = "multi_thread")]
async fn moves_may_be_recorded_in_any_order() {
    let (app, deal, admin) = counting().await;
    let before = next(&app).await;
    let (first, second) = (leave(&app, 6).await, leave(&app, 4).await);
    app.make_final();
    assert_eq!(told(&app, &admin).await.0, json!("-2"));
    ok(record(&app, &admin, "4", &second, &new_key()).await);
    assert_eq!(next(&app).await, before, "nobody has recorded the one before");
    assert_eq!(told(&app, &admin).await.0, json!("-1"), "and that one alone is not known");
    assert_eq!(wrong(&app).await, [""; 0]);
    ok(record(&app, &admin, "6", &first, &new_key()).await);
    assert_eq!(next(&app).await, before + 2);
    app.books_agree().await;
    pays_under(&app, &deal, &admin, before + 2).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_recorded_at_once_are_both_passed() {
    let (app, deal, admin) = counting().await;
    let (before, other) = (next(&app).await, app.admin_named("olga").await);
    let (first, second) = (leave(&app, 6).await, leave(&app, 4).await);
    app.make_final();
    let keys = [new_key(), new_key()];
    let (one, two) = tokio::join!(
        record(&app, &admin, "4", &second, &keys[0]),
        record(&app, &other, "6", &first, &keys[1]),
    );
    ok(one);
    ok(two);
    assert_eq!(next(&app).await, before + 2);
    app.books_agree().await;
    pays_under(&app, &deal, &admin, before + 2).await;
    app.finish().await;
}

/// Nobody paused: a payout was signed with the nonce that the move took. It ends by itself, and moved nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_under_the_nonce_of_a_payout_is_recorded_and_the_payout_paid_anew() {
    let (app, deal, admin) = counting().await;
    let before = next(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    let release = ok(app.approve(&deal, &deal.milestones[1], &new_key()).await);
    let release = text(&release["payment"]["id"]);
    app.drain().await;
    let signed = text(&app.payment(&deal.client, &release).await["transactionHash"]);
    app.drop_waiting(&signed).await;
    let hash = leave(&app, 10).await;
    app.mine(u64::from(CONFIRMATIONS)).await;
    assert_eq!(app.payment(&deal.client, &release).await["status"], "FAILED");
    assert!(told(&app, &admin).await.1.is_object(), "whoever has the key may take more");

    ok(record(&app, &admin, "10", &hash, &new_key()).await);
    let row = treasury_move::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((row.nonce, next(&app).await), (Some(before), before + 1), "the counter was past it");
    let ours = chain_transaction::Entity::find()
        .filter(chain_transaction::Column::Nonce.eq(before))
        .all(app.app.db.reader())
        .await
        .unwrap();
    assert!(ours.iter().all(|row| row.status == ChainTransactionStatus::Superseded), "{ours:?}");
    assert_eq!(wrong(&app).await, [""; 0]);
    app.books_agree().await;

    app.resume_outgoing(&admin).await;
    let input = json!({ "paymentId": release, "idempotencyKey": new_key() });
    let again = ok(app.call(&admin.token, "paymentRetry", "payment { id }", input).await);
    app.settle().await;
    let paid = app.payment(&deal.client, &text(&again["payment"]["id"])).await;
    assert_eq!(paid["status"], "COMPLETED", "{paid}");
    assert_eq!(next(&app).await, before + 2);
    assert_eq!(told(&app, &admin).await, (json!("0"), Value::Null));
    app.finish().await;
}

/// Who may draw on the treasury uses a nonce of their own.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_drew_leaves_the_counter_alone() {
    const SPENDER: &str = "0x00000000000000000000000000000000005be4de";
    let app = TestApp::start().await;
    let (treasury, usdc) = (app.app.chain.treasury().to_string(), app.evm.token_address());
    let call = |function: &str, words: &[&str]| {
        let words: String =
            words.iter().map(|word| format!("{:0>64}", word.trim_start_matches("0x"))).collect();
        format!("0x{}{words}", hex::encode(&keccak256(function)[..4]))
    };
    let ten = format!("{:x}", 10_000_000);
    // Before any payout: the counter starts behind it.
    app.rpc("anvil_impersonateAccount", json!([treasury])).await;
    let allows = call("approve(address,uint256)", &[SPENDER, &ten]);
    app.rpc("eth_sendTransaction", json!([{ "from": treasury, "to": usdc, "data": allows }])).await;

    let (deal, admin) = (app.deal(&[100, 90]).await, app.admin().await);
    app.paid(&deal, &deal.milestones[0]).await;
    app.submitted(&deal, &deal.milestones[1]).await;
    let before = next(&app).await;
    app.evm.mint_and_fund(SPENDER, 0).unwrap();
    app.rpc("anvil_impersonateAccount", json!([SPENDER])).await;
    let draws = call("transferFrom(address,address,uint256)", &[&treasury, AT_CIRCLE, &ten]);
    let hash = app.rpc("eth_sendTransaction", json!([{ "from": SPENDER, "to": usdc, "data": draws }])).await;
    app.make_final();
    ok(record(&app, &admin, "10", hash.as_str().unwrap(), &new_key()).await);
    let row = treasury_move::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((row.sender, row.chain_id, row.nonce), (None, None, None));
    assert!(row.block_number.is_some());
    assert_eq!((next(&app).await, told(&app, &admin).await.0), (before, json!("0")));
    app.books_agree().await;
    pays_under(&app, &deal, &admin, before).await;
    app.finish().await;
}

/// Until it is final a reorg may take it back, and then the books would have it twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_recorded_once_it_is_final() {
    let (app, deal, admin) = counting().await;
    let before = next(&app).await;
    let hash = leave(&app, 10).await;
    let first = record(&app, &admin, "10", &hash, &new_key()).await;
    let words =
        "This transaction has 1 confirmation and is not final yet: record it when it is, in some minutes.";
    assert_eq!(errors(&first), ["reference:ILLEGAL_STATE"]);
    assert_eq!(first["userErrors"][0]["message"], words);
    // A reorg takes it back, and nothing has to be taken back here.
    app.reorg(1).await;
    let gone = record(&app, &admin, "10", &hash, &new_key()).await;
    assert_eq!(errors(&gone), ["reference:INVALID"]);
    assert_eq!(next(&app).await, before);
    app.books_agree().await;

    let hash = leave(&app, 9).await;
    app.evm.mine(1).unwrap();
    let second = record(&app, &admin, "9", &hash, &new_key()).await;
    assert_eq!(errors(&second), ["reference:ILLEGAL_STATE"]);
    assert!(text(&second["userErrors"][0]["message"]).contains("has 2 confirmations and is not final yet"));
    assert!(treasury_move::Entity::find().one(app.app.db.reader()).await.unwrap().is_none());
    app.evm.mine(1).unwrap();
    ok(record(&app, &admin, "9", &hash, &new_key()).await);
    pays_under(&app, &deal, &admin, before + 1).await;
    app.finish().await;
}

/// Whatever the second node shows otherwise, or does not show: nothing is recorded on the word of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_has_to_be_shown_by_both_nodes_and_final_by_both() {
    let (mut app, deal, admin) = counting().await;
    let node = app.second_node().await;
    let (before, hash) = (next(&app).await, leave(&app, 10).await);
    app.make_final();
    let receipt = app.rpc("eth_getTransactionReceipt", json!([hash])).await;
    let other = json!({ "hash": format!("0x{}", "ab".repeat(32)) });
    let (by_hash, by_number) = ("eth_getTransactionByHash", "eth_getBlockByNumber");
    let lie = Fault::Lie;
    let (differ, silent) = ("do not show the same", "does not say what it has");
    for (method, first, fault, words) in [
        (by_hash, None, lie(json!({ "nonce": "0x63" })), differ),
        (by_hash, None, lie(json!({ "from": AT_CIRCLE })), differ),
        (by_hash, None, lie(Value::Null), differ),
        (by_hash, None, Fault::Status(503), silent),
        ("eth_getTransactionReceipt", None, lie(json!({ "status": "0x0" })), differ),
        ("eth_getTransactionReceipt", None, lie(json!({ "logs": [] })), differ),
        ("eth_getTransactionReceipt", None, lie(Value::Null), differ),
        ("eth_getTransactionReceipt", None, Fault::Status(503), silent),
        (by_number, Some(receipt["blockNumber"].clone()), lie(other), differ),
        (by_number, Some(json!("finalized")), lie(json!({ "number": "0x1" })), "is not final yet"),
        (by_number, Some(json!("latest")), Fault::Status(503), "the second node does not answer"),
        ("eth_chainId", None, lie(json!("0x1")), "the chain that it has to be on"),
    ] {
        let wrong = format!("{method} {first:?} {fault:?}");
        match first {
            Some(first) => node.set_for(method, first, fault),
            None => node.set(method, fault),
        }
        let refused = record(&app, &admin, "10", &hash, &new_key()).await;
        assert_eq!(errors(&refused), ["reference:ILLEGAL_STATE"], "{wrong}");
        let said = text(&refused["userErrors"][0]["message"]);
        assert!(said.contains(words), "{wrong}: {said}");
        node.cure();
    }
    assert_eq!(next(&app).await, before);
    ok(record(&app, &admin, "10", &hash, &new_key()).await);
    assert_eq!(next(&app).await, before + 1);
    pays_under(&app, &deal, &admin, before + 1).await;
    app.finish().await;
}
