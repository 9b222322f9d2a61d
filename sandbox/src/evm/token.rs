//! The token that every sandbox chain starts with, compiled from `sandbox/token/SandboxUsdc.sol`, and its
//! owner.

use revm::primitives::{Address, B256, Bytes, U256, address, keccak256};

use super::error::EvmError;

/// Compiled by `sandbox/token/build.mjs`.
const COMPILED: &str = include_str!("../../token/SandboxUsdc.json");

/// The key that deploys the token in block 1, owns it and mints it: keccak-256 of "sandbox USDC owner". No
/// secret, and of no use elsewhere: it is written down so that a test or a script can pause the token or
/// blacklist somebody.
pub(super) const OWNER_KEY: &str = "0xebf6f0aeb0af460f9319a61023d02190c525a9e020ef016180e6ade03a25292f";
/// The address of [`OWNER_KEY`].
pub(super) const OWNER: Address = address!("0xC17FDf0D8084Fd1Ca402879e222E48878069c84a");

/// The code that deploys the token.
pub(super) fn deployment() -> Result<Bytes, EvmError> {
    let broken = |reason: String| EvmError::Token(reason);
    let compiled: serde_json::Value =
        serde_json::from_str(COMPILED).map_err(|error| broken(error.to_string()))?;
    let code = compiled["bytecode"].as_str().ok_or_else(|| broken("no bytecode".to_owned()))?;
    code.parse().map_err(|_| broken("the bytecode is not hexadecimal".to_owned()))
}

/// Where the token is: the first contract of its owner.
pub(super) fn address() -> Address {
    OWNER.create(0)
}

/// `transfer(to, value)`, in millionths of a token.
pub(super) fn transfer(to: Address, value: u64) -> Bytes {
    calldata("transfer(address,uint256)", &[to.into_word(), B256::from(U256::from(value))])
}

/// `mint(to, amount)`, in millionths of a token.
pub(super) fn mint(to: Address, amount: u64) -> Bytes {
    calldata("mint(address,uint256)", &[to.into_word(), B256::from(U256::from(amount))])
}

/// `balanceOf(account)`.
pub(super) fn balance_of(account: Address) -> Bytes {
    calldata("balanceOf(address)", &[account.into_word()])
}

fn calldata(signature: &str, words: &[B256]) -> Bytes {
    let mut data = keccak256(signature)[..4].to_vec();
    for word in words {
        data.extend_from_slice(word.as_slice());
    }
    data.into()
}
