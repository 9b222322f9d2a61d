//! The column type of money: a whole number of micro-USDC (6 decimals).

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// An amount in micro-USDC: 1 USDC is `Usdc(1_000_000)`. All arithmetic is checked; no float comes near it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Usdc(pub i64);

/// Why a number is not an amount of USDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More than six decimals.
    #[error("USDC has 6 decimals; give at most 6")]
    TooPrecise,
    /// Outside what a signed 64-bit count of micro-USDC holds (about 9.2 trillion USDC).
    #[error("The amount is too large")]
    TooLarge,
    /// Not a decimal number at all.
    #[error("An amount is a decimal number such as \"12.50\"")]
    NotANumber,
}

impl Usdc {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One USDC in micro-USDC.
    pub const SCALE: i64 = 1_000_000;

    /// A whole number of USDC; `None` on overflow.
    pub const fn whole(usdc: i64) -> Option<Self> {
        match usdc.checked_mul(Self::SCALE) {
            Some(micro) => Some(Self(micro)),
            None => None,
        }
    }

    /// The micro-USDC in it.
    pub const fn micro(self) -> i64 {
        self.0
    }

    /// The sum; [`MoneyError::TooLarge`] on overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::TooLarge)
    }

    /// The difference, which may be negative; [`MoneyError::TooLarge`] on overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::TooLarge)
    }

    /// This many times the amount; [`MoneyError::TooLarge`] on overflow.
    pub fn times(self, factor: i64) -> Result<Self, MoneyError> {
        self.0.checked_mul(factor).map(Self).ok_or(MoneyError::TooLarge)
    }

    /// The amount with its sign turned; [`MoneyError::TooLarge`] on overflow.
    pub fn negated(self) -> Result<Self, MoneyError> {
        self.0.checked_neg().map(Self).ok_or(MoneyError::TooLarge)
    }

    /// The sum of many; [`MoneyError::TooLarge`] on overflow.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// Whether it is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// From a decimal number of USDC, exactly: a seventh decimal is refused, not rounded.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, MoneyError> {
        let micro = decimal.checked_mul(Decimal::from(Self::SCALE)).ok_or(MoneyError::TooLarge)?;
        if !micro.fract().is_zero() {
            return Err(MoneyError::TooPrecise);
        }
        micro.to_i64().map(Self).ok_or(MoneyError::TooLarge)
    }

    /// As a decimal number of USDC with the decimals it needs, at least two.
    pub fn to_decimal(self) -> Decimal {
        let mut decimal = Decimal::new(self.0, 6).normalize();
        if decimal.scale() < 2 {
            decimal.rescale(2);
        }
        decimal
    }
}

impl fmt::Display for Usdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} USDC", self.to_decimal())
    }
}

impl FromStr for Usdc {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        // The parser reads 1_000 as a thousand; nobody else does.
        if text.contains('_') {
            return Err(MoneyError::NotANumber);
        }
        Self::from_decimal(Decimal::from_str_exact(text).map_err(|_| MoneyError::NotANumber)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!("12.5".parse(), Ok(Usdc(12_500_000)));
        assert_eq!("0.000001".parse(), Ok(Usdc(1)));
        assert_eq!("0.0000001".parse::<Usdc>(), Err(MoneyError::TooPrecise));
        assert_eq!("1.0000000".parse(), Ok(Usdc(1_000_000)));
        assert_eq!("9223372036854.775807".parse(), Ok(Usdc(i64::MAX)));
        assert_eq!("9223372036854.775808".parse::<Usdc>(), Err(MoneyError::TooLarge));
        assert_eq!("12,5".parse::<Usdc>(), Err(MoneyError::NotANumber));
        assert_eq!("1_0".parse::<Usdc>(), Err(MoneyError::NotANumber));
        assert_eq!(Usdc(12_500_000).to_string(), "12.50 USDC");
        assert_eq!(Usdc(1).to_decimal().to_string(), "0.000001");
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Usdc(i64::MAX).plus(Usdc(1)), Err(MoneyError::TooLarge));
        assert_eq!(Usdc(i64::MIN).minus(Usdc(1)), Err(MoneyError::TooLarge));
        assert_eq!(Usdc(i64::MIN).negated(), Err(MoneyError::TooLarge));
        assert_eq!(Usdc::whole(i64::MAX), None);
        assert_eq!(Usdc::sum([Usdc(1), Usdc(2)]), Ok(Usdc(3)));
    }
    #[test]
    fn whole_usdc_are_a_million_micro_each() {
        assert_eq!(Usdc::whole(2), Some(Usdc(2_000_000)));
        assert_eq!(Usdc::whole(-3), Some(Usdc(-3_000_000)));
        assert_eq!(Usdc(17).micro(), 17);
        assert_eq!(Usdc(-17).micro(), -17);
    }

    #[test]
    fn sums_differences_and_multiples_are_those_of_whole_numbers() {
        assert_eq!(Usdc(7).plus(Usdc(-2)), Ok(Usdc(5)));
        assert_eq!(Usdc(7).minus(Usdc(9)), Ok(Usdc(-2)));
        assert_eq!(Usdc(7).times(-3), Ok(Usdc(-21)));
        assert_eq!(Usdc(i64::MAX).times(2), Err(MoneyError::TooLarge));
        assert_eq!(Usdc(7).negated(), Ok(Usdc(-7)));
        assert_eq!(Usdc::sum([]), Ok(Usdc::ZERO));
        assert_eq!(Usdc::sum([Usdc(i64::MAX), Usdc(1), Usdc(-1)]), Err(MoneyError::TooLarge));
    }

    #[test]
    fn nothing_is_not_positive() {
        assert!(Usdc(1).is_positive());
        assert!(!Usdc(0).is_positive());
        assert!(!Usdc(-1).is_positive());
    }

    #[test]
    fn amounts_are_shown_with_two_decimals_or_as_many_as_they_need() {
        for (micro, shown) in [
            (0, "0.00 USDC"),
            (12_000_000, "12.00 USDC"),
            (12_500_000, "12.50 USDC"),
            (12_340_000, "12.34 USDC"),
            (12_345_000, "12.345 USDC"),
            (-1, "-0.000001 USDC"),
            (i64::MIN, "-9223372036854.775808 USDC"),
        ] {
            assert_eq!(Usdc(micro).to_string(), shown);
            assert_eq!(shown.trim_end_matches(" USDC").parse(), Ok(Usdc(micro)));
        }
        assert_eq!("-9223372036854.775809".parse::<Usdc>(), Err(MoneyError::TooLarge));
    }
}
