//! A key for trying things out: what a person's wallet would sign messages with.

use k256::ecdsa::SigningKey;
use revm::primitives::Address;
use revm::primitives::alloy_primitives::eip191_hash_message;

use super::EvmError;

/// A private key of secp256k1 that signs messages. It never shows itself.
pub struct Key {
    key: SigningKey,
    address: Address,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Key {
    /// From 32 bytes.
    ///
    /// # Errors
    /// [`EvmError::Refused`] for the few numbers that are no key: zero, and those beyond the curve's order.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, EvmError> {
        let key = SigningKey::from_slice(bytes)
            .map_err(|_| EvmError::Refused("these bytes are no private key".to_owned()))?;
        let address = Address::from_public_key(key.verifying_key());
        Ok(Self { key, address })
    }

    /// Its address, with EIP-55 capitals.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Signs a text as wallets do (EIP-191): `0x` and 65 bytes in hexadecimal, the last one 27 or 28.
    ///
    /// # Errors
    /// [`EvmError::Refused`] when the mathematics fails, which nobody has seen.
    pub fn sign_message(&self, message: &str) -> Result<String, EvmError> {
        let hash = eip191_hash_message(message);
        let (signature, parity) = self
            .key
            .sign_prehash_recoverable(hash.as_slice())
            .map_err(|error| EvmError::Refused(format!("signing failed: {error}")))?;
        let mut bytes = signature.to_bytes().to_vec();
        bytes.push(27 + u8::from(parity.is_y_odd()));
        Ok(format!("0x{}", hex::encode(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use ethers_signers::{LocalWallet, Signer as _};

    use super::*;

    #[tokio::test]
    async fn signs_as_other_wallets_do() {
        let bytes = [7; 32];
        let (ours, theirs) = (Key::new(&bytes).unwrap(), LocalWallet::from_bytes(&bytes).unwrap());
        assert_eq!(ours.address().to_lowercase(), format!("{:?}", theirs.address()));
        let text = "localhost wants you to sign in\nwith your Ethereum account";
        let signature = theirs.sign_message(text).await.unwrap();
        assert_eq!(ours.sign_message(text).unwrap(), format!("0x{signature}"));
        assert!(Key::new(&[0; 32]).is_err() && Key::new(&[0xff; 32]).is_err());
    }
}
