//! The arithmetic of a suggestion: pure, in micro-USDC, rounded half up.

use entities::{MoneyError, Usdc};

/// All of it, in basis points.
const WHOLE: i128 = 10_000;
/// What a skill adds: .05.
const PREMIUM: i128 = 500;
/// What skills add together, at the most: .5, which ten of them reach.
const MOST_PREMIUM: i128 = 5_000;
/// From so many rates on the market says what an hour costs.
const ENOUGH: usize = 5;

/// How hard the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complexity {
    /// .8 of the base.
    Simple,
    /// The base.
    Moderate,
    /// 1.3 times the base.
    Complex,
    /// 1.6 times the base.
    Expert,
}

impl Complexity {
    const fn basis_points(self) -> i128 {
        match self {
            Self::Simple => 8_000,
            Self::Moderate => 10_000,
            Self::Complex => 13_000,
            Self::Expert => 16_000,
        }
    }
}

/// How far to trust a suggestion, by the number of like projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// 20 or more.
    High,
    /// 10 to 19.
    Medium,
    /// 5 to 9.
    Low,
    /// Fewer than 5: from the table.
    None,
}

impl Confidence {
    /// By so many like projects.
    pub const fn of(like_projects: usize) -> Self {
        match like_projects {
            20.. => Self::High,
            10..=19 => Self::Medium,
            ENOUGH..=9 => Self::Low,
            _ => Self::None,
        }
    }
}

/// A price and the range around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// .8 of it.
    pub low: Usdc,
    /// What is suggested.
    pub suggested: Usdc,
    /// 1.2 times it.
    pub high: Usdc,
}

impl Rates {
    /// So many times each.
    pub(super) fn times(self, hours: i32) -> Result<Self, MoneyError> {
        let times = |rate: Usdc| rate.times(hours.into());
        Ok(Self { low: times(self.low)?, suggested: times(self.suggested)?, high: times(self.high)? })
    }
}

/// What an hour costs: the median of the market where it has at least five rates, or what stands in the table.
pub(super) fn base(slug: &str, market: &[Usdc]) -> Usdc {
    if market.len() >= ENOUGH { median(market) } else { Usdc(tabled(slug) * Usdc::SCALE) }
}

/// USDC an hour.
fn tabled(slug: &str) -> i64 {
    match slug {
        "web" => 50,
        "mobile" => 60,
        "data" => 70,
        "design" => 45,
        "writing" => 30,
        "marketing" => 40,
        "video" => 35,
        // "other", and what administrators added.
        _ => 40,
    }
}

/// The middle one; of two in the middle their mean, rounded half up.
fn median(rates: &[Usdc]) -> Usdc {
    let mut sorted = rates.to_vec();
    sorted.sort_unstable();
    let at = |index: usize| sorted.get(index).map_or(0, |rate| i128::from(rate.micro()));
    let (low, high) = (at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2));
    // Between two amounts, so it is one.
    Usdc(i64::try_from((low + high + 1) / 2).unwrap_or(i64::MAX))
}

/// base x complexity x (1 + premium), and .8 and 1.2 of that.
pub(super) fn rates(base: Usdc, complexity: Complexity, skills: usize) -> Result<Rates, MoneyError> {
    let premium = i128::try_from(skills).unwrap_or(MOST_PREMIUM).saturating_mul(PREMIUM).min(MOST_PREMIUM);
    let suggested = scaled(base, complexity.basis_points() * (WHOLE + premium), WHOLE * WHOLE)?;
    Ok(Rates { low: scaled(suggested, 8_000, WHOLE)?, suggested, high: scaled(suggested, 12_000, WHOLE)? })
}

/// A share of an amount, rounded half up to a micro-USDC.
fn scaled(amount: Usdc, by: i128, of: i128) -> Result<Usdc, MoneyError> {
    let micro = (2 * i128::from(amount.micro()) * by + of) / (2 * of);
    i64::try_from(micro).map(Usdc).map_err(|_| MoneyError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usdc(whole: i64) -> Usdc {
        Usdc::whole(whole).unwrap()
    }

    #[test]
    fn the_table_holds_until_there_are_five_rates() {
        for (slug, hour) in [
            ("web", 50),
            ("mobile", 60),
            ("data", 70),
            ("design", 45),
            ("writing", 30),
            ("marketing", 40),
            ("video", 35),
            ("other", 40),
            ("beekeeping", 40),
            ("", 40),
        ] {
            assert_eq!(base(slug, &[]), usdc(hour), "{slug}");
        }
        assert_eq!(base("web", &[usdc(90); 4]), usdc(50));
        assert_eq!(base("web", &[usdc(90); 5]), usdc(90));
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        let rates = |rates: &[i64]| rates.iter().copied().map(Usdc).collect::<Vec<_>>();
        assert_eq!(base("web", &rates(&[9, 1, 1_000, 5, 7])), Usdc(7));
        assert_eq!(base("web", &rates(&[9, 1, 1_000, 5, 7, 10])), Usdc(8));
        assert_eq!(base("web", &rates(&[1, 1, 3, 4, 9, 9])), Usdc(4));
        assert_eq!(base("web", &[Usdc(i64::MAX); 6]), Usdc(i64::MAX));
    }

    #[test]
    fn complexity_and_skills_multiply_the_base() {
        let suggested = |complexity, skills| rates(usdc(50), complexity, skills).unwrap().suggested;
        assert_eq!(suggested(Complexity::Simple, 0), usdc(40));
        assert_eq!(suggested(Complexity::Moderate, 0), usdc(50));
        assert_eq!(suggested(Complexity::Complex, 0), usdc(65));
        assert_eq!(suggested(Complexity::Expert, 0), usdc(80));
        assert_eq!(suggested(Complexity::Moderate, 1), Usdc(52_500_000));
        assert_eq!(suggested(Complexity::Moderate, 9), Usdc(72_500_000));
        assert_eq!(suggested(Complexity::Moderate, 10), usdc(75));
        assert_eq!(suggested(Complexity::Moderate, 11), usdc(75));
        assert_eq!(suggested(Complexity::Expert, usize::MAX), usdc(120));
    }

    #[test]
    fn the_range_is_a_fifth_to_each_side_rounded_half_up() {
        let found = rates(usdc(50), Complexity::Moderate, 0).unwrap();
        assert_eq!((found.low, found.high), (usdc(40), usdc(60)));
        // 3 micro: 2.4 and 3.6.
        let found = rates(Usdc(3), Complexity::Moderate, 0).unwrap();
        assert_eq!((found.low, found.high), (Usdc(2), Usdc(4)));
        // Half a micro goes up: 10 x 1.05 is 10.5.
        assert_eq!(rates(Usdc(10), Complexity::Moderate, 1).unwrap().suggested, Usdc(11));
        assert_eq!(rates(Usdc(i64::MAX), Complexity::Expert, 0), Err(MoneyError::TooLarge));
    }

    #[test]
    fn confidence_rises_with_like_projects() {
        use Confidence::{High, Low, Medium, None};
        let found = [0, 4, 5, 9, 10, 19, 20, 1_000].map(Confidence::of);
        assert_eq!(found, [None, None, Low, Low, Medium, Medium, High, High]);
    }
}
