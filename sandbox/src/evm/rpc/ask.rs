//! Questions about blocks, transactions and accounts.

use revm::primitives::{Address, U256};
use serde_json::{Value, json};

use super::params::{BlockId, Params};
use super::{Fault, show};
use crate::evm::chain::{Chain, HISTORY};
use crate::evm::execute::Overlay;
use crate::evm::state::View;

/// A block with the hashes of its transactions, or all of them; null where there is none.
pub(super) fn block(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let whole = params.get(1).as_bool().unwrap_or(false);
    let id = params.block(0)?;
    if id == BlockId::Pending {
        return Ok(show::block(&chain.pending().0, whole, true));
    }
    Ok(id.block(chain).map_or(Value::Null, |block| show::block(block, whole, false)))
}

/// A transaction, mined or waiting.
pub(super) fn transaction(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let hash = params.hash(0)?;
    if let Some((block, index)) = chain.mined(&hash) {
        let tx = block.txs.get(index).map(|mined| show::transaction(&mined.tx, Some((block, index))));
        return Ok(tx.unwrap_or_default());
    }
    Ok(chain.pool.get(&hash).map_or(Value::Null, |tx| show::transaction(tx, None)))
}

/// The receipt of a mined transaction.
pub(super) fn receipt(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let hash = params.hash(0)?;
    let found = chain.mined(&hash).and_then(|(block, index)| {
        let mined = block.txs.get(index)?;
        Some(show::receipt(block, mined, index))
    });
    Ok(found.unwrap_or_default())
}

/// All receipts of a block.
pub(super) fn block_receipts(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let Some(block) = params.block(0)?.block(chain) else { return Ok(Value::Null) };
    Ok(block.txs.iter().enumerate().map(|(index, mined)| show::receipt(block, mined, index)).collect())
}

/// An account's next nonce; for the pending block after everything that waits.
pub(super) fn nonce(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let (address, id) = (params.address(0)?, params.block(1)?);
    let nonce = if id == BlockId::Pending {
        chain.pending_nonce(&address)
    } else {
        view(chain, id)?.account(&address).map_or(0, |info| info.nonce)
    };
    Ok(show::quantity(nonce))
}

/// An account's native coin, in wei.
pub(super) fn balance(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let (address, id) = (params.address(0)?, params.block(1)?);
    let balance = if id == BlockId::Pending {
        pending_account(&mut chain.pending().1, address).balance
    } else {
        view(chain, id)?.account(&address).map_or(U256::ZERO, |info| info.balance)
    };
    Ok(show::quantity(balance))
}

/// A contract's code.
pub(super) fn code(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let (address, id) = (params.address(0)?, params.block(1)?);
    if id == BlockId::Pending {
        let mut overlay = chain.pending().1;
        let hash = pending_account(&mut overlay, address).code_hash;
        let code = overlay.cache.contracts.get(&hash).or_else(|| chain.latest().code(&address));
        return Ok(code.map_or_else(|| json!("0x"), |code| show::hex(code.original_bytes())));
    }
    let code = view(chain, id)?.code(&address);
    Ok(code.map_or_else(|| json!("0x"), |code| show::hex(code.original_bytes())))
}

/// One word of a contract's storage.
pub(super) fn storage(chain: &Chain, params: &Params) -> Result<Value, Fault> {
    let (address, key, id) = (params.address(0)?, params.quantity(1)?, params.block(2)?);
    let word = if id == BlockId::Pending {
        let overlay = chain.pending().1;
        let written = overlay.cache.accounts.get(&address).and_then(|account| account.storage.get(&key));
        written.copied().unwrap_or_else(|| chain.latest().slot(address, key))
    } else {
        view(chain, id)?.slot(address, key)
    };
    Ok(show::hex(revm::primitives::B256::from(word)))
}

/// The state after a block that is not the pending one.
pub(super) fn view(chain: &Chain, id: BlockId) -> Result<View<'_>, Fault> {
    let number = id.number(chain).ok_or_else(|| Fault::new(-32001, "header not found"))?;
    chain
        .view(number)
        .ok_or_else(|| Fault::server(format!("state is kept for the last {HISTORY} blocks only")))
}

fn pending_account(overlay: &mut Overlay<'_>, address: Address) -> revm::state::AccountInfo {
    match overlay.load_account(address) {
        Ok(account) => account.info.clone(),
        Err(never) => match never {},
    }
}
