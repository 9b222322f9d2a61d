//! Sending transactions.

use alloy_consensus::{TxEip1559, TxLegacy};
use revm::primitives::{Address, TxKind, U256};
use serde_json::Value;

use super::params::{Params, number, small, text};
use super::{Fault, call, show};
use crate::evm::chain::Chain;
use crate::evm::error::Refusal;
use crate::evm::tx::{Tx, Unsigned};
use crate::evm::wallet::TIP;

/// Takes a signed transaction.
pub(super) fn raw(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let tx = Tx::signed(&params.bytes(0)?)?;
    Ok(show::hex(chain.submit(tx)?))
}

/// Makes a transaction for an impersonated account and takes it. What is left out is filled in as a wallet
/// would.
pub(super) fn impersonated(chain: &mut Chain, params: &Params) -> Result<Value, Fault> {
    let wanted = params.get(0);
    let field = |name| wanted.get(name).unwrap_or(&Value::Null);
    let from: Address = text(field("from"))?.ok_or_else(|| Fault::params("from is missing"))?;
    if !chain.impersonated.contains(&from) {
        return Err(Refusal::NotImpersonated(from).into());
    }
    let nonce = small(field("nonce"))?.unwrap_or_else(|| chain.pending_nonce(&from));
    let gas_limit = match small(field("gas"))? {
        Some(gas) => gas,
        None => estimated(chain, params)?,
    };
    let to = text(field("to"))?.map_or(TxKind::Create, TxKind::Call);
    let value = number(field("value"))?.unwrap_or_default();
    let input = call::input(wanted)?;
    let chain_id = chain.chain_id;
    let unsigned = if let Some(gas_price) = price(field("gasPrice"))? {
        Unsigned::Legacy(TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input })
    } else {
        let tip = price(field("maxPriorityFeePerGas"))?;
        let cap = price(field("maxFeePerGas"))?;
        let tip = tip.unwrap_or_else(|| cap.unwrap_or(u128::MAX).min(u128::from(TIP)));
        let cap = cap.unwrap_or_else(|| u128::from(chain.next_base_fee()) * 2 + tip);
        Unsigned::Dynamic(TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: cap,
            max_priority_fee_per_gas: tip,
            to,
            value,
            input,
            ..TxEip1559::default()
        })
    };
    Ok(show::hex(chain.submit(Tx::impersonating(unsigned, from))?))
}

fn estimated(chain: &Chain, params: &Params) -> Result<u64, Fault> {
    let estimate = call::estimate(chain, params)?;
    small(&estimate)?.ok_or_else(|| Fault::server("no estimate"))
}

/// Wei a gas.
fn price(value: &Value) -> Result<Option<u128>, Fault> {
    let Some(wei) = number(value)? else { return Ok(None) };
    u128::try_from(wei).map(Some).map_err(|_: revm::primitives::ruint::FromUintError<u128>| {
        Fault::params(format!("{} is too high a price", U256::from(wei)))
    })
}
