//! Addresses and hashes: fixed bytes, lower-case hex in the database.

use std::{fmt, str::FromStr};

use entities::Usdc;
use ethers_core::{
    types::{H160, H256, U256},
    utils::to_checksum,
};

/// Text that is not such a hex value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 0x and {digits} hex digits")]
pub struct InvalidHex {
    /// How many hex digits belong after the `0x`.
    pub digits: usize,
}

macro_rules! hex_bytes {
    ($($(#[$doc:meta])* $name:ident = $bytes:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidHex;

            fn from_str(text: &str) -> Result<Self, InvalidHex> {
                let mut bytes = [0; $bytes];
                text.strip_prefix("0x")
                    .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
                    .map(|()| Self(bytes))
                    .ok_or(InvalidHex { digits: $bytes * 2 })
            }
        }
    )*};
}

/// Why what a person typed is not an address to pay to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `0x` and 40 hex digits.
    #[error("an address is 0x followed by 40 hex digits")]
    Malformed,
    /// Upper and lower case are mixed in another way than EIP-55 says: most likely a typing error.
    #[error("the address has a wrong checksum (EIP-55): check it for a typing error")]
    Checksum,
    /// The address that nobody has.
    #[error("this is the zero address, which nobody owns")]
    Zero,
}

hex_bytes! {
    /// An EVM address. Shown in lower case; see [`Address::checksummed`] for people.
    Address = 20;
    /// The hash of a transaction.
    TxHash = 32;
    /// The hash of a block.
    BlockHash = 32;
}

impl Address {
    /// The address that nobody has.
    pub const ZERO: Self = Self([0; 20]);

    /// As people see it: `0x` and hex digits whose case is the checksum of EIP-55.
    pub fn checksummed(self) -> String {
        to_checksum(&self.to_ethers(), None)
    }

    /// Reads what a person typed: all lower case, all upper case, or with the right EIP-55 checksum.
    ///
    /// # Errors
    /// [`AddressError`], whose text is fit for that person.
    pub fn parse_user_input(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let address: Self = text.parse().map_err(|_| AddressError::Malformed)?;
        let digits = text.trim_start_matches("0x");
        let mixed = digits.contains(|c: char| c.is_ascii_lowercase())
            && digits.contains(|c: char| c.is_ascii_uppercase());
        if mixed && address.checksummed() != text {
            return Err(AddressError::Checksum);
        }
        if address == Self::ZERO {
            return Err(AddressError::Zero);
        }
        Ok(address)
    }

    pub(super) const fn to_ethers(self) -> H160 {
        H160(self.0)
    }

    pub(super) const fn from_ethers(address: H160) -> Self {
        Self(address.0)
    }

    /// As an indexed `address` stands in a log's topics: padded on the left to 32 bytes.
    pub(super) fn to_topic(self) -> H256 {
        H256::from(self.to_ethers())
    }
}

/// An amount from the chain; `None` when it does not fit 63 bits of micro-USDC.
pub(super) fn usdc_from_chain(value: U256) -> Option<Usdc> {
    (value <= U256::from(i64::MAX)).then(|| i64::try_from(value.low_u64()).ok().map(Usdc)).flatten()
}

/// An amount for the chain; `None` when it is negative.
pub(super) fn usdc_to_chain(amount: Usdc) -> Option<U256> {
    u64::try_from(amount.micro()).ok().map(U256::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of EIP-55 itself.
    const CHECKSUMMED: [&str; 8] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn addresses_are_read_in_the_three_spellings() {
        for text in CHECKSUMMED {
            let address = Address::parse_user_input(text).unwrap();
            assert_eq!(address.checksummed(), text);
            assert_eq!(address.to_string(), text.to_lowercase());
            let upper = format!("  0x{}\n", text[2..].to_uppercase());
            assert_eq!(Address::parse_user_input(&upper), Ok(address));
            assert_eq!(Address::parse_user_input(&text.to_lowercase()), Ok(address));
        }
    }

    #[test]
    fn a_typing_error_is_named() {
        let wrong_case = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed";
        assert_eq!(Address::parse_user_input(wrong_case), Err(AddressError::Checksum));
        let zero = format!("0x{}", "0".repeat(40));
        assert_eq!(Address::parse_user_input(&zero), Err(AddressError::Zero));
        for text in
            ["", "0x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "vitalik.eth", &CHECKSUMMED[0][2..]]
        {
            assert_eq!(Address::parse_user_input(text), Err(AddressError::Malformed), "{text}");
        }
    }

    #[test]
    fn amounts_keep_within_63_bits() {
        assert_eq!(usdc_from_chain(U256::from(i64::MAX)), Some(Usdc(i64::MAX)));
        assert_eq!(usdc_from_chain(U256::from(i64::MAX) + 1), None);
        assert_eq!(usdc_from_chain(U256::MAX), None);
        assert_eq!(usdc_to_chain(Usdc(-1)), None);
        assert_eq!(usdc_to_chain(Usdc(12_500_000)), Some(U256::from(12_500_000)));
    }
}
