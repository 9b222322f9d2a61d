//! Fees. The amount itself is [`entities::Usdc`]: rows need it too.

pub use entities::{MoneyError, Usdc};

/// A gross amount and its parts: `fee + net == gross`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What the payer pays.
    pub gross: Usdc,
    /// What the platform keeps.
    pub fee: Usdc,
    /// What the payee gets.
    pub net: Usdc,
}

impl Split {
    /// Takes a flat fee in basis points (hundredths of a percent), rounded half up to a micro-USDC.
    /// `gross` must not be negative and `basis_points` lies in 0..=10,000.
    pub fn of(gross: Usdc, basis_points: i32) -> Result<Self, MoneyError> {
        // 128 bits hold any 63-bit amount times 10,000.
        let fee = (i128::from(gross.micro()) * i128::from(basis_points) + 5_000) / 10_000;
        let fee = Usdc(i64::try_from(fee).map_err(|_| MoneyError::TooLarge)?);
        Ok(Self { gross, fee, net: gross.minus(fee)? })
    }

    /// Nothing is taken: refunds and returns.
    pub const fn without_fee(gross: Usdc) -> Self {
        Self { gross, fee: Usdc::ZERO, net: gross }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fee_rounds_half_up_to_a_micro() {
        // 10% of 5 micro is half a micro: up. Of 4 it is 0.4: down.
        assert_eq!(Split::of(Usdc(5), 1_000).map(|s| s.fee), Ok(Usdc(1)));
        assert_eq!(Split::of(Usdc(4), 1_000).map(|s| s.fee), Ok(Usdc(0)));
        assert_eq!(
            Split::of(Usdc(1_234_567), 1_000).map(|s| (s.fee, s.net)),
            Ok((Usdc(123_457), Usdc(1_111_110)))
        );
    }

    #[test]
    fn who_is_refunded_gets_all_of_it() {
        let whole = Split { gross: Usdc(1_234_567), fee: Usdc::ZERO, net: Usdc(1_234_567) };
        assert_eq!(Split::without_fee(Usdc(1_234_567)), whole);
    }

    proptest! {
        #[test]
        fn parts_make_the_whole(gross in 0..=i64::MAX, basis_points in 0..=10_000_i32) {
            let split = Split::of(Usdc(gross), basis_points).expect("fits");
            prop_assert_eq!(split.fee.plus(split.net), Ok(split.gross));
            prop_assert!(split.fee >= Usdc::ZERO && split.net >= Usdc::ZERO);
            // Never more than half a micro away from the exact fee.
            let exact = i128::from(gross) * i128::from(basis_points);
            let taken = i128::from(split.fee.micro()) * 10_000;
            prop_assert!((taken - exact).abs() <= 5_000);
        }
    }
}
