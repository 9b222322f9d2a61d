//! Who signed: EIP-191's personal message, over secp256k1.

use ethers_core::types::{Signature, U256};

use super::SiweError;
use crate::ports::chain::Address;

/// Half the order of secp256k1. Of the two signatures (s and its negative) that anybody can make from one, only
/// the lower is accepted (EIP-2), so that a signature cannot be varied.
const HALF_ORDER: U256 =
    U256([0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, 0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff]);

/// The address whose key signed this text as an EIP-191 personal message (`personal_sign`).
///
/// `signature` is 65 bytes in hex, r, s and v; v is 27 or 28, or 0 or 1 as some wallets write it. A contract's
/// signature (EIP-1271) is not of this form.
///
/// # Errors
/// [`SiweError::Signature`] when it cannot be a signature at all. One of another text or another key gives
/// another address: compare it.
pub fn recover(message: &str, signature: &str) -> Result<Address, SiweError> {
    let mut bytes = [0; 65];
    hex::decode_to_slice(signature.strip_prefix("0x").unwrap_or(signature), &mut bytes)
        .map_err(|_| SiweError::Signature("it is not 65 bytes in hex"))?;
    let (r, s, v) = (&bytes[..32], &bytes[32..64], bytes[64]);
    let v = match v {
        0 | 1 => v + 27,
        27 | 28 => v,
        _ => return Err(SiweError::Signature("its last byte is not 0, 1, 27 or 28")),
    };
    let signature = Signature { r: U256::from_big_endian(r), s: U256::from_big_endian(s), v: v.into() };
    if signature.s > HALF_ORDER {
        return Err(SiweError::Signature("its s is not the lower one"));
    }
    signature
        .recover(message)
        .map(Address::from_ethers)
        .map_err(|_| SiweError::Signature("no key can have made it"))
}
