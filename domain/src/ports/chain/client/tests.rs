//! The client against a node that says what each test wants. The real thing is in the workspace's `tests`.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

const USDC: Address = Address([0xaa; 20]);
const PAYER: Address = Address([0xbb; 20]);
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const FEES: GasFees = GasFees { max_fee_per_gas: 30, max_priority_fee_per_gas: 2 };

/// `Ok` is a result, `Err` a JSON-RPC error.
type Says = Result<Value, Value>;

/// A client and the methods that its node was asked, in order.
struct Scene {
    client: EvmClient,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    async fn new(node: impl Fn(&str, &Value) -> Says + Send + Sync + 'static) -> Self {
        Self::balanced(move |_, method, params| node(method, params)).await
    }

    /// Several nodes behind one address: each is told which request it answers, a batch being one.
    async fn balanced(node: impl Fn(usize, &str, &Value) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rpc_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut turn = 0;
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &|method: &str, params: &Value| node(turn, method, params), &log).await;
                turn += 1;
            }
        });
        let client =
            EvmClient::new(EvmSettings { rpc_url, chain_id: 31_337, usdc: USDC, treasury_key: KEY.into() });
        Self { client: client.unwrap(), asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn count(&self, method: &str) -> usize {
        self.asked().iter().filter(|asked| *asked == method).count()
    }
}

/// What a node of these tests is asked first when a batch comes: null when it answers batches.
const BATCH: &str = "batch";

/// Answers one request and closes.
async fn answer(stream: TcpStream, node: &impl Fn(&str, &Value) -> Says, asked: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await.unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let one = |call: &Value| {
        let method = call["method"].as_str().unwrap();
        asked.lock().unwrap().push(method.to_owned());
        let mut body = json!({ "jsonrpc": "2.0", "id": call["id"] });
        match node(method, &call["params"]) {
            Ok(result) => body["result"] = result,
            Err(error) => body["error"] = error,
        }
        body
    };
    let body = match request.as_array() {
        // A node that says something of batches takes none.
        Some(calls) => match node(BATCH, &Value::Null) {
            Ok(Value::Null) => calls.iter().rev().map(one).collect(),
            says => json!({ "jsonrpc": "2.0", "id": null, "error": says.unwrap_err() }),
        },
        None => one(&request),
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn deposit_log(block: u64, index: u64) -> Value {
    let word = |address: Address| format!("0x{:0>64}", &address.to_string()[2..]);
    let treasury = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266".parse().unwrap();
    json!({
        "address": USDC.to_string(),
        "topics": [abi::transfer_topic(), word(PAYER), word(treasury)],
        "data": format!("0x{:064x}", 1_000_000),
        "blockNumber": format!("{block:#x}"),
        "blockHash": format!("0x{block:064x}"),
        "transactionHash": format!("0x{:064x}", block * 1000 + index),
        "transactionIndex": "0x0",
        "logIndex": format!("{index:#x}"),
        "removed": false,
    })
}

fn refusal(message: &str) -> Says {
    Err(json!({ "code": -32000, "message": message }))
}

#[tokio::test]
async fn deposits_come_in_order_however_narrow_the_node_is() {
    let scene = Scene::new(|method, params| {
        match method {
            BATCH => return Ok(Value::Null),
            "eth_blockNumber" => return Ok(json!("0x4b0")),
            _ => {}
        }
        let (from, to) = (number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]));
        if to - from >= 10 {
            return refusal("query exceeds max block range 10");
        }
        let blocks = (from..=to).rev().filter(|block| block % 7 == 0);
        Ok(blocks.flat_map(|block| [deposit_log(block, 3), deposit_log(block, 1)]).collect())
    })
    .await;
    let found = scene.client.deposits(10, 1_200).await.unwrap();
    let places: Vec<_> = found.iter().map(|transfer| (transfer.block_number, transfer.log_index)).collect();
    let expected: Vec<_> = (10..=1_200).filter(|b| b % 7 == 0).flat_map(|b| [(b, 1), (b, 3)]).collect();
    assert_eq!(places, expected);
    assert!(found.iter().all(|transfer| transfer.from == PAYER && transfer.amount == Some(Usdc(1_000_000))));
    assert_eq!(scene.client.deposits(11, 10).await.unwrap(), []);
    assert!(
        scene.client.deposits(10, 1_201).await.unwrap_err().is_transient(),
        "a block that is not there yet"
    );
}

#[tokio::test]
async fn a_block_that_cannot_be_searched_ends_the_search() {
    let scene = Scene::new(|method, _| match method {
        BATCH => Ok(Value::Null),
        "eth_blockNumber" => Ok(json!("0x7d0")),
        _ => Err(json!({ "code": -32602, "message": "no" })),
    })
    .await;
    assert!(scene.client.deposits(1, 2_000).await.unwrap_err().is_transient());
    let tried = scene.count("eth_getLogs");
    assert!(tried <= 14, "halved, not tried one by one: {tried}");
}

/// One of two nodes behind a load balancer lags, and answers with nothing for the blocks that it lacks.
#[tokio::test]
async fn nothing_from_a_node_that_lags_is_no_answer() {
    let (up_to_date, lagging) = (json!("0x96"), json!("0x64"));
    let scene = Scene::balanced(move |turn, method, _| match (method, turn % 2) {
        (BATCH, _) => Ok(Value::Null),
        ("eth_blockNumber", 0) => Ok(up_to_date.clone()),
        ("eth_blockNumber", _) => Ok(lagging.clone()),
        (_, 0) => Ok(json!([deposit_log(140, 0)])),
        _ => Ok(json!([])),
    })
    .await;
    assert_eq!(scene.client.deposits(1, 150).await.unwrap().len(), 1, "the first request goes to the first");
    assert!(
        scene.client.deposits(1, 150).await.unwrap_err().is_transient(),
        "the second to the one that lags"
    );
    assert_eq!(scene.client.deposits(1, 150).await.unwrap().len(), 1);
}

/// Without batches the head is asked before and after: the lower one counts.
#[tokio::test]
async fn a_node_that_takes_no_batches_is_asked_one_by_one() {
    let scene = Scene::balanced(|turn, method, _| match method {
        BATCH => Err(json!({ "code": -32600, "message": "batches are not allowed" })),
        "eth_blockNumber" => Ok(json!(if turn == 7 { "0x64" } else { "0x96" })),
        _ => Ok(json!([deposit_log(140, 0)])),
    })
    .await;
    assert_eq!(scene.client.deposits(1, 150).await.unwrap().len(), 1);
    assert_eq!(scene.asked(), ["eth_blockNumber", "eth_getLogs", "eth_blockNumber"]);
    assert!(scene.client.deposits(1, 150).await.unwrap_err().is_transient(), "it lagged after the logs");
}

#[tokio::test]
async fn every_wording_for_a_block_that_is_not_there_is_known() {
    let says = |code: i64, message: &'static str| async move {
        Scene::new(move |_, _| Err(json!({ "code": code, "message": message }))).await.client
    };
    for (code, message) in [
        (-39001, "Unknown block"),
        (-32000, "header not found"),
        (-32000, "finalized block not found"),
        (-32001, "block not found: finalized"),
        (-32000, "block \"finalized\" not available (head block: 21459236)"),
        (-32000, "4294967295 could not be found"),
        (-32603, "Cannot find block 7"),
        (-32602, "BlockOutOfRangeError: block height is 5 but requested was 7"),
        (-32603, "upstream does not have the requested block yet"),
    ] {
        let client = says(code, message).await;
        assert_eq!(client.block(BlockTag::Finalized).await, Ok(None), "{message}");
        assert_eq!(client.block(BlockTag::Number(7)).await, Ok(None), "{message}");
        assert!(client.block(BlockTag::Latest).await.is_err(), "there is always a newest: {message}");
    }
    let client = says(-32602, "invalid argument 0: hex string without 0x prefix").await;
    assert_eq!(client.block(BlockTag::Finalized).await, Ok(None), "a name that it does not know");
    assert!(client.block(BlockTag::Number(7)).await.is_err());
    for (code, message) in [
        (-32601, "the method was not found"),
        (-32005, "rate limit: plan not found"),
        (-32000, "the service is not available"),
    ] {
        let client = says(code, message).await;
        assert!(client.block(BlockTag::Finalized).await.is_err(), "{message}");
        assert!(client.block(BlockTag::Number(7)).await.is_err(), "{message}");
    }
}

#[tokio::test]
async fn a_plain_erc_20_is_neither_paused_nor_blacklisting() {
    let scene =
        Scene::new(|_, _| Err(json!({"code": 3, "message": "execution reverted", "data": "0x"}))).await;
    assert_eq!(scene.client.usdc_paused().await, Ok(false));
    let scene = Scene::new(|_, _| Ok(json!("0x"))).await;
    assert_eq!(scene.client.blacklisted(PAYER).await, Ok(false));
    let scene = Scene::new(|_, _| Ok(json!(format!("0x{:064x}", 1)))).await;
    assert_eq!(scene.client.blacklisted(PAYER).await, Ok(true));
    let scene = Scene::new(|_, _| refusal("daily request count exceeded")).await;
    assert!(scene.client.blacklisted(PAYER).await.unwrap_err().is_transient(), "not known is not a no");
}

#[tokio::test]
async fn a_refused_broadcast_asks_the_chain_before_it_trusts_words() {
    let broadcast = |known: bool, mined: u64, pending: u64, words: &'static str| async move {
        let scene = Scene::new(move |method, params| match method {
            "eth_sendRawTransaction" => refusal(words),
            "eth_getTransactionByHash" => Ok(if known { json!({}) } else { Value::Null }),
            _ if params[1] == "pending" => Ok(json!(U64::from(pending))),
            _ => Ok(json!(U64::from(mined))),
        })
        .await;
        let signed = scene.client.sign_transfer(7, PAYER, Usdc(1), 61_200, FEES).unwrap();
        scene.client.broadcast(&signed.raw).await.map_err(|error| error.is_transient())
    };
    assert_eq!(broadcast(true, 7, 8, "some words").await, Ok(Broadcast::Accepted));
    assert_eq!(broadcast(false, 8, 8, "some words").await, Ok(Broadcast::NonceUsed));
    assert_eq!(broadcast(false, 7, 8, "some words").await, Ok(Broadcast::Underpriced));
    assert_eq!(broadcast(false, 7, 7, "already known").await, Ok(Broadcast::Accepted));
    assert_eq!(broadcast(false, 7, 7, "nonce too low").await, Ok(Broadcast::NonceUsed));
    assert_eq!(
        broadcast(false, 7, 7, "replacement transaction underpriced").await,
        Ok(Broadcast::Underpriced)
    );
    assert_eq!(broadcast(false, 7, 7, "insufficient funds for gas").await, Err(true));
    assert_eq!(broadcast(false, 7, 8, "too many requests").await, Err(true));
    assert_eq!(broadcast(false, 7, 7, "intrinsic gas too low").await, Err(false));
}

#[tokio::test]
async fn an_accepted_broadcast_asks_nothing_more() {
    let scene = Scene::new(|_, params| {
        let raw = hex::decode(&params[0].as_str().unwrap()[2..]).unwrap();
        Ok(json!(H256(keccak256(raw))))
    })
    .await;
    let signed = scene.client.sign_transfer(0, PAYER, Usdc(1), 61_200, FEES).unwrap();
    assert_eq!(scene.client.broadcast(&signed.raw).await, Ok(Broadcast::Accepted));
    assert_eq!(scene.asked(), ["eth_sendRawTransaction"]);
}

#[tokio::test]
async fn fees_leave_room_for_six_full_blocks_and_a_raise() {
    let fees = |base: &'static str, tip: Says| async move {
        let scene = Scene::new(move |method, _| match method {
            "eth_getBlockByNumber" => Ok(json!({ "timestamp": "0x1", "baseFeePerGas": base })),
            _ => tip.clone(),
        })
        .await;
        scene.client.gas_fees().await.map(|fees| (fees.max_fee_per_gas, fees.max_priority_fee_per_gas))
    };
    assert_eq!(fees("0x64", Ok(json!("0x77359400"))).await, Ok((2_000_000_200, 2_000_000_000)));
    assert_eq!(fees("0x64", Ok(json!("0x0"))).await, Ok((200 + LEAST_TIP, LEAST_TIP)));
    assert_eq!(fees("0x64", refusal("unknown method")).await, Ok((200 + DEFAULT_TIP, DEFAULT_TIP)));
    assert!(fees("0xffffffffffffffffff", Ok(json!("0x1"))).await.is_err());
}

#[tokio::test]
async fn a_block_is_whole_or_an_error() {
    let hash = format!("0x{}", "ab".repeat(32));
    let full = json!({ "number": "0x5", "hash": hash, "timestamp": "0x10", "baseFeePerGas": "0x1" });
    let scene = Scene::new(move |_, params| match params[0].as_str() {
        Some("finalized") => Err(json!({ "code": -39001, "message": "Unknown block" })),
        Some("0x5" | "0x6") => Ok(full.clone()),
        Some("latest") => Ok(json!({ "number": null, "hash": null, "timestamp": "0x10" })),
        _ => Ok(Value::Null),
    })
    .await;
    let block = scene.client.block(BlockTag::Number(5)).await.unwrap().unwrap();
    assert_eq!((block.number, block.hash, block.time.timestamp()), (5, BlockHash([0xab; 32]), 16));
    assert_eq!(scene.client.block(BlockTag::Number(7)).await, Ok(None));
    assert_eq!(scene.client.block(BlockTag::Finalized).await, Ok(None));
    assert!(scene.client.block(BlockTag::Number(6)).await.is_err(), "another block than the one asked for");
    assert!(scene.client.block(BlockTag::Latest).await.is_err(), "a pending block");
}

#[tokio::test]
async fn who_sent_a_transaction_is_heard_of_just_that_one() {
    let hash = TxHash([7; 32]);
    let says = |shown: Value| async move {
        let scene = Scene::new(move |_, _| Ok(shown.clone())).await;
        let heard = scene.client.sender(hash).await.map_err(|error| error.is_transient());
        assert_eq!(scene.asked(), ["eth_getTransactionByHash"]);
        heard
    };
    let shown =
        json!({ "hash": hash.to_string(), "from": PAYER.to_string(), "nonce": "0x1f", "blockHash": null });
    assert_eq!(says(shown.clone()).await, Ok(Some(Sender { address: PAYER, nonce: 31 })));
    assert_eq!(says(Value::Null).await, Ok(None));
    let mut other = shown.clone();
    other["hash"] = json!(TxHash([8; 32]).to_string());
    assert_eq!(says(other).await, Err(true));
    for field in ["hash", "from", "nonce"] {
        let mut without = shown.clone();
        without.as_object_mut().unwrap().remove(field);
        assert!(says(without).await.is_err(), "{field}");
    }
}

#[tokio::test]
async fn the_wrong_chain_or_token_is_refused() {
    let verify = |chain: &'static str, code: &'static str, decimals: u64| async move {
        let scene = Scene::new(move |method, _| match method {
            "eth_chainId" => Ok(json!(chain)),
            "eth_getCode" => Ok(json!(code)),
            _ => Ok(json!(format!("0x{decimals:064x}"))),
        })
        .await;
        scene.client.verify().await
    };
    assert_eq!(verify("0x7a69", "0x60", 6).await, Ok(()));
    for refused in
        [verify("0x1", "0x60", 6).await, verify("0x7a69", "0x", 6).await, verify("0x7a69", "0x60", 18).await]
    {
        assert!(matches!(refused, Err(PortError::Refused { port: "chain", .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_balance_at_a_block_is_of_that_block_alone() {
    let balance = |hashes: [&'static str; 2]| async move {
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let scene = Scene::new(move |method, params| match method {
            "eth_call" => {
                assert_eq!(params[1], json!("0x5"), "as it was then, not as it is now");
                Ok(json!(format!("0x{:064x}", 12_500_000)))
            }
            _ => {
                let look = looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let hash = format!("0x{}", hashes[look].repeat(32));
                Ok(json!({ "number": "0x5", "hash": hash, "timestamp": "0x10" }))
            }
        })
        .await;
        let time = DateTime::from_timestamp(16, 0).unwrap();
        let block = Block { number: 5, hash: BlockHash([0xab; 32]), time };
        scene.client.usdc_balance_at(PAYER, &block).await
    };
    assert_eq!(balance(["ab", "ab"]).await, Ok(Usdc(12_500_000)));
    for replaced in [balance(["cd", "cd"]).await, balance(["ab", "cd"]).await] {
        assert!(replaced.is_err_and(|error| error.is_transient()), "another block stands there");
    }
}
