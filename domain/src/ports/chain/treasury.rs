//! The treasury's key: the one that signs payouts.

use entities::Usdc;
use ethers_core::types::{Eip1559TransactionRequest, transaction::eip2718::TypedTransaction};
use ethers_signers::{LocalWallet, Signer as _};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use super::{Address, GasFees, abi};
use crate::ports::PortError;

/// The highest chain id (EIP-2294): ethers computes twice the id in 64 bits.
const HIGHEST_CHAIN_ID: u64 = u64::MAX / 2 - 36;

/// A key bound to one chain and one token.
pub(super) struct Treasury {
    wallet: LocalWallet,
    usdc: Address,
}

impl Treasury {
    /// Reads the key. The errors never repeat any of it.
    pub(super) fn new(key: &SecretString, chain_id: u64, usdc: Address) -> Result<Self, PortError> {
        if !(1..=HIGHEST_CHAIN_ID).contains(&chain_id) {
            return Err(super::refused(format!("{chain_id} is not a chain id")));
        }
        let digits = key.expose_secret().trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let mut bytes = Zeroizing::new([0; 32]);
        let wallet = hex::decode_to_slice(digits, bytes.as_mut_slice())
            .ok()
            .and_then(|()| LocalWallet::from_bytes(bytes.as_slice()).ok())
            .ok_or_else(|| {
                super::refused("the treasury's key is not a private key of 32 bytes in hex".to_owned())
            })?;
        Ok(Self { wallet: wallet.with_chain_id(chain_id), usdc })
    }

    pub(super) fn address(&self) -> Address {
        Address::from_ethers(self.wallet.address())
    }

    /// The bytes of a signed EIP-1559 transaction. The signature is deterministic (RFC 6979).
    pub(super) fn sign_transfer(
        &self,
        nonce: u64,
        to: Address,
        amount: Usdc,
        gas_limit: u64,
        fees: GasFees,
    ) -> Result<Vec<u8>, PortError> {
        if !amount.is_positive() || to == Address::ZERO {
            return Err(super::refused(format!("a transfer of {amount} to {to} makes no sense")));
        }
        let data = abi::transfer_data(to, amount)
            .ok_or_else(|| super::refused(format!("{amount} cannot be transferred")))?;
        let transaction = TypedTransaction::Eip1559(
            Eip1559TransactionRequest::new()
                .chain_id(self.wallet.chain_id())
                .nonce(nonce)
                .to(self.usdc.to_ethers())
                .value(0)
                .data(data)
                .gas(gas_limit)
                .max_fee_per_gas(fees.max_fee_per_gas)
                .max_priority_fee_per_gas(fees.max_priority_fee_per_gas),
        );
        // Not `sign_hash`: its v of 27 or 28 makes `rlp_signed` panic for this type of transaction.
        let signature = self
            .wallet
            .sign_transaction_sync(&transaction)
            .map_err(|error| super::refused(format!("signing failed: {error}")))?;
        Ok(transaction.rlp_signed(&signature).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use ethers_core::utils::rlp::Rlp;

    use super::*;

    /// The first key of the mnemonic that every development node knows: "test test ... junk".
    const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const USDC: Address = Address([0xaa; 20]);
    const FEES: GasFees = GasFees { max_fee_per_gas: 30, max_priority_fee_per_gas: 2 };

    fn treasury() -> Treasury {
        Treasury::new(&KEY.into(), 31_337, USDC).unwrap()
    }

    #[test]
    fn the_key_gives_its_address_and_is_never_repeated() {
        assert_eq!(treasury().address().checksummed(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        for key in ["", "0x12", "hunter2hunter2", &"0".repeat(64), &"f".repeat(64), &KEY[..65]] {
            let error = Treasury::new(&key.into(), 1, USDC).err().unwrap().to_string();
            assert!(key.is_empty() || !error.contains(key), "{error}");
        }
        assert!(Treasury::new(&KEY.into(), 0, USDC).is_err());
        assert!(Treasury::new(&KEY.into(), u64::MAX, USDC).is_err());
    }

    #[test]
    fn a_transfer_is_signed_for_chain_token_nonce_and_fees_and_always_alike() {
        let to = Address([0x22; 20]);
        let raw = treasury().sign_transfer(7, to, Usdc(12_500_000), 65_000, FEES).unwrap();
        assert_eq!(raw, treasury().sign_transfer(7, to, Usdc(12_500_000), 65_000, FEES).unwrap());
        assert_eq!(raw[0], 2, "an EIP-1559 transaction");
        let (signed, _) = TypedTransaction::decode_signed(&Rlp::new(&raw)).unwrap();
        assert_eq!(signed.from().copied(), Some(treasury().address().to_ethers()));
        assert_eq!(signed.to_addr().copied(), Some(USDC.to_ethers()));
        assert_eq!(signed.nonce().copied(), Some(7.into()));
        assert_eq!(signed.chain_id(), Some(31_337.into()));
        assert_eq!(signed.gas().copied(), Some(65_000.into()));
        assert_eq!(signed.data().cloned(), abi::transfer_data(to, Usdc(12_500_000)));
        let other = GasFees { max_fee_per_gas: 34, ..FEES };
        assert_ne!(raw, treasury().sign_transfer(7, to, Usdc(12_500_000), 65_000, other).unwrap());
    }

    #[test]
    fn nothing_to_nobody_is_not_signed() {
        let to = Address([0x22; 20]);
        for (to, amount) in [(to, Usdc(0)), (to, Usdc(-1)), (Address::ZERO, Usdc(1))] {
            let refused = treasury().sign_transfer(0, to, amount, 65_000, FEES).unwrap_err();
            assert!(!refused.is_transient());
        }
    }
}
