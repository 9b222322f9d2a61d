//! The real chain: an EVM node over JSON-RPC, with ethers' types, transactions and signatures.

use std::fmt;

use async_trait::async_trait;
use chrono::DateTime;
use entities::Usdc;
use ethers_core::{
    types::{Bytes, H160, H256, Log, U64, U256},
    utils::keccak256,
};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{
    Address, Block, BlockHash, BlockTag, Broadcast, Chain, GasFees, Receipt, Sender, SignedTransfer,
    Transfer, TxHash, abi, broadcast,
    rpc::{INVALID_PARAMETERS, METHOD_NOT_FOUND, NodeError, Rpc, RpcError},
    treasury::Treasury,
    types::usdc_from_chain,
};
use crate::ports::PortError;

/// The decimals of USDC: all our amounts count on them.
const DECIMALS: u64 = 6;
/// The most blocks asked for at once; halved as often as the node refuses.
const LOG_SPAN: u64 = 2_048;
/// Offered as a tip, in wei, when the node has no opinion: what most chains took for years.
const DEFAULT_TIP: u64 = 1_000_000_000;
/// The least tip, in wei. Cheap enough for any L2, and not zero, so that an eighth more is more: nodes take a
/// replacement only when its tip rises too.
const LEAST_TIP: u64 = 1_000_000;

/// Where the chain is and who we are on it.
#[derive(Clone)]
pub struct EvmSettings {
    /// The node's JSON-RPC address. It may hold a provider's key, so it is never shown whole.
    pub rpc_url: Url,
    /// The chain to expect there.
    pub chain_id: u64,
    /// The USDC contract.
    pub usdc: Address,
    /// The treasury's private key, 32 bytes in hex.
    pub treasury_key: SecretString,
}

impl fmt::Debug for EvmSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvmSettings")
            .field("rpc_host", &self.rpc_url.host_str())
            .field("chain_id", &self.chain_id)
            .field("usdc", &self.usdc)
            .finish_non_exhaustive()
    }
}

/// A [`Chain`] behind one node.
pub struct EvmClient {
    rpc: Rpc,
    chain_id: u64,
    usdc: Address,
    treasury: Treasury,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcBlock {
    number: Option<U64>,
    hash: Option<H256>,
    timestamp: U64,
    base_fee_per_gas: Option<U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RpcReceipt {
    transaction_hash: H256,
    status: Option<U64>,
    block_number: Option<U64>,
    block_hash: Option<H256>,
    gas_used: U256,
    #[serde(default)]
    effective_gas_price: U256,
    /// What an OP-stack chain charges beside the gas for its place on Ethereum.
    #[serde(default)]
    l1_fee: Option<U256>,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct RpcTransaction {
    hash: H256,
    from: H160,
    nonce: U64,
}

impl EvmClient {
    /// Checks the settings; nothing is sent. Call [`Chain::verify`] before use.
    ///
    /// # Errors
    /// [`PortError::Refused`] for a key or a chain id that cannot be one. The text holds no secret.
    pub fn new(settings: EvmSettings) -> Result<Self, PortError> {
        let EvmSettings { rpc_url, chain_id, usdc, treasury_key } = settings;
        Ok(Self {
            treasury: Treasury::new(&treasury_key, chain_id, usdc)?,
            rpc: Rpc::new(rpc_url)?,
            chain_id,
            usdc,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, PortError> {
        Ok(self.rpc.call(method, params).await?)
    }

    /// Calls the USDC contract.
    async fn call_usdc(&self, data: Bytes) -> Result<Bytes, RpcError> {
        self.call_usdc_at(data, json!("latest")).await
    }

    /// The same as it was after a block.
    async fn call_usdc_at(&self, data: Bytes, block: Value) -> Result<Bytes, RpcError> {
        self.rpc.call("eth_call", json!([{ "to": self.usdc.to_string(), "data": data }, block])).await
    }

    /// Transient unless this block is the canonical one of its height.
    async fn require_canonical(&self, block: &Block) -> Result<(), PortError> {
        let now = self.block(BlockTag::Number(block.number)).await?;
        match now.is_some_and(|now| now.hash == block.hash) {
            true => Ok(()),
            false => Err(super::transient(format!("block {} is another one by now", block.number))),
        }
    }

    /// A yes-or-no function that a plain ERC-20 contract does not have: then the answer is no.
    async fn usdc_flag(&self, data: Bytes) -> Result<bool, PortError> {
        match self.call_usdc(data).await {
            Ok(answer) => abi::read_bool(&answer).map(Option::unwrap_or_default).map_err(no_usdc),
            Err(RpcError::Node(error)) if error.is_revert() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn usdc_number(&self, data: Bytes) -> Result<U256, PortError> {
        abi::read_number(&self.call_usdc(data).await?).map_err(no_usdc)
    }

    /// The logs of USDC that came to the treasury in these blocks, and the newest block of the node that gave them: behind a
    /// load balancer the next call may be answered by another.
    async fn transfers_to_treasury(&self, from: u64, to: u64) -> Result<(Vec<Log>, u64), RpcError> {
        let filter = json!({
            "address": self.usdc.to_string(),
            "fromBlock": U64::from(from),
            "toBlock": U64::from(to),
            "topics": [abi::transfer_topic(), null, self.treasury.address().to_topic()],
        });
        let (head, logs) = (("eth_blockNumber", json!([])), ("eth_getLogs", json!([filter])));
        if let Some((head, logs)) = self.rpc.call_both::<U64, _>(head.clone(), logs.clone()).await? {
            return Ok((logs, head.as_u64()));
        }
        // One at a time: the lower of what is said before and after counts. The next scans read these blocks again.
        let before: U64 = self.rpc.call(head.0, head.1.clone()).await?;
        let logs = self.rpc.call(logs.0, logs.1).await?;
        let after: U64 = self.rpc.call(head.0, head.1).await?;
        Ok((logs, before.min(after).as_u64()))
    }
}

/// A block as JSON-RPC names it.
fn block_name(tag: BlockTag) -> Value {
    match tag {
        BlockTag::Latest => json!("latest"),
        BlockTag::Finalized => json!("finalized"),
        BlockTag::Number(number) => json!(U64::from(number)),
    }
}

/// A contract that answers, but not as USDC does.
fn no_usdc(error: impl fmt::Display) -> PortError {
    super::refused(format!("the USDC contract answers in another form: {error}"))
}

#[async_trait]
impl Chain for EvmClient {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn treasury(&self) -> Address {
        self.treasury.address()
    }

    fn usdc(&self) -> Address {
        self.usdc
    }

    async fn verify(&self) -> Result<(), PortError> {
        let id: U64 = self.ask("eth_chainId", json!([])).await?;
        if id.as_u64() != self.chain_id {
            return Err(super::refused(format!("the node is on chain {id}, expected {}", self.chain_id)));
        }
        let code: Bytes = self.ask("eth_getCode", json!([self.usdc.to_string(), "latest"])).await?;
        if code.is_empty() {
            return Err(super::refused(format!("there is no contract at {}", self.usdc)));
        }
        let decimals = self.usdc_number(abi::call_data(abi::DecimalsCall)).await?;
        if decimals != U256::from(DECIMALS) {
            return Err(super::refused(format!("{} has {decimals} decimals, not {DECIMALS}", self.usdc)));
        }
        Ok(())
    }

    async fn block(&self, tag: BlockTag) -> Result<Option<Block>, PortError> {
        let name = block_name(tag);
        let block =
            match self.rpc.call::<Option<RpcBlock>>("eth_getBlockByNumber", json!([name, false])).await {
                // A height that is not there yet is null with some nodes, and an error with others.
                Err(RpcError::Node(error)) if is_unknown_block(&error, tag) => None,
                other => other?,
            };
        let Some(RpcBlock { number, hash, timestamp, .. }) = block else { return Ok(None) };
        let time =
            i64::try_from(timestamp.as_u64()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let (Some(number), Some(hash), Some(time)) = (number.map(|n| n.as_u64()), hash, time) else {
            return Err(super::transient("a block without number, hash or time".to_owned()));
        };
        if matches!(tag, BlockTag::Number(asked) if asked != number) {
            return Err(super::transient(format!("block {number} instead of the one asked for")));
        }
        Ok(Some(Block { number, hash: BlockHash(hash.0), time }))
    }

    async fn receipt(&self, transaction: TxHash) -> Result<Option<Receipt>, PortError> {
        let receipt: Option<RpcReceipt> =
            self.ask("eth_getTransactionReceipt", json!([transaction.to_string()])).await?;
        let Some(receipt) = receipt else { return Ok(None) };
        if receipt.transaction_hash != H256(transaction.0) {
            return Err(super::transient("the receipt of another transaction".to_owned()));
        }
        let (Some(block_number), Some(block_hash)) = (receipt.block_number, receipt.block_hash) else {
            return Ok(None);
        };
        let fee = receipt.gas_used.saturating_mul(receipt.effective_gas_price);
        let read = |log| abi::read_transfer(log, self.usdc);
        Ok(Some(Receipt {
            succeeded: receipt.status == Some(U64::one()),
            block_number: block_number.as_u64(),
            block_hash: BlockHash(block_hash.0),
            gas_fee_wei: to_u128(fee.saturating_add(receipt.l1_fee.unwrap_or_default())),
            transfers: receipt.logs.into_iter().filter_map(read).collect(),
        }))
    }

    async fn sender(&self, transaction: TxHash) -> Result<Option<Sender>, PortError> {
        let shown: Option<RpcTransaction> =
            self.ask("eth_getTransactionByHash", json!([transaction.to_string()])).await?;
        let Some(shown) = shown else { return Ok(None) };
        if shown.hash != H256(transaction.0) {
            return Err(super::transient("another transaction than the one asked for".to_owned()));
        }
        Ok(Some(Sender { address: Address::from_ethers(shown.from), nonce: shown.nonce.as_u64() }))
    }

    /// Nodes limit the range or the answer of `eth_getLogs`, each in its own words: whatever a node says against a
    /// range, half of it is tried, down to a single block.
    async fn deposits(&self, from: u64, to: u64) -> Result<Vec<Transfer>, PortError> {
        let (mut next, mut span) = (from, LOG_SPAN);
        let mut found = Vec::new();
        while next <= to {
            let end = to.min(next.saturating_add(span - 1));
            match self.transfers_to_treasury(next, end).await {
                Ok((_, head)) if head < end => {
                    // Most nodes answer with nothing for the blocks they lack, and deposits would be missed.
                    return Err(super::transient(format!("the node is at block {head}, before {end}")));
                }
                Ok((logs, _)) => {
                    let read = |log| abi::read_transfer(log, self.usdc);
                    let asked = |transfer: &Transfer| {
                        transfer.to == self.treasury() && (next..=end).contains(&transfer.block_number)
                    };
                    found.extend(logs.into_iter().filter_map(read).filter(asked));
                    let Some(after) = end.checked_add(1) else { break };
                    next = after;
                }
                Err(RpcError::Node(_) | RpcError::TooLarge | RpcError::TurnedAway(_)) if end > next => {
                    span = (end - next).div_ceil(2);
                }
                // Whatever it says: a search for deposits is never given up.
                Err(RpcError::Node(error)) => return Err(error.transient()),
                Err(error) => return Err(error.into()),
            }
        }
        found.sort_by_key(|transfer| (transfer.block_number, transfer.log_index));
        Ok(found)
    }

    async fn usdc_paused(&self) -> Result<bool, PortError> {
        self.usdc_flag(abi::call_data(abi::PausedCall)).await
    }

    async fn blacklisted(&self, address: Address) -> Result<bool, PortError> {
        self.usdc_flag(abi::call_data(abi::IsBlacklistedCall { account: address.to_ethers() })).await
    }

    async fn usdc_balance(&self, address: Address) -> Result<Usdc, PortError> {
        let balance =
            self.usdc_number(abi::call_data(abi::BalanceOfCall { account: address.to_ethers() })).await?;
        usdc_from_chain(balance).ok_or_else(|| super::refused(format!("{address} has {balance} micro-USDC")))
    }

    /// By its number, which every node takes, and not by its hash (EIP-1898): so the hash is looked at on both sides.
    async fn usdc_balance_at(&self, address: Address, block: &Block) -> Result<Usdc, PortError> {
        self.require_canonical(block).await?;
        let data = abi::call_data(abi::BalanceOfCall { account: address.to_ethers() });
        let answer = self.call_usdc_at(data, json!(U64::from(block.number))).await?;
        let balance = abi::read_number(&answer).map_err(no_usdc)?;
        self.require_canonical(block).await?;
        usdc_from_chain(balance).ok_or_else(|| super::refused(format!("{address} has {balance} micro-USDC")))
    }

    /// More than 128 bits, which no real chain has, count as the most that fit.
    async fn native_balance(&self, address: Address) -> Result<u128, PortError> {
        Ok(to_u128(self.ask("eth_getBalance", json!([address.to_string(), "latest"])).await?))
    }

    async fn mined_nonce(&self, address: Address, at: BlockTag) -> Result<u64, PortError> {
        let count: U64 =
            self.ask("eth_getTransactionCount", json!([address.to_string(), block_name(at)])).await?;
        Ok(count.as_u64())
    }

    /// Twice the base fee, which then may rise for six full blocks, and the tip that the node suggests.
    async fn gas_fees(&self) -> Result<GasFees, PortError> {
        let block: RpcBlock = self.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
        let base_fee = block
            .base_fee_per_gas
            .ok_or_else(|| super::refused("the chain has no base fee (EIP-1559)".to_owned()))?;
        let tip = match self.rpc.call("eth_maxPriorityFeePerGas", json!([])).await {
            Ok(tip) => U256::max(tip, LEAST_TIP.into()),
            Err(RpcError::Node(_)) => DEFAULT_TIP.into(),
            Err(error) => return Err(error.into()),
        };
        let most = base_fee.saturating_mul(2.into()).saturating_add(tip);
        match (u64::try_from(most), u64::try_from(tip)) {
            (Ok(max_fee_per_gas), Ok(max_priority_fee_per_gas)) => {
                Ok(GasFees { max_fee_per_gas, max_priority_fee_per_gas })
            }
            _ => Err(super::transient(format!("the node asks for {most} wei a unit of gas"))),
        }
    }

    /// A quarter above the node's estimate: a first transfer to somebody, or one after the sender's last coin
    /// moved, needs more than the same call a block earlier.
    async fn transfer_gas(&self, to: Address, amount: Usdc) -> Result<u64, PortError> {
        let data = abi::transfer_data(to, amount)
            .ok_or_else(|| super::refused(format!("{amount} cannot be transferred")))?;
        let call = json!({ "from": self.treasury().to_string(), "to": self.usdc.to_string(), "data": data });
        let estimate: U64 = self.ask("eth_estimateGas", json!([call])).await?;
        Ok(estimate.as_u64().saturating_add(estimate.as_u64() / 4))
    }

    fn sign_transfer(
        &self,
        nonce: u64,
        to: Address,
        amount: Usdc,
        gas_limit: u64,
        fees: GasFees,
    ) -> Result<SignedTransfer, PortError> {
        let raw = self.treasury.sign_transfer(nonce, to, amount, gas_limit, fees)?;
        let hash = TxHash(keccak256(&raw));
        Ok(SignedTransfer { raw, hash })
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<Broadcast, PortError> {
        broadcast::broadcast(&self.rpc, raw).await
    }
}

/// What nodes say of a block that they do not know, and of a final one while they know of none: geth, and who follows it, "safe
/// block not found", "header not found", "header for hash not found"; reth "block not found: finalized"; Besu and Erigon
/// "Unknown block", newer Erigons "block \"finalized\" not available (head block: 7)"; Nethermind "4294967295 could not be
/// found", "Cannot find block 7"; anvil "block height is 5 but requested was 7"; providers before such nodes "upstream does
/// not have the requested block yet".
const UNKNOWN_BLOCK: [&str; 8] = [
    "not found",
    "unknown block",
    "not available (head block",
    "could not be found",
    "cannot find block",
    "but requested was",
    "does not have the requested block",
    "no finalized block",
];
/// The code that the standard once had for it, and that of a resource not found (EIP-1474).
const UNKNOWN_BLOCK_CODES: [i64; 2] = [-39001, -32001];

/// Whether the node says that it knows no such block. A chain without final blocks may not know the name for one either: then
/// the parameter is wrong.
fn is_unknown_block(error: &NodeError, tag: BlockTag) -> bool {
    // "method not found" is about us, and a node that has no time may have the block.
    if error.code == METHOD_NOT_FOUND || error.is_busy() || tag == BlockTag::Latest {
        return false;
    }
    UNKNOWN_BLOCK_CODES.contains(&error.code)
        || (tag == BlockTag::Finalized && error.code == INVALID_PARAMETERS)
        || UNKNOWN_BLOCK.iter().any(|words| error.says(words))
}

/// Saturating: more than 128 bits of wei do not exist.
fn to_u128(wei: U256) -> u128 {
    u128::try_from(wei).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests;
