//! What gas costs.

use serde_json::{Value, json};

use super::params::{BlockId, Params, small};
use super::{Fault, show};
use crate::evm::block::{BLOCK_GAS_LIMIT, Block};
use crate::evm::chain::Chain;
use crate::evm::wallet::TIP;

/// The most blocks in one history.
const MOST: u64 = 1024;

/// The next block's base fee and a usual tip, in wei.
pub(super) fn gas_price(chain: &Chain) -> Value {
    show::quantity(chain.next_base_fee().saturating_add(TIP))
}

/// A usual tip, in wei.
pub(super) fn tip() -> Value {
    show::quantity(TIP)
}

/// Base fees, fullness and tips of the last blocks, and the base fee after them.
pub(super) fn history(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let count = small(params.get(0))?.unwrap_or(1).clamp(1, MOST);
    let newest = match params.block(1)? {
        BlockId::Pending => chain.head(),
        id => id.block(chain).ok_or_else(|| Fault::params("unknown block"))?,
    };
    let percentiles = match params.get(2) {
        Value::Array(list) => list.iter().map(Value::as_f64).collect::<Option<Vec<_>>>(),
        _ => Some(Vec::new()),
    };
    let percentiles = percentiles.ok_or_else(|| Fault::params("percentiles must be numbers"))?;

    let oldest = (newest.number + 1).saturating_sub(count);
    let blocks: Vec<_> = (oldest..=newest.number).filter_map(|number| chain.block(number)).collect();
    let mut base_fees: Vec<_> = blocks.iter().map(|block| show::quantity(block.base_fee)).collect();
    let after = chain.block(newest.number + 1).map_or_else(|| chain.next_base_fee(), |next| next.base_fee);
    base_fees.push(show::quantity(after));

    let mut history = json!({
        "oldestBlock": show::quantity(oldest),
        "baseFeePerGas": base_fees,
        "gasUsedRatio": blocks.iter().map(|block| fullness(block)).collect::<Vec<_>>(),
    });
    if !percentiles.is_empty() {
        history["reward"] = blocks.iter().map(|block| tips(block, &percentiles)).collect();
    }
    Ok(history)
}

#[expect(clippy::float_arithmetic, reason = "the method's answer is a fraction")]
fn fullness(block: &Block) -> f64 {
    block.gas_used() as f64 / BLOCK_GAS_LIMIT as f64
}

/// The tip at each percentile of the block's gas, cheapest first.
#[expect(clippy::float_arithmetic, reason = "percentiles come as fractions")]
fn tips(block: &Block, percentiles: &[f64]) -> Value {
    let mut paid: Vec<_> = block
        .txs
        .iter()
        .map(|mined| (mined.tx.tip(block.base_fee).unwrap_or_default(), mined.gas_used))
        .collect();
    paid.sort_unstable();
    let at = |percentile: &f64| {
        let threshold = block.gas_used() as f64 * percentile / 100.0;
        let mut sum = 0;
        let reached = paid.iter().find(|(_, gas)| {
            sum += gas;
            sum as f64 >= threshold
        });
        show::quantity(reached.or(paid.last()).map_or(0, |(tip, _)| *tip))
    };
    percentiles.iter().map(at).collect()
}
