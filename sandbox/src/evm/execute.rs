//! Running transactions and calls in revm: how the machine is set up, and what its answers mean.

use std::convert::Infallible;
use std::sync::Arc;

use alloy_consensus::Transaction;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::database::CacheDB;
use revm::handler::MainnetContext;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, TxKind, U256};
use revm::{ExecuteCommitEvm, ExecuteEvm, MainBuilder};

use super::block::{BLOCK_GAS_LIMIT, Block, Mined};
use super::state::View;
use super::tx::Tx;

/// The rules in force: the fork that anvil and the main network have.
pub(super) const FORK: SpecId = SpecId::OSAKA;
/// The most gas one transaction may ask for (EIP-7825).
pub(super) const TX_GAS_LIMIT: u64 = 1 << 24;

/// A state to run things on: what was seen, with what changed on top.
pub(super) type Overlay<'a> = CacheDB<View<'a>>;
/// What revm gives back when the transaction was not even begun.
pub(super) type Failure = EVMError<Infallible, InvalidTransaction>;

/// A question put to a contract, or a transaction whose gas is to be estimated.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    pub(super) from: Address,
    /// `None` creates a contract.
    pub(super) to: Option<Address>,
    pub(super) data: Bytes,
    pub(super) value: U256,
    pub(super) gas: Option<u64>,
}

/// Fills `block` with those of `txs` that can go in, in their order, and gives the hashes of those that never
/// will.
pub(super) fn fill(
    chain_id: u64,
    block: &mut Block,
    overlay: &mut Overlay<'_>,
    txs: &[Arc<Tx>],
) -> Vec<B256> {
    let mut evm = MainnetContext::new(&mut *overlay, FORK)
        .with_cfg(config(chain_id))
        .with_block(environment(block))
        .build_mainnet();
    let mut refused = Vec::new();
    for tx in txs {
        if block.gas_used() + tx.envelope.gas_limit() > BLOCK_GAS_LIMIT {
            continue;
        }
        match evm.transact_commit(tx.env()) {
            Ok(result) => {
                let (gas_used, first_log) = (result.tx_gas_used(), block.log_count());
                block.txs.push(Mined {
                    tx: Arc::clone(tx),
                    success: result.is_success(),
                    gas_used,
                    cumulative_gas: block.gas_used() + gas_used,
                    created: result.created_address(),
                    first_log,
                    logs: if result.is_success() { result.into_logs() } else { Vec::new() },
                });
            }
            // Its turn may come: an earlier one of the same sender did not go in.
            Err(EVMError::Transaction(InvalidTransaction::NonceTooHigh { .. })) => {}
            Err(_) => refused.push(tx.hash()),
        }
    }
    refused
}

/// Runs a call with `gas` on top of `overlay` as part of `block`, and leaves no trace.
///
/// The caller needs neither a nonce nor gas money, and may be a contract.
pub(super) fn call(
    chain_id: u64,
    block: &Block,
    overlay: &mut Overlay<'_>,
    call: &Call,
    gas: u64,
) -> Result<ExecutionResult, Failure> {
    let mut config = config(chain_id);
    config.disable_nonce_check = true;
    config.disable_base_fee = true;
    config.tx_gas_limit_cap = Some(u64::MAX);
    let mut evm =
        MainnetContext::new(overlay, FORK).with_cfg(config).with_block(environment(block)).build_mainnet();
    let env = TxEnv {
        caller: call.from,
        kind: call.to.map_or(TxKind::Create, TxKind::Call),
        data: call.data.clone(),
        value: call.value,
        gas_limit: gas,
        chain_id: Some(chain_id),
        ..TxEnv::default()
    };
    evm.transact(env).map(|outcome| outcome.result)
}

fn config(chain_id: u64) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(FORK).with_chain_id(chain_id);
    config.disable_eip3607 = true;
    config
}

fn environment(block: &Block) -> BlockEnv {
    let mut env = BlockEnv {
        number: U256::from(block.number),
        timestamp: U256::from(block.time),
        gas_limit: BLOCK_GAS_LIMIT,
        basefee: block.base_fee,
        prevrandao: Some(block.randomness()),
        ..BlockEnv::default()
    };
    env.set_blob_excess_gas_and_price(0, revm::primitives::eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE);
    env
}
