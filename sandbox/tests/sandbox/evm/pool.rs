//! What waits: replacement, gaps, prices, and who may send.

use super::*;

#[tokio::test]
async fn the_same_nonce_needs_a_tenth_more() {
    let node = start(Mining::Manual).await;
    let alice = funded(&node, 0x11, 0).await;
    let pay =
        |to: u8, cap: u64, tip: u64| Tx::new(0).to(&text(stranger(to))).value(1).price(cap, tip).sign(&alice);
    let first = node.send(&pay(1, 10 * GWEI, GWEI)).await;
    for (cap, tip) in [(10 * GWEI, 2 * GWEI), (20 * GWEI, GWEI), (11 * GWEI - 1, 2 * GWEI)] {
        let low = node.refusal("eth_sendRawTransaction", json!([pay(2, cap, tip)])).await;
        assert_eq!(low, "replacement transaction underpriced");
    }
    let second = node.send(&pay(2, 11 * GWEI, GWEI + GWEI / 10)).await;
    assert_eq!(node.rpc("eth_getTransactionByHash", json!([first])).await, Value::Null);
    node.evm.mine(1).unwrap();
    assert_eq!(node.receipt(&first).await, Value::Null);
    assert_eq!(node.receipt(&second).await["status"], "0x1");
    let late = node.refusal("eth_sendRawTransaction", json!([pay(3, 90 * GWEI, 9 * GWEI)])).await;
    assert!(late.starts_with("nonce too low"), "{late}");
}

#[tokio::test]
async fn a_nonce_ahead_waits_for_the_gap_to_close() {
    let node = start(Mining::OnDemand).await;
    let alice = funded(&node, 0x12, 0).await;
    let me = alice.address();
    let pay = |nonce| Tx::new(nonce).to(&text(stranger(1))).value(1).sign(&alice);
    let third = node.send(&pay(2)).await;
    let second = node.send(&pay(1)).await;
    assert_eq!((node.nonce(me, "latest").await, node.nonce(me, "pending").await), (0, 0));
    node.evm.mine(1).unwrap();
    assert_eq!(node.receipt(&second).await, Value::Null);
    let first = node.send(&pay(0)).await;
    let block = node.receipt(&first).await["blockHash"].clone();
    assert_eq!(node.receipt(&third).await["blockHash"], block);
    assert_eq!((node.nonce(me, "latest").await, node.nonce(me, "pending").await), (3, 3));
    let indexes = [&first, &second, &third];
    for (index, hash) in indexes.into_iter().enumerate() {
        assert_eq!(node.receipt(hash).await["transactionIndex"], format!("{index:#x}"));
    }
}

#[tokio::test]
async fn the_better_tip_goes_first_and_a_low_price_waits() {
    let node = start(Mining::Manual).await;
    let (alice, bob) = (funded(&node, 0x13, 0).await, funded(&node, 0x14, 0).await);
    let ask = |price, tip| Tx::new(0).to(TOKEN).data("0x06fdde03").price(price, tip);
    let cheap = node.send(&ask(8 * GWEI, GWEI).sign(&alice)).await;
    let dear = node.send(&ask(90 * GWEI, 3 * GWEI).sign(&bob)).await;
    let pending = node.rpc("eth_getBlockByNumber", json!(["pending", false])).await;
    assert_eq!(pending["transactions"], json!([dear, cheap]));
    assert_eq!(pending["hash"], Value::Null);

    node.rpc("anvil_setNextBlockBaseFeePerGas", json!([format!("{:#x}", 20 * GWEI)])).await;
    node.rpc("anvil_mine", json!([])).await;
    assert_eq!(number(&node.head().await["baseFeePerGas"]), 20 * GWEI);
    assert_eq!(node.receipt(&dear).await["status"], "0x1");
    assert_eq!(node.receipt(&cheap).await, Value::Null);
    assert_eq!(node.nonce(alice.address(), "pending").await, 1);
    node.rpc("anvil_mine", json!(["0x10"])).await;
    assert_eq!(node.receipt(&cheap).await["status"], "0x1", "the base fee fell below its price");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let node = start(Mining::Manual).await;
    let alice = funded(&node, 0x15, 0).await;
    let refused = async |raw: Bytes| node.refusal("eth_sendRawTransaction", json!([raw])).await;
    let to = text(stranger(1));

    let rich = Tx::new(0).to(&to).value(1000 * ETHER).sign(&alice);
    assert!(refused(rich).await.starts_with("insufficient funds"));
    let mut elsewhere = Tx::new(0).to(&to);
    elsewhere.0.chain_id = Some(1.into());
    let tx: TypedTransaction = elsewhere.0.into();
    let signature = alice.clone().with_chain_id(1u64).sign_transaction_sync(&tx).unwrap();
    assert!(refused(tx.rlp_signed(&signature)).await.starts_with("invalid chain id"));
    assert!(
        refused(Tx::new(0).to(&to).price(GWEI, 2 * GWEI).sign(&alice)).await.contains("max priority fee")
    );
    let mut little = Tx::new(0).to(&to);
    little.0.gas = Some(20_999.into());
    assert!(refused(little.sign(&alice)).await.starts_with("intrinsic gas too low"));
    let mut huge = Tx::new(0).to(&to);
    huge.0.gas = Some((16_777_217).into());
    assert_eq!(refused(huge.sign(&alice)).await, "exceeds block gas limit");
    assert!(refused(Bytes::from(vec![2, 1, 0])).await.starts_with("failed to decode"));

    let order = json!([{ "from": stranger(5), "to": to, "value": "0x1" }]);
    assert!(node.refusal("eth_sendTransaction", order.clone()).await.starts_with("no signer"));
    node.rpc("anvil_setBalance", json!([stranger(5), "0xde0b6b3a7640000"])).await;
    node.rpc("anvil_impersonateAccount", json!([stranger(5)])).await;
    let hash = node.rpc("eth_sendTransaction", order.clone()).await;
    assert_eq!(node.rpc("anvil_dropTransaction", json!([hash])).await, hash);
    assert_eq!(node.rpc("eth_getTransactionByHash", json!([hash])).await, Value::Null);
    node.rpc("anvil_stopImpersonatingAccount", json!([stranger(5)])).await;
    assert!(node.refusal("eth_sendTransaction", order).await.starts_with("no signer"));
}
