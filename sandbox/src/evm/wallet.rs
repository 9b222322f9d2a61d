//! Money for anybody, and payments by anybody: what the sandbox adds to a chain so that trying things out
//! needs no keys.

use alloy_consensus::TxEip1559;
use revm::primitives::{Address, B256, Bytes, TxKind, U256};

use super::chain::Chain;
use super::error::{EvmError, Refusal};
use super::execute::{self, Call};
use super::token;
use super::tx::{Tx, Unsigned};

/// What the sandbox tips, in wei a gas.
pub(super) const TIP: u64 = 1_000_000_000;
/// Gas for one token operation; a transfer uses some 50,000.
const TOKEN_GAS: u64 = 150_000;
/// Whoever falls below this many wei is topped up before paying.
const LOW: u128 = 1_000_000_000_000_000_000;
/// And has this many afterwards.
const ENOUGH: u128 = 100 * LOW;

impl Chain {
    /// Makes the token exist, on a chain that has none yet.
    pub(super) fn deploy_token(&mut self) -> Result<(), EvmError> {
        if self.latest().code(&self.token).is_some() {
            return Ok(());
        }
        // After a crash half-way the coin is there, and perhaps the transaction waits too.
        if self.balance(&token::OWNER).is_zero() {
            self.set_balance(token::OWNER, U256::from(ENOUGH) * U256::from(1000))?;
        }
        if self.pending_nonce(&token::OWNER) == 0 {
            let tx = self.order(token::OWNER, TxKind::Create, token::deployment()?, 5_000_000);
            self.submit(tx)?;
        }
        if self.latest().code(&self.token).is_none() {
            self.mine()?;
        }
        Ok(())
    }

    /// Gives `address` native coin, if it has little, and `micro_usdc` millionths of a token more.
    pub(super) fn fund(&mut self, address: Address, micro_usdc: u64) -> Result<(), Refusal> {
        self.ensure_coin(address)?;
        if micro_usdc > 0 {
            self.ensure_coin(token::OWNER)?;
            let mint = token::mint(address, micro_usdc);
            let tx = self.order(token::OWNER, TxKind::Call(self.token), mint, TOKEN_GAS);
            self.submit(tx)?;
        }
        Ok(())
    }

    /// Sends tokens from `from` without its key, after giving it what it lacks. The transaction's hash.
    pub(super) fn pay(&mut self, from: Address, to: Address, micro_usdc: u64) -> Result<B256, Refusal> {
        let lacks = U256::from(micro_usdc).saturating_sub(self.tokens_of(from));
        self.fund(from, lacks.saturating_to())?;
        let transfer = token::transfer(to, micro_usdc);
        let tx = self.order(from, TxKind::Call(self.token), transfer, TOKEN_GAS);
        self.submit(tx)
    }

    /// Millionths of a token, counting what waits.
    fn tokens_of(&self, account: Address) -> U256 {
        let (block, mut overlay) = self.pending();
        let question = Call { to: Some(self.token), data: token::balance_of(account), ..Call::default() };
        match execute::call(self.chain_id, &block, &mut overlay, &question, TOKEN_GAS) {
            Ok(result) => {
                result.output().map_or(U256::ZERO, |word| U256::try_from_be_slice(word).unwrap_or_default())
            }
            Err(_) => U256::ZERO,
        }
    }

    fn ensure_coin(&mut self, address: Address) -> Result<(), Refusal> {
        if self.balance(&address) < U256::from(LOW) {
            self.set_balance(address, U256::from(ENOUGH))?;
        }
        Ok(())
    }

    /// An EIP-1559 transaction without a key, with the next nonce and a price that holds through a steep rise
    /// of the base fee.
    fn order(&self, from: Address, to: TxKind, input: Bytes, gas_limit: u64) -> Tx {
        let max_fee = u128::from(self.next_base_fee()) * 4 + 100 * u128::from(TIP);
        let unsigned = TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.pending_nonce(&from),
            gas_limit,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: u128::from(TIP),
            to,
            input,
            ..TxEip1559::default()
        };
        Tx::impersonating(Unsigned::Dynamic(unsigned), from)
    }
}
