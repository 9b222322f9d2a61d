//! Calls and gas estimates, and what a contract says when it refuses.

use revm::context::result::ExecutionResult;
use revm::primitives::{Address, Bytes, U256};
use serde_json::Value;

use super::params::{BlockId, Params, number, small, text};
use super::{Fault, ask, show};
use crate::evm::block::{BLOCK_GAS_LIMIT, Block};
use crate::evm::chain::Chain;
use crate::evm::execute::{self, Call, Overlay, TX_GAS_LIMIT};

/// Runs a call and gives what it returns.
pub(super) fn call(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let call = parse(params.get(0))?;
    let gas = call.gas.unwrap_or(BLOCK_GAS_LIMIT).min(BLOCK_GAS_LIMIT);
    let result = on(chain, params.block(1)?, |block, overlay| run(chain, block, overlay, &call, gas))??;
    Ok(show::hex(succeed(result)?.1))
}

/// The least gas with which a transaction goes through now, by halving.
pub(super) fn estimate(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let call = parse(params.get(0))?;
    let id = if params.get(1).is_null() { BlockId::Pending } else { params.block(1)? };
    let most = call.gas.unwrap_or(TX_GAS_LIMIT).min(TX_GAS_LIMIT);
    let least = on(chain, id, |block, overlay| -> Result<u64, Fault> {
        let (used, _) = succeed(run(chain, block, overlay, &call, most)?)?;
        // Refunds and the 63/64 rule make the need larger than the use, so what was used is only where to
        // begin.
        let (mut too_little, mut enough) = (used.saturating_sub(1), most);
        while too_little + 1 < enough {
            // Most need little more than they use: look there first.
            let middle = (too_little + (enough - too_little) / 2)
                .min(too_little.saturating_mul(2))
                .max(too_little + 1);
            let goes = run(chain, block, overlay, &call, middle).is_ok_and(|result| result.is_success());
            if goes {
                enough = middle;
            } else {
                too_little = middle;
            }
        }
        Ok(enough)
    })??;
    Ok(show::quantity(least))
}

/// Does something with a block and the state after it.
fn on<T>(chain: &Chain, id: BlockId, act: impl FnOnce(&Block, &mut Overlay<'_>) -> T) -> Result<T, Fault> {
    if id == BlockId::Pending {
        let (block, mut overlay) = chain.pending();
        return Ok(act(&block, &mut overlay));
    }
    let view = ask::view(chain, id)?;
    let block = id.block(chain).ok_or_else(|| Fault::new(-32001, "header not found"))?;
    Ok(act(block, &mut Overlay::new(view)))
}

fn run(
    chain: &Chain,
    block: &Block,
    overlay: &mut Overlay<'_>,
    call: &Call,
    gas: u64,
) -> Result<ExecutionResult, Fault> {
    execute::call(chain.chain_id, block, overlay, call, gas)
        .map_err(|failure| Fault::server(failure.to_string()))
}

/// The gas used and what was returned, if it succeeded.
fn succeed(result: ExecutionResult) -> Result<(u64, Bytes), Fault> {
    let gas = result.tx_gas_used();
    match result {
        ExecutionResult::Success { output, .. } => Ok((gas, output.into_data())),
        ExecutionResult::Revert { output, .. } => {
            let reason = reason(&output).map(|reason| format!(": {reason}")).unwrap_or_default();
            Err(Fault {
                code: 3,
                message: format!("execution reverted{reason}"),
                data: Some(format!("{output:#x}")),
            })
        }
        ExecutionResult::Halt { reason, .. } => Err(Fault::server(format!("EVM error: {reason:?}"))),
    }
}

/// The text of Solidity's `Error(string)`.
fn reason(output: &[u8]) -> Option<String> {
    let body = output.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
    let length = usize::try_from(U256::try_from_be_slice(body.get(32..64)?)?).ok()?;
    let text = body.get(64..)?.get(..length)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// What is asked. Prices are ignored: a call costs nothing.
fn parse(value: &Value) -> Result<Call, Fault> {
    let field = |name| value.get(name).unwrap_or(&Value::Null);
    Ok(Call {
        from: text::<Address>(field("from"))?.unwrap_or_default(),
        to: text(field("to"))?,
        data: input(value)?,
        value: number(field("value"))?.unwrap_or_default(),
        gas: small(field("gas"))?,
    })
}

/// The call data, which goes by two names.
pub(super) fn input(value: &Value) -> Result<Bytes, Fault> {
    let field = |name| value.get(name).unwrap_or(&Value::Null);
    Ok(match text(field("input"))? {
        Some(input) => input,
        None => text(field("data"))?.unwrap_or_default(),
    })
}
