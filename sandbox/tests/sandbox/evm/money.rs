//! Transfers, logs, calls, and the token's refusals.

use super::*;

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

#[tokio::test]
async fn a_signed_transfer_is_mined_with_receipt_and_log() {
    let node = start(Mining::OnDemand).await;
    assert_eq!(node.evm.token_address().to_lowercase(), TOKEN);
    let (alice, bob) = (funded(&node, 1, 5_000_000).await, stranger(0xb0));
    let raw = Tx::transfer(0, bob, 1_250_000).sign(&alice);
    let hash = node.send(&raw).await;

    let receipt = node.receipt(&hash).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["type"], "0x2");
    assert_eq!(receipt["from"], text(alice.address()));
    assert_eq!(receipt["to"], TOKEN);
    assert_eq!(number(&receipt["blockNumber"]), node.height().await);
    let paid = number(&receipt["effectiveGasPrice"]);
    let head = node.head().await;
    assert_eq!(paid, number(&head["baseFeePerGas"]) + GWEI);
    assert_eq!(head["transactions"], json!([hash]));
    assert_eq!(head["hash"], receipt["blockHash"]);
    assert_eq!(receipt["logs"][0]["topics"][0], TRANSFER);
    assert_eq!(receipt["logs"][0]["data"], format!("0x{:064x}", 1_250_000));
    assert_eq!((node.tokens(alice.address()).await, node.tokens(bob).await), (3_750_000, 1_250_000));

    let shown = node.rpc("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(shown["blockHash"], head["hash"]);
    assert_eq!(shown["hash"], hash);
    assert_eq!(shown["from"], text(alice.address()));
    assert_eq!(shown["nonce"], "0x0");
    assert_eq!(node.refusal("eth_sendRawTransaction", json!([raw])).await, "already known");
    let spent = number(&receipt["gasUsed"]) as u128 * u128::from(paid);
    let left = node.rpc("eth_getBalance", json!([alice.address(), "latest"])).await;
    assert_eq!(left, format!("{:#x}", 100 * ETHER - spent));
}

#[tokio::test]
async fn older_kinds_of_transaction_are_taken() {
    use ethers_core::types::transaction::eip2930::AccessList;
    let node = start(Mining::OnDemand).await;
    let alice = funded(&node, 2, 0).await;
    let legacy = ethers_core::types::TransactionRequest::pay(stranger(9), 7)
        .gas(21_000)
        .gas_price(5 * GWEI)
        .chain_id(CHAIN);
    let listed = TypedTransaction::Eip2930(legacy.clone().nonce(1).with_access_list(AccessList::default()));
    for (tx, kind) in [(TypedTransaction::Legacy(legacy.nonce(0)), "0x0"), (listed, "0x1")] {
        let hash = node.send(&sign(&tx, &alice)).await;
        assert_eq!(node.receipt(&hash).await["type"], kind);
        assert_eq!(node.receipt(&hash).await["gasUsed"], "0x5208");
        assert_eq!(node.rpc("eth_getTransactionByHash", json!([hash])).await["type"], kind);
    }
    assert_eq!(node.rpc("eth_getBalance", json!([stranger(9), "latest"])).await, "0xe");
}

#[tokio::test]
async fn logs_are_found_by_address_topics_and_range() {
    let node = start(Mining::OnDemand).await;
    let (alice, bob, carol) = (funded(&node, 3, 9_000_000).await, stranger(0xb1), stranger(0xc1));
    let before = node.height().await;
    for (nonce, to) in [(0, bob), (1, carol), (2, bob)] {
        node.send(&Tx::transfer(nonce, to, 1_000_000 + nonce).sign(&alice)).await;
    }
    let topic = |address: Address| format!("0x{}", word(address));
    let count = async |filter: Value| match node.rpc("eth_getLogs", json!([filter])).await {
        Value::Array(logs) => logs.len(),
        other => panic!("{other}"),
    };
    let from = format!("{:#x}", before + 1);
    let all = json!({ "fromBlock": from, "address": TOKEN });
    assert_eq!(count(all).await, 3);
    let to_bob = json!({ "fromBlock": from, "topics": [TRANSFER, null, topic(bob)] });
    assert_eq!(count(to_bob).await, 2);
    let either =
        json!({ "fromBlock": from, "topics": [null, topic(alice.address()), [topic(bob), topic(carol)]] });
    assert_eq!(count(either).await, 3);
    let elsewhere = json!({ "fromBlock": from, "address": [stranger(1), stranger(2)] });
    assert_eq!(count(elsewhere).await, 0);
    let first = json!({ "fromBlock": from, "toBlock": from, "address": TOKEN });
    assert_eq!(count(first).await, 1);
    let head = node.head().await["hash"].clone();
    assert_eq!(count(json!({ "blockHash": head })).await, 1);
    assert_eq!(count(json!({ "fromBlock": "earliest", "topics": [TRANSFER, topic(stranger(0))] })).await, 1);
    let reversed = json!([{ "fromBlock": "latest", "toBlock": "earliest" }]);
    assert!(node.refusal("eth_getLogs", reversed).await.contains("fromBlock"));
}

#[tokio::test]
async fn calls_and_estimates_say_why_a_contract_refuses() {
    let node = start(Mining::OnDemand).await;
    let alice = funded(&node, 4, 1_000_000).await.address();
    let transfer =
        |micro: u64| data("transfer(address,uint256)", &[word(stranger(8)), format!("{micro:064x}")]);
    let call = |micro| json!([{ "from": alice, "to": TOKEN, "data": transfer(micro) }]);

    assert_eq!(node.rpc("eth_call", call(1_000_000)).await, format!("0x{:064x}", 1));
    let gas = number(&node.rpc("eth_estimateGas", call(1_000_000)).await);
    assert!((45_000..60_000).contains(&gas), "{gas}");
    for method in ["eth_call", "eth_estimateGas"] {
        let error = node.ask(method, call(1_000_001)).await.unwrap_err();
        assert_eq!(error["code"], 3);
        assert_eq!(error["message"], "execution reverted: ERC20: transfer amount exceeds balance");
        assert!(error["data"].as_str().unwrap().starts_with("0x08c379a0"));
    }
    // The estimate is enough, and one less is not.
    for (gas, status) in [(gas - 1, "0x0"), (gas, "0x1")] {
        let order =
            json!([{ "from": alice, "to": TOKEN, "data": transfer(1_000_000), "gas": format!("{gas:#x}") }]);
        node.rpc("anvil_impersonateAccount", json!([alice])).await;
        let hash = node.rpc("eth_sendTransaction", order).await;
        assert_eq!(node.receipt(&hash).await["status"], status);
    }
    let name = node.rpc("eth_call", json!([{ "to": TOKEN, "input": data("symbol()", &[]) }, "latest"])).await;
    assert!(name.as_str().unwrap().contains("55534443"), "USDC");
    let plain =
        node.rpc("eth_estimateGas", json!([{ "from": alice, "to": stranger(7), "value": "0x1" }])).await;
    assert_eq!(plain, "0x5208");
}

#[tokio::test]
async fn a_paused_token_and_a_blacklisted_wallet_fail_on_chain() {
    let node = start(Mining::OnDemand).await;
    let (alice, bob) = (funded(&node, 5, 3_000_000).await, stranger(0xb2));
    let attempt = async |nonce| {
        let hash = node.send(&Tx::transfer(nonce, bob, 1_000_000).sign(&alice)).await;
        let receipt = node.receipt(&hash).await;
        assert_eq!(receipt["logs"].as_array().unwrap().is_empty(), receipt["status"] == "0x0");
        receipt["status"].clone()
    };
    node.order("pause()", &[]).await;
    assert_eq!(attempt(0).await, "0x0");
    node.order("unpause()", &[]).await;
    for who in [alice.address(), bob] {
        node.order("blacklist(address)", &[word(who)]).await;
        let listed = json!([{ "to": TOKEN, "data": data("isBlacklisted(address)", &[word(who)]) }]);
        assert_eq!(node.rpc("eth_call", listed).await, format!("0x{:064x}", 1));
        let nonce = node.nonce(alice.address(), "latest").await;
        assert_eq!(attempt(nonce).await, "0x0");
        node.order("unBlacklist(address)", &[word(who)]).await;
    }
    assert_eq!(attempt(3).await, "0x1");
    assert_eq!(node.tokens(bob).await, 1_000_000);
}

#[tokio::test]
async fn anybody_can_pay_without_a_key() {
    let node = start(Mining::Manual).await;
    let (payer, treasury) = (stranger(0xaa), stranger(0xbb));
    let hash = json!(node.evm.pay(&text(payer), &text(treasury), 12_500_000).await.unwrap());
    assert_eq!(node.receipt(&hash).await, Value::Null, "it waits for a block");
    let waiting = node.rpc("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!((&waiting["blockHash"], &waiting["from"]), (&Value::Null, &json!(text(payer))));
    node.evm.mine(1).unwrap();
    let receipt = node.receipt(&hash).await;
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(text(payer))));
    assert_eq!((node.tokens(payer).await, node.tokens(treasury).await), (0, 12_500_000));

    // Who has enough pays from that.
    node.evm.mint_and_fund(&text(payer), 1_000_000).unwrap();
    node.evm.pay(&text(payer), &text(treasury), 400_000).await.unwrap();
    node.evm.pay(&text(payer), &text(treasury), 500_000).await.unwrap();
    node.evm.mine(1).unwrap();
    assert_eq!((node.tokens(payer).await, node.tokens(treasury).await), (100_000, 13_400_000));
    assert!(matches!(node.evm.pay("0x12", &text(payer), 1).await, Err(EvmError::Address(_))));
}
