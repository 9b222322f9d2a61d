//! What a match is worth. Pure, and in whole numbers only: every factor and the whole are parts of [`WHOLE`].

use entities::Usdc;

/// All of it: factors and totals are parts per 10,000.
pub const WHOLE: i64 = 10_000;
/// Half: what is not known neither helps nor hurts.
const HALF: i64 = 5_000;
/// Only what is worth more than this is shown.
pub const SHOWN_ABOVE: i32 = 3_000;
/// So many are shown at the most.
pub const BEST: usize = 10;
/// The best that a skill can be known.
const MASTERY: i64 = 5;

/// What counts of a freelancer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freelancer {
    /// What they ask for an hour.
    pub hourly_rate: Option<Usdc>,
    /// The mean of their shown reviews in hundredths, 100 to 500.
    pub rating: i32,
    /// How many reviews that is the mean of.
    pub review_count: i32,
    /// Their contracts that are ACTIVE, PAUSED or DISPUTED. An unanswered offer is no work yet.
    pub running: i64,
    /// Their contracts that ended with the work done: COMPLETED.
    pub completed: i64,
    /// Their contracts that ended after they had begun: COMPLETED or TERMINATED.
    pub ended: i64,
}

/// What counts of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The least and the most that it pays an hour. None when it pays one price for the whole: no rate can be held
    /// against that.
    pub hourly: Option<(Usdc, Usdc)>,
    /// How many skills it asks for.
    pub skills: i64,
}

/// The five factors, each 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// See [`skills`].
    pub skills: i32,
    /// See [`budget`].
    pub budget: i32,
    /// See [`rating`].
    pub rating: i32,
    /// See [`availability`].
    pub availability: i32,
    /// See [`success`].
    pub success: i32,
}

impl Factors {
    /// How well a freelancer fits a project. `points` is the sum of how well they know the skills that it asks for,
    /// 1 to 5 each.
    pub fn of(freelancer: &Freelancer, wanted: &Wanted, points: i64) -> Self {
        Self {
            skills: part(skills(points, wanted.skills)),
            budget: part(budget(freelancer.hourly_rate, wanted.hourly)),
            rating: part(rating(freelancer.rating, freelancer.review_count)),
            availability: part(availability(freelancer.running)),
            success: part(success(freelancer.completed, freelancer.ended)),
        }
    }

    /// The whole: .4 skills + .2 budget + .2 rating + .1 availability + .1 success, rounded half up.
    pub fn total(self) -> i32 {
        let tenths = 4 * i64::from(self.skills)
            + 2 * i64::from(self.budget)
            + 2 * i64::from(self.rating)
            + i64::from(self.availability)
            + i64::from(self.success);
        part(half_up(tenths.into(), 10))
    }
}

/// How much of what is asked for they know: each skill that is asked for counts as much as every other, a fifth of it
/// for each step of proficiency. So it is the sum of proficiency / 5 over the skills asked for, divided by their
/// number: 1 is who masters all of them, and who knows half of them at 3 gets .3. Half when none is asked for.
pub fn skills(points: i64, asked_for: i64) -> i64 {
    if asked_for <= 0 {
        return HALF;
    }
    half_up(i128::from(points) * i128::from(WHOLE), i128::from(MASTERY) * i128::from(asked_for))
}

/// Whether their rate an hour fits: 1 in the range, ends included; .8 below it; above it max(0, 1 - over / most), where
/// over is what they ask beyond the most. Half when there is no rate, or none to hold it against.
pub fn budget(rate: Option<Usdc>, range: Option<(Usdc, Usdc)>) -> i64 {
    let (Some(rate), Some((least, most))) = (rate, range) else { return HALF };
    if rate < least {
        return 8_000;
    }
    if rate <= most {
        return WHOLE;
    }
    let (rate, most) = (i128::from(rate.micro()), i128::from(most.micro()));
    // 1 - (rate - most) / most, over one divisor.
    if most <= 0 { 0 } else { half_up((2 * most - rate) * i128::from(WHOLE), most) }
}

/// What their reviews say: (mean - 1) / 4 x (.7 + .3 x min(1, reviews / 10)); .3 without a review.
pub fn rating(hundredths: i32, reviews: i32) -> i64 {
    if reviews <= 0 {
        return 3_000;
    }
    let weight = 7_000 + 300 * i128::from(reviews.min(10));
    half_up(i128::from(hundredths - 100) * weight, 400)
}

/// Whether they have time: 1 with no running work, .7 with up to 3 contracts, .4 with up to 5, .2 with more.
pub const fn availability(running: i64) -> i64 {
    match running {
        ..=0 => WHOLE,
        1..=3 => 7_000,
        4..=5 => 4_000,
        _ => 2_000,
    }
}

/// How much of what they began they ended with the work done; half before anything ended.
pub fn success(completed: i64, ended: i64) -> i64 {
    if ended <= 0 { HALF } else { half_up(i128::from(completed) * i128::from(WHOLE), ended.into()) }
}

/// The best of some matches, at most so many, the best first; of two that are worth the same, the one with the smaller
/// id.
pub fn best<I: Ord + Copy>(
    matches: impl IntoIterator<Item = (I, Factors)>,
    most: usize,
) -> Vec<(I, Factors)> {
    let mut shown: Vec<_> =
        matches.into_iter().filter(|(_, factors)| factors.total() > SHOWN_ABOVE).collect();
    shown.sort_by_key(|(id, factors)| (std::cmp::Reverse(factors.total()), *id));
    shown.truncate(most);
    shown
}

/// A quotient rounded half up; 0 below 0. The divisor is above 0.
fn half_up(dividend: i128, divisor: i128) -> i64 {
    i64::try_from((2 * dividend.max(0) + divisor) / (2 * divisor)).unwrap_or(WHOLE)
}

/// Within 0 to [`WHOLE`], whatever the rows hold.
fn part(number: i64) -> i32 {
    i32::try_from(number.clamp(0, WHOLE)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usdc(whole: i64) -> Usdc {
        Usdc::whole(whole).unwrap()
    }

    #[test]
    fn skills_are_the_share_of_what_is_asked_for_by_proficiency() {
        assert_eq!(skills(0, 0), 5_000);
        assert_eq!(skills(0, 1), 0);
        assert_eq!((skills(1, 1), skills(4, 1), skills(5, 1)), (2_000, 8_000, 10_000));
        assert_eq!(skills(5, 2), 5_000);
        assert_eq!(skills(3, 2), 3_000);
        // 1/15 is 666.66...: up; 4/15 is 2666.66...; 2/15 is 1333.33...: down.
        assert_eq!((skills(1, 3), skills(2, 3), skills(4, 3)), (667, 1_333, 2_667));
        assert_eq!(skills(75, 15), 10_000);
    }

    #[test]
    fn a_rate_is_held_against_the_range() {
        let range = Some((usdc(20), usdc(40)));
        assert_eq!(budget(None, range), 5_000);
        assert_eq!(budget(Some(usdc(30)), None), 5_000);
        assert_eq!(budget(Some(Usdc(19_999_999)), range), 8_000);
        assert_eq!(budget(Some(usdc(20)), range), 10_000);
        assert_eq!(budget(Some(usdc(40)), range), 10_000);
        // A micro above: 0.99999997 is all of it, rounded.
        assert_eq!(budget(Some(Usdc(40_000_001)), range), 10_000);
        assert_eq!(budget(Some(usdc(41)), range), 9_750);
        assert_eq!(budget(Some(usdc(60)), range), 5_000);
        assert_eq!(budget(Some(usdc(79)), range), 250);
        assert_eq!(budget(Some(usdc(80)), range), 0);
        assert_eq!(budget(Some(usdc(81)), range), 0);
        assert_eq!(budget(Some(Usdc(i64::MAX)), Some((Usdc(1), Usdc(1)))), 0);
    }

    #[test]
    fn a_mean_counts_more_with_more_reviews_up_to_ten() {
        assert_eq!(rating(0, 0), 3_000);
        assert_eq!(rating(500, 1), 7_300);
        assert_eq!(rating(500, 9), 9_700);
        assert_eq!(rating(500, 10), 10_000);
        assert_eq!(rating(500, 11), 10_000);
        assert_eq!(rating(100, 10), 0);
        assert_eq!(rating(300, 10), 5_000);
        // 3.33 of one: 233/400 of .73 is .425225: down; of two: 233/400 of .76 is .4427.
        assert_eq!((rating(333, 1), rating(333, 2)), (4_252, 4_427));
        // 1.02 of ten is 2/400: exactly 50; of nine 48.5: up.
        assert_eq!((rating(102, 10), rating(102, 9)), (50, 49));
    }

    #[test]
    fn running_work_takes_time() {
        let steps: Vec<_> = [0, 1, 3, 4, 5, 6, 1_000].into_iter().map(availability).collect();
        assert_eq!(steps, [10_000, 7_000, 7_000, 4_000, 4_000, 2_000, 2_000]);
    }

    #[test]
    fn success_is_what_was_completed_of_what_ended() {
        assert_eq!(success(0, 0), 5_000);
        assert_eq!((success(0, 1), success(1, 1), success(1, 2)), (0, 10_000, 5_000));
        assert_eq!((success(1, 3), success(2, 3)), (3_333, 6_667));
    }

    const fn factors(skills: i32, budget: i32, rating: i32, availability: i32, success: i32) -> Factors {
        Factors { skills, budget, rating, availability, success }
    }

    #[test]
    fn the_whole_is_weighted_and_rounded_half_up() {
        assert_eq!(factors(10_000, 0, 0, 0, 0).total(), 4_000);
        assert_eq!(factors(0, 10_000, 0, 0, 0).total(), 2_000);
        assert_eq!(factors(0, 0, 10_000, 0, 0).total(), 2_000);
        assert_eq!(factors(0, 0, 0, 10_000, 0).total(), 1_000);
        assert_eq!(factors(0, 0, 0, 0, 10_000).total(), 1_000);
        assert_eq!(factors(10_000, 10_000, 10_000, 10_000, 10_000).total(), 10_000);
        assert_eq!((factors(1, 0, 0, 0, 0).total(), factors(1, 0, 0, 1, 0).total()), (0, 1));
    }

    #[test]
    fn the_best_ten_above_three_tenths_are_shown_ties_by_id() {
        let worth = |total: i32| factors(total, total, total, total, total);
        assert_eq!(best([(1, worth(3_000)), (2, worth(3_001))], BEST), [(2, worth(3_001))]);
        let many = (0..20).rev().map(|id| (id, worth(if id == 15 { 9_000 } else { 5_000 })));
        let ids: Vec<_> = best(many, BEST).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [15, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_newcomer_who_knows_the_half_of_it() {
        let wanted = Wanted { hourly: Some((usdc(20), usdc(40))), skills: 2 };
        let newcomer = Freelancer { hourly_rate: Some(usdc(30)), ..Freelancer::default() };
        let found = Factors::of(&newcomer, &wanted, 5);
        assert_eq!(found, factors(5_000, 10_000, 3_000, 10_000, 5_000));
        assert_eq!(found.total(), 6_100);
    }
}
