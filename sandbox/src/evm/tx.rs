//! A transaction whose sender is known: signed by a key, or sent for an account that the sandbox
//! impersonates.

use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{SignableTransaction, Signed, Transaction, TxEip1559, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use revm::context::TxEnv;
use revm::primitives::alloy_primitives::Signature;
use revm::primitives::{Address, B256, U256};

use super::error::Refusal;

/// A decoded transaction with its sender.
#[derive(Debug)]
pub(super) struct Tx {
    pub(super) envelope: TxEnvelope,
    pub(super) sender: Address,
    /// No key signed this: the signature is a filler, and the sender must be kept beside the bytes.
    pub(super) impersonated: bool,
}

/// The kinds of unsigned transaction that the sandbox makes itself.
pub(super) enum Unsigned {
    Dynamic(TxEip1559),
    Legacy(TxLegacy),
}

impl Tx {
    /// Decodes signed bytes (EIP-2718 or legacy RLP) and recovers the sender.
    pub(super) fn signed(raw: &[u8]) -> Result<Self, Refusal> {
        let envelope = decode(raw)?;
        let sender = envelope.recover_signer().map_err(|_| Refusal::Signature)?;
        Ok(Self { envelope, sender, impersonated: false })
    }

    /// Restores a transaction of [`Tx::impersonating`] from its bytes.
    pub(super) fn restored(raw: &[u8], sender: Address) -> Result<Self, Refusal> {
        Ok(Self { envelope: decode(raw)?, sender, impersonated: true })
    }

    /// A transaction without a key. The filler signature names the sender, so that equal transactions of two
    /// senders differ in hash.
    pub(super) fn impersonating(unsigned: Unsigned, sender: Address) -> Self {
        let filler = Signature::new(U256::from_be_slice(sender.as_slice()), U256::ONE, false);
        let envelope = match unsigned {
            Unsigned::Dynamic(tx) => TxEnvelope::from(fill(tx, filler)),
            Unsigned::Legacy(tx) => TxEnvelope::from(fill(tx, filler)),
        };
        Self { envelope, sender, impersonated: true }
    }

    pub(super) fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    pub(super) fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// The wire form.
    pub(super) fn raw(&self) -> Vec<u8> {
        self.envelope.encoded_2718()
    }

    /// What the block's maker earns a gas, in wei; `None` while the base fee is above what the sender pays.
    pub(super) fn tip(&self, base_fee: u64) -> Option<u128> {
        self.envelope.effective_tip_per_gas(base_fee)
    }

    /// The highest wei the sender can lose by this: gas at its highest price, and the value sent.
    pub(super) fn highest_cost(&self) -> U256 {
        let gas = U256::from(self.envelope.gas_limit()) * U256::from(self.envelope.max_fee_per_gas());
        gas.saturating_add(self.envelope.value())
    }

    /// The form revm executes.
    pub(super) fn env(&self) -> TxEnv {
        let tx = &self.envelope;
        TxEnv {
            tx_type: u8::from(tx.tx_type()),
            caller: self.sender,
            gas_limit: tx.gas_limit(),
            gas_price: tx.max_fee_per_gas(),
            kind: tx.kind(),
            value: tx.value(),
            data: tx.input().clone(),
            nonce: tx.nonce(),
            chain_id: tx.chain_id(),
            access_list: tx.access_list().cloned().unwrap_or_default(),
            gas_priority_fee: tx.max_priority_fee_per_gas(),
            ..TxEnv::default()
        }
    }
}

fn decode(raw: &[u8]) -> Result<TxEnvelope, Refusal> {
    let envelope =
        TxEnvelope::decode_2718_exact(raw).map_err(|error| Refusal::Malformed(error.to_string()))?;
    match envelope {
        TxEnvelope::Legacy(_) | TxEnvelope::Eip2930(_) | TxEnvelope::Eip1559(_) => Ok(envelope),
        _ => Err(Refusal::Type(u8::from(envelope.tx_type()))),
    }
}

fn fill<T: SignableTransaction<Signature>>(tx: T, signature: Signature) -> Signed<T> {
    tx.into_signed(signature)
}
