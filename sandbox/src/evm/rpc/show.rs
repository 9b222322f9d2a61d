//! Blocks, transactions, receipts and logs as JSON-RPC shows them.

use std::fmt::LowerHex;

use alloy_consensus::Transaction;
use revm::primitives::alloy_primitives::Bloom;
use revm::primitives::ruint::UintTryFrom;
use revm::primitives::{B256, Log, U256};
use serde_json::{Value, json};

use crate::evm::block::{Block, Mined};
use crate::evm::tx::Tx;

/// A number: hexadecimal without leading zeros.
pub(super) fn quantity<N>(number: N) -> Value
where
    U256: UintTryFrom<N>,
{
    Value::String(format!("{:#x}", U256::from(number)))
}

/// Bytes of a fixed length, or any.
pub(super) fn hex(bytes: impl LowerHex) -> Value {
    Value::String(format!("{bytes:#x}"))
}

/// A block with its transactions, or with their hashes. A pending one has no hash yet.
pub(super) fn block(block: &Block, whole: bool, pending: bool) -> Value {
    let header = block.header();
    let hash = (!pending).then_some(block.hash);
    let txs: Vec<_> = block
        .txs
        .iter()
        .enumerate()
        .map(|(index, mined)| {
            if whole {
                transaction(&mined.tx, (!pending).then_some((block, index)))
            } else {
                hex(mined.tx.hash())
            }
        })
        .collect();
    json!({
        "number": quantity(block.number),
        "hash": hash.map(hex),
        "parentHash": hex(header.parent_hash),
        "sha3Uncles": hex(header.ommers_hash),
        "miner": hex(header.beneficiary),
        "stateRoot": hex(header.state_root),
        "transactionsRoot": hex(header.transactions_root),
        "receiptsRoot": hex(header.receipts_root),
        "logsBloom": hex(header.logs_bloom),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": hex(&header.extra_data),
        "mixHash": hex(header.mix_hash),
        "nonce": hex(header.nonce),
        "baseFeePerGas": quantity(block.base_fee),
        "withdrawalsRoot": header.withdrawals_root.map(hex),
        "withdrawals": [],
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "parentBeaconBlockRoot": header.parent_beacon_block_root.map(hex),
        "requestsHash": header.requests_hash.map(hex),
        "uncles": [],
        "size": quantity(header.size()),
        "transactions": txs,
    })
}

/// A transaction, and where it was mined.
pub(super) fn transaction(tx: &Tx, place: Option<(&Block, usize)>) -> Value {
    let envelope = &tx.envelope;
    let kind = u8::from(envelope.tx_type());
    let signature = envelope.signature();
    let price = match place {
        Some((block, _)) => envelope.effective_gas_price(Some(block.base_fee)),
        None => envelope.max_fee_per_gas(),
    };
    let parity = u64::from(signature.v());
    let mut shown = json!({
        "type": quantity(kind),
        "hash": hex(tx.hash()),
        "nonce": quantity(tx.nonce()),
        "from": hex(tx.sender),
        "to": envelope.to().map(hex),
        "value": quantity(envelope.value()),
        "gas": quantity(envelope.gas_limit()),
        "gasPrice": quantity(price),
        "input": hex(envelope.input()),
        "chainId": envelope.chain_id().map(quantity),
        "r": quantity(signature.r()),
        "s": quantity(signature.s()),
        "blockHash": place.map(|(block, _)| hex(block.hash)),
        "blockNumber": place.map(|(block, _)| quantity(block.number)),
        "transactionIndex": place.map(|(_, index)| quantity(index)),
    });
    if kind == 0 {
        shown["v"] = quantity(envelope.chain_id().map_or(27, |id| 35 + 2 * id) + parity);
    } else {
        shown["v"] = quantity(parity);
        shown["yParity"] = quantity(parity);
        shown["accessList"] = envelope.access_list().map_or_else(
            || json!([]),
            |list| {
                let item = |item: &alloy_eips::eip2930::AccessListItem| {
                    json!({
                        "address": hex(item.address),
                        "storageKeys": item.storage_keys.iter().map(hex).collect::<Value>(),
                    })
                };
                list.iter().map(item).collect()
            },
        );
    }
    if let Some(tip) = envelope.max_priority_fee_per_gas() {
        shown["maxFeePerGas"] = quantity(envelope.max_fee_per_gas());
        shown["maxPriorityFeePerGas"] = quantity(tip);
    }
    shown
}

/// What came of the transaction at `index`.
pub(super) fn receipt(block: &Block, mined: &Mined, index: usize) -> Value {
    let tx = &mined.tx;
    let logs: Vec<_> =
        mined.logs.iter().enumerate().map(|(at, entry)| log(block, mined, index, at, entry)).collect();
    let bloom: Bloom = mined.bloom();
    json!({
        "type": quantity(u8::from(tx.envelope.tx_type())),
        "transactionHash": hex(tx.hash()),
        "transactionIndex": quantity(index),
        "blockHash": hex(block.hash),
        "blockNumber": quantity(block.number),
        "from": hex(tx.sender),
        "to": tx.envelope.to().map(hex),
        "contractAddress": mined.created.map(hex),
        "status": quantity(u8::from(mined.success)),
        "gasUsed": quantity(mined.gas_used),
        "cumulativeGasUsed": quantity(mined.cumulative_gas),
        "effectiveGasPrice": quantity(block.effective_gas_price(mined)),
        "logs": logs,
        "logsBloom": hex(bloom),
    })
}

/// The log at `at` of the transaction at `index`.
pub(super) fn log(block: &Block, mined: &Mined, index: usize, at: usize, log: &Log) -> Value {
    let topics: Vec<_> = log.topics().iter().map(|topic: &B256| hex(topic)).collect();
    json!({
        "address": hex(log.address),
        "topics": topics,
        "data": hex(&log.data.data),
        "blockNumber": quantity(block.number),
        "blockHash": hex(block.hash),
        "blockTimestamp": quantity(block.time),
        "transactionHash": hex(mined.tx.hash()),
        "transactionIndex": quantity(index),
        "logIndex": quantity(mined.first_log + at),
        "removed": false,
    })
}
