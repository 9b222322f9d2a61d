//! Blocks: tags, time, fees, reorganisations, the past, and the protocol around them.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn blocks_form_a_chain_and_tags_follow_the_head() {
    let node = start(Mining::Manual).await;
    node.evm.mine(5).unwrap();
    let head = node.head().await;
    let parent = node.rpc("eth_getBlockByHash", json!([head["parentHash"], true])).await;
    assert_eq!(number(&parent["number"]) + 1, number(&head["number"]));
    for (tag, height) in [("earliest", 0), ("latest", 6), ("safe", 5), ("finalized", 4), ("pending", 7)] {
        let block = node.rpc("eth_getBlockByNumber", json!([tag, false])).await;
        assert_eq!(number(&block["number"]), height, "{tag}");
    }
    assert_eq!(node.rpc("eth_getBlockByNumber", json!(["0x99", false])).await, Value::Null);
    assert_eq!(node.rpc("eth_chainId", json!([])).await, "0x7a69");
    assert_eq!(node.rpc("net_version", json!([])).await, "31337");
    assert_eq!(node.rpc("eth_syncing", json!([])).await, false);

    let before = number(&node.head().await["timestamp"]);
    node.clock.fetch_add(3600, Ordering::Relaxed);
    node.rpc("evm_mine", json!([])).await;
    let now = number(&node.head().await["timestamp"]);
    assert_eq!(now, 1_800_003_600);
    assert!(before < now);
    node.rpc("evm_increaseTime", json!([86_400])).await;
    node.evm.mine(2).unwrap();
    assert_eq!(number(&node.head().await["timestamp"]), now + 86_400 + 1);
}

#[tokio::test]
async fn a_reorg_takes_blocks_and_their_transactions_away() {
    let node = start(Mining::OnDemand).await;
    let (alice, bob) = (funded(&node, 0x21, 5_000_000).await, stranger(0xb3));
    let raw = Tx::transfer(0, bob, 2_000_000).sign(&alice);
    let hash = node.send(&raw).await;
    node.evm.mine(2).unwrap();
    let (height, old) = (node.height().await, node.head().await["hash"].clone());
    let mined = node.receipt(&hash).await["blockHash"].clone();

    node.rpc("anvil_reorg", json!([3, []])).await;
    assert_eq!(node.height().await, height);
    assert_ne!(node.head().await["hash"], old);
    assert_eq!(node.rpc("eth_getBlockByHash", json!([old, false])).await, Value::Null);
    assert_eq!(node.receipt(&hash).await, Value::Null);
    assert_eq!(node.rpc("eth_getTransactionByHash", json!([hash])).await, Value::Null);
    assert_eq!((node.tokens(alice.address()).await, node.tokens(bob).await), (5_000_000, 0));
    assert_eq!(node.nonce(alice.address(), "pending").await, 0);

    // The same bytes can be sent again, and land in another block.
    assert_eq!(node.send(&raw).await, hash);
    assert_ne!(node.receipt(&hash).await["blockHash"], mined);
    assert_eq!(node.tokens(bob).await, 2_000_000);
    assert!(node.refusal("anvil_reorg", json!([99, []])).await.contains("99 blocks"));
}

#[tokio::test]
async fn the_recent_past_can_be_asked() {
    let node = start(Mining::OnDemand).await;
    let alice = funded(&node, 0x22, 4_000_000).await;
    let then = node.height().await;
    node.send(&Tx::transfer(0, stranger(6), 1_000_000).sign(&alice)).await;
    let data = data("balanceOf(address)", &[word(alice.address())]);
    let at = async |tag: String| node.rpc("eth_call", json!([{ "to": TOKEN, "data": data }, tag])).await;
    assert_eq!(at(format!("{then:#x}")).await, format!("0x{:064x}", 4_000_000));
    assert_eq!(at("latest".to_owned()).await, format!("0x{:064x}", 3_000_000));
    let nonce = async |tag: Value| node.rpc("eth_getTransactionCount", json!([alice.address(), tag])).await;
    assert_eq!(nonce(json!(format!("{then:#x}"))).await, "0x0");
    assert_eq!(nonce(json!({ "blockHash": node.head().await["hash"] })).await, "0x1");
    assert_eq!(node.rpc("eth_getCode", json!([TOKEN, "0x0"])).await, "0x");
    assert!(node.rpc("eth_getCode", json!([TOKEN, "latest"])).await.as_str().unwrap().len() > 1000);
    assert_eq!(node.rpc("eth_getStorageAt", json!([TOKEN, "0x99", "latest"])).await, format!("0x{:064x}", 0));
    node.evm.mine(300).unwrap();
    let gone = json!([{ "to": TOKEN, "data": data }, format!("{then:#x}")]);
    assert!(node.refusal("eth_call", gone).await.contains("last 256 blocks"));
}

#[tokio::test]
async fn fees_are_told() {
    let node = start(Mining::OnDemand).await;
    let alice = funded(&node, 0x23, 1_000_000).await;
    node.send(&Tx::transfer(0, stranger(6), 1).price(50 * GWEI, 2 * GWEI).sign(&alice)).await;
    let history = node.rpc("eth_feeHistory", json!(["0x3", "latest", [10, 50.5]])).await;
    assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), 4);
    assert_eq!(history["gasUsedRatio"].as_array().unwrap().len(), 3);
    assert_eq!(history["reward"][2], json!([format!("{:#x}", 2 * GWEI), format!("{:#x}", 2 * GWEI)]));
    let next = number(&history["baseFeePerGas"][3]);
    assert_eq!(number(&node.rpc("eth_gasPrice", json!([])).await), next + GWEI);
    assert_eq!(node.rpc("eth_maxPriorityFeePerGas", json!([])).await, "0x3b9aca00");
    let pending = node.rpc("eth_getBlockByNumber", json!(["pending", false])).await;
    assert_eq!(number(&pending["baseFeePerGas"]), next);
}

#[tokio::test]
async fn the_protocol_is_json_rpc() {
    let node = start(Mining::Manual).await;
    let call = |id: u64, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] });
    let batch = json!([call(1, "eth_chainId"), call(2, "eth_nonsense"), { "method": "eth_chainId" }, 5]);
    let replies = node.post(&batch).await;
    assert_eq!(replies.as_array().unwrap().len(), 3, "a notification has no answer");
    assert_eq!((&replies[0]["id"], &replies[0]["result"]), (&json!(1), &json!("0x7a69")));
    assert_eq!(replies[1]["error"]["code"], -32601);
    assert_eq!(replies[2]["error"]["code"], -32600);
    assert_eq!(node.post(&json!([])).await["error"]["code"], -32600);
    assert_eq!(node.ask("eth_getBalance", json!(["0x12"])).await.unwrap_err()["code"], -32602);
    let torn = node.http.post(node.evm.rpc_url()).body("{").send().await.unwrap();
    assert_eq!(torn.json::<Value>().await.unwrap()["error"]["code"], -32700);
}

#[tokio::test]
async fn time_makes_blocks_until_nothing_happens() {
    let node = start(Mining::Interval(Duration::from_millis(1))).await;
    let rests_at = async |height| {
        while node.height().await < height {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(node.height().await, height);
    };
    rests_at(1 + 64).await;
    let hash = json!(node.evm.pay(&text(stranger(3)), &text(stranger(4)), 1).await.unwrap());
    while node.receipt(&hash).await.is_null() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let end = number(&node.receipt(&hash).await["blockNumber"]) + 64;
    rests_at(end).await;

    node.rpc("evm_setAutomine", json!([true])).await;
    node.evm.pay(&text(stranger(3)), &text(stranger(4)), 1).await.unwrap();
    assert_eq!(node.height().await, end + 2, "a mint and a transfer");
    node.rpc("evm_setAutomine", json!([false])).await;
    let hash = json!(node.evm.pay(&text(stranger(3)), &text(stranger(4)), 1).await.unwrap());
    assert_eq!(node.height().await, end + 2);
    node.evm.set_mining(Mining::OnDemand).unwrap();
    assert_eq!(node.receipt(&hash).await["status"], "0x1", "what waited is mined");
    node.rpc("evm_setIntervalMining", json!([0])).await;
    node.evm.shutdown().await;
}
