//! What a test or a script may do to the chain, under anvil's names.

use std::time::Duration;

use serde_json::{Value, json};

use super::params::{Params, small};
use super::{Fault, show};
use crate::evm::chain::Chain;
use crate::evm::{Mining, Shared};

/// The most blocks to make at a time.
const MOST_BLOCKS: u64 = 10_000;

/// Makes blocks: `anvil_mine [count]`, `evm_mine []`.
pub(super) fn mine(chain: &mut Chain, method: &str, params: &Params) -> Result<Value, Fault> {
    if method == "evm_mine" {
        chain.mine()?;
        return Ok(json!("0x0"));
    }
    let count = small(params.get(0))?.unwrap_or(1);
    if count > MOST_BLOCKS {
        return Err(Fault::params(format!("at most {MOST_BLOCKS} blocks at a time")));
    }
    chain.mine_many(count)?;
    Ok(Value::Null)
}

/// Replaces the last blocks by empty ones: `[depth, []]`. What anvil takes in the list, transactions for the
/// new blocks, is not taken here.
pub(super) fn reorg(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let depth = small(params.get(0))?.ok_or_else(|| Fault::params("depth is missing"))?;
    if params.get(1).as_array().is_some_and(|txs| !txs.is_empty()) {
        return Err(Fault::params("replacement blocks are always empty"));
    }
    chain.reorg(depth)?;
    Ok(Value::Null)
}

/// Sets native coin: `[address, wei]`.
pub(super) fn set_balance(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    chain.set_balance(params.address(0)?, params.quantity(1)?)?;
    Ok(Value::Null)
}

/// Lets `eth_sendTransaction` send for an address, or no longer: `[address]`. A restart forgets it.
pub(super) fn impersonate(chain: &mut Chain, params: &Params, on: bool) -> Result<Value, Fault> {
    let address = params.address(0)?;
    if on {
        chain.impersonated.insert(address);
    } else {
        chain.impersonated.remove(&address);
    }
    Ok(Value::Null)
}

/// Sets what the next block asks a gas: `[wei]`.
pub(super) fn base_fee(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let wei = small(params.get(0))?.ok_or_else(|| Fault::params("the base fee is missing"))?;
    chain.base_fee_override = Some(wei);
    Ok(Value::Null)
}

/// Takes a waiting transaction away: `[hash]`. Its hash, or null where nothing waits.
pub(super) fn drop_transaction(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let hash = params.hash(0)?;
    Ok(if chain.drop_pending(&hash)? { show::hex(hash) } else { Value::Null })
}

/// Moves block times ahead: `[seconds]`. The whole offset so far.
pub(super) fn increase_time(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let seconds = small(params.get(0))?.ok_or_else(|| Fault::params("seconds are missing"))?;
    chain.time_offset = chain.time_offset.saturating_add(seconds);
    Ok(json!(chain.time_offset))
}

/// A block for each transaction, or only when told to: `[bool]`.
pub(super) fn automine(shared: &Shared, chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let mining = match (params.get(0).as_bool(), chain.automine) {
        (Some(true), _) => Mining::OnDemand,
        (Some(false), true) => Mining::Manual,
        // Off already: an interval, if there is one, stays.
        (Some(false), false) => return Ok(Value::Null),
        (None, _) => return Err(Fault::params("true or false")),
    };
    shared.set_mining(chain, mining)?;
    Ok(Value::Null)
}

/// A block each so many seconds, or with 0 only when told to: `[seconds]`.
pub(super) fn interval(shared: &Shared, chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let seconds = small(params.get(0))?.ok_or_else(|| Fault::params("seconds are missing"))?;
    let mining = if seconds == 0 { Mining::Manual } else { Mining::Interval(Duration::from_secs(seconds)) };
    shared.set_mining(chain, mining)?;
    Ok(Value::Null)
}
