//! Handing signed bytes to the node, and making sense of a refusal.
//!
//! No two nodes refuse in the same words, so the chain is asked first; the words decide only when it does not tell.

use ethers_core::{
    types::{H256, U64, transaction::eip2718::TypedTransaction},
    utils::{keccak256, rlp::Rlp},
};
use serde_json::{Value, json};

use super::{
    Address, Broadcast,
    rpc::{NodeError, Rpc, RpcError},
};
use crate::{fault, ports::PortError};

/// Sends the bytes. A refusal is first checked against what the node knows.
pub(super) async fn broadcast(rpc: &Rpc, raw: &[u8]) -> Result<Broadcast, PortError> {
    let hash = H256(keccak256(raw));
    fault::point("payout.send").await?;
    let sent = rpc.call::<H256>("eth_sendRawTransaction", json!([format!("0x{}", hex::encode(raw))])).await;
    fault::point("payout.answer").await?;
    let refusal = match sent {
        Ok(answered) if answered == hash => return Ok(Broadcast::Accepted),
        Ok(_) => {
            return Err(super::transient(
                "the node answered with the hash of another transaction".to_owned(),
            ));
        }
        Err(RpcError::Node(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    if rpc.call::<Option<Value>>("eth_getTransactionByHash", json!([hash])).await?.is_some() {
        return Ok(Broadcast::Accepted);
    }
    let Some((sender, nonce)) = sender_and_nonce(raw) else {
        return Err(super::refused("the stored bytes are not a signed transaction".to_owned()));
    };
    let mined = rpc.call::<U64>("eth_getTransactionCount", json!([sender.to_string(), "latest"])).await?;
    if mined.as_u64() > nonce {
        return Ok(Broadcast::NonceUsed);
    }
    match hint(&refusal) {
        Hint::Busy => Err(refusal.transient()),
        Hint::Known => Ok(Broadcast::Accepted),
        Hint::NonceUsed => Ok(Broadcast::NonceUsed),
        Hint::Replacement => Ok(Broadcast::Underpriced),
        hint if has_pending(rpc, sender, nonce).await? => {
            tracing::debug!(?hint, ?refusal, "refused while another transaction of this nonce waits");
            Ok(Broadcast::Underpriced)
        }
        Hint::Later => Err(refusal.transient()),
        Hint::None => Err(refusal.refused()),
    }
}

/// Whether a transaction of this nonce waits in the pool. Nodes without a pool view count as no.
async fn has_pending(rpc: &Rpc, sender: Address, nonce: u64) -> Result<bool, PortError> {
    match rpc.call::<U64>("eth_getTransactionCount", json!([sender.to_string(), "pending"])).await {
        Ok(count) => Ok(count.as_u64() > nonce),
        Err(RpcError::Node(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn sender_and_nonce(raw: &[u8]) -> Option<(Address, u64)> {
    let (transaction, _) = TypedTransaction::decode_signed(&Rlp::new(raw)).ok()?;
    let sender = Address::from_ethers(*transaction.from()?);
    Some((sender, u64::try_from(*transaction.nonce()?).ok()?))
}

/// What the words of a refusal suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    /// The node has no time.
    Busy,
    /// It has these bytes.
    Known,
    /// The nonce is used.
    NonceUsed,
    /// Another of this nonce offers more.
    Replacement,
    /// What it lacks may come: coins for gas, room in the pool, the nonces before, a lower base fee.
    Later,
    /// Nothing we know.
    None,
}

/// Wordings of geth, Nethermind, Besu, Erigon, reth and anvil.
fn hint(refusal: &NodeError) -> Hint {
    const WORDS: [(Hint, &[&str]); 4] = [
        (
            Hint::Known,
            &["already known", "known transaction", "alreadyknown", "already imported", "already exists"],
        ),
        (Hint::Replacement, &["replacement", "ownnoncealreadyused"]),
        (Hint::NonceUsed, &["nonce too low", "nonce is too low", "oldnonce", "nonce_expired"]),
        (
            Hint::Later,
            &[
                "insufficient funds",
                "underpriced",
                "pool is full",
                "nonce too high",
                "less than block base fee",
            ],
        ),
    ];
    if refusal.is_busy() || refusal.code == -32603 {
        return Hint::Busy;
    }
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|words| refusal.says(words)))
        .map_or(Hint::None, |(hint, _)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_several_nodes_are_understood() {
        for (text, expected) in [
            ("already known", Hint::Known),
            ("transaction already imported", Hint::Known),
            ("AlreadyKnown", Hint::Known),
            ("nonce too low: next nonce 5, tx nonce 4", Hint::NonceUsed),
            ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Hint::NonceUsed),
            ("replacement transaction underpriced", Hint::Replacement),
            ("Replacement transaction underpriced", Hint::Replacement),
            ("transaction underpriced: gas tip cap 0", Hint::Later),
            ("insufficient funds for gas * price + value", Hint::Later),
            ("429 Too Many Requests", Hint::Busy),
            ("intrinsic gas too low", Hint::None),
        ] {
            let refusal = NodeError { code: -32000, message: text.to_owned(), data: None };
            assert_eq!(hint(&refusal), expected, "{text}");
        }
    }
}
