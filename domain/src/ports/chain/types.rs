//! Addresses and hashes: fixed bytes, lower-case hex in the database.

use std::{fmt, str::FromStr};

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

hex_bytes! {
    /// An EVM address. Shown in lower case; see [`Address::checksummed`] for people.
    Address = 20;
    /// The hash of a transaction.
    TxHash = 32;
    /// The hash of a block.
    BlockHash = 32;
}
