//! The chain, driven by JSON-RPC with transactions that ethers signs, as production does.

mod blocks;
mod durable;
mod money;
mod pool;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ethers_core::types::transaction::eip2718::TypedTransaction;
use ethers_core::types::{Address, Bytes, Eip1559TransactionRequest, NameOrAddress, U256};
use ethers_core::utils::id;
use ethers_signers::{LocalWallet, Signer};
use sandbox::evm::{Evm, EvmConfig, EvmError, Mining, TOKEN_OWNER_KEY};
use serde_json::{Value, json};

const CHAIN: u64 = 31_337;
const ETHER: u128 = 1_000_000_000_000_000_000;
const GWEI: u64 = 1_000_000_000;
/// Where the token is on every sandbox chain.
const TOKEN: &str = "0xc96097ca1bf957d123596bf7fb20a190fb894362";

/// A chain with a clock that stands still unless moved.
struct Node {
    evm: Evm,
    http: reqwest::Client,
    clock: Arc<AtomicU64>,
}

async fn open(folder: Option<&Path>, mining: Mining) -> Result<Node, EvmError> {
    let clock = Arc::new(AtomicU64::new(1_800_000_000));
    let ticking = Arc::clone(&clock);
    let evm = Evm::start(EvmConfig {
        data_dir: folder.map(Path::to_owned),
        listen: ([127, 0, 0, 1], 0).into(),
        chain_id: CHAIN,
        mining,
        clock: Arc::new(move || ticking.load(Ordering::Relaxed)),
    })
    .await?;
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Node { evm, http: reqwest::Client::new(), clock })
}

async fn start(mining: Mining) -> Node {
    open(None, mining).await.unwrap()
}

impl Node {
    async fn post(&self, body: &Value) -> Value {
        let reply = self.http.post(self.evm.rpc_url()).json(body).send().await.unwrap();
        reply.json().await.unwrap()
    }

    /// The result, or the error object.
    async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut reply = self.post(&request).await;
        match reply.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(reply["result"].take()),
        }
    }

    async fn rpc(&self, method: &str, params: Value) -> Value {
        let asked = format!("{method} {params}");
        self.ask(method, params).await.map_err(|error| format!("{asked}: {error}")).unwrap()
    }

    /// The message of the error that must come.
    async fn refusal(&self, method: &str, params: Value) -> String {
        self.ask(method, params).await.unwrap_err()["message"].as_str().unwrap().to_owned()
    }

    async fn receipt(&self, hash: &Value) -> Value {
        self.rpc("eth_getTransactionReceipt", json!([hash])).await
    }

    async fn head(&self) -> Value {
        self.rpc("eth_getBlockByNumber", json!(["latest", false])).await
    }

    async fn height(&self) -> u64 {
        number(&self.rpc("eth_blockNumber", json!([])).await)
    }

    /// Millionths of a token, after the last block.
    async fn tokens(&self, account: Address) -> u64 {
        let data = data("balanceOf(address)", &[word(account)]);
        let word = self.rpc("eth_call", json!([{ "to": TOKEN, "data": data }, "latest"])).await;
        number(&json!(format!("0x{}", &word.as_str().unwrap()[50..])))
    }

    async fn nonce(&self, account: Address, tag: &str) -> u64 {
        number(&self.rpc("eth_getTransactionCount", json!([account, tag])).await)
    }

    async fn send(&self, raw: &Bytes) -> Value {
        self.rpc("eth_sendRawTransaction", json!([raw])).await
    }

    /// An order of the token's owner, mined.
    async fn order(&self, signature: &str, words: &[String]) {
        let owner: LocalWallet = TOKEN_OWNER_KEY.parse().unwrap();
        let nonce = self.nonce(owner.address(), "pending").await;
        let raw = Tx::new(nonce).to(TOKEN).data(&data(signature, words)).sign(&owner);
        let hash = self.send(&raw).await;
        if self.receipt(&hash).await.is_null() {
            self.evm.mine(1).unwrap();
        }
        assert_eq!(self.receipt(&hash).await["status"], "0x1");
    }
}

/// An EIP-1559 transaction to be signed.
struct Tx(Eip1559TransactionRequest);

impl Tx {
    fn new(nonce: u64) -> Self {
        let tx = Eip1559TransactionRequest::new().chain_id(CHAIN).nonce(nonce).gas(200_000);
        Self(tx.value(0)).price(10 * GWEI, GWEI)
    }

    fn transfer(nonce: u64, to: Address, micro: u64) -> Self {
        Self::new(nonce)
            .to(TOKEN)
            .data(&data("transfer(address,uint256)", &[word(to), format!("{micro:064x}")]))
    }

    fn to(mut self, to: &str) -> Self {
        self.0.to = Some(NameOrAddress::Address(to.parse().unwrap()));
        self
    }

    fn data(mut self, data: &str) -> Self {
        self.0.data = Some(data.parse().unwrap());
        self
    }

    fn value(mut self, wei: u128) -> Self {
        self.0.value = Some(U256::from(wei));
        self
    }

    fn price(mut self, cap: u64, tip: u64) -> Self {
        self.0.max_fee_per_gas = Some(cap.into());
        self.0.max_priority_fee_per_gas = Some(tip.into());
        self
    }

    fn sign(self, wallet: &LocalWallet) -> Bytes {
        sign(&self.0.into(), wallet)
    }
}

fn sign(tx: &TypedTransaction, wallet: &LocalWallet) -> Bytes {
    let wallet = wallet.clone().with_chain_id(CHAIN);
    tx.rlp_signed(&wallet.sign_transaction_sync(tx).unwrap())
}

/// Somebody with a key and a coin or two.
async fn funded(node: &Node, key: u8, micro_usdc: u64) -> LocalWallet {
    let wallet = LocalWallet::from_bytes(&[key; 32]).unwrap();
    node.evm.mint_and_fund(&format!("{:?}", wallet.address()), micro_usdc).unwrap();
    wallet
}

fn data(signature: &str, words: &[String]) -> String {
    let selector: String = id(signature).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{selector}{}", words.concat())
}

fn word(address: Address) -> String {
    format!("{:0>64}", format!("{address:x}"))
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn stranger(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

fn text(address: Address) -> String {
    format!("{address:?}")
}
