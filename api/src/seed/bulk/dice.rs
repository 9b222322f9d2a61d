//! A reproducible source of choices, ids and moments.

use chrono::{DateTime, Duration, Utc};
use domain::entities::Usdc;
use uuid::{Builder, Uuid};

/// SplitMix64, as published by Steele, Lea and Flood.
pub(super) struct Dice(u64);

impl Dice {
    /// Dice of one step: a larger scale begins with what a smaller one made.
    pub(super) fn of(seed: u64, step: u32) -> Self {
        let mut dice = Self(seed ^ (u64::from(step) << 32));
        dice.next();
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number from 0 up to, not including, this one.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap_or(0)
    }

    /// A number within these, both included.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// One of some.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T; 8]) -> &'a T {
        &from[(self.next() % 8) as usize]
    }

    /// So many whole USDC.
    pub(super) fn usdc(&mut self, least: u32, most: u32) -> Usdc {
        whole(self.between(least, most))
    }

    /// An id as if it had been made then: lists in order of ids are lists in order of time.
    pub(super) fn id<I: From<Uuid>>(&mut self, at: DateTime<Utc>) -> I {
        let mut random = [0; 10];
        for (byte, from) in
            random.iter_mut().zip(self.next().to_be_bytes().into_iter().chain(self.next().to_be_bytes()))
        {
            *byte = from;
        }
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        I::from(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// So many hours later, and some odd minutes.
    pub(super) fn later(&mut self, at: DateTime<Utc>, least: u32, most: u32) -> DateTime<Utc> {
        let (hours, minutes) = (self.between(least, most), self.below(60));
        at + Duration::hours(hours.into()) + Duration::minutes(minutes.into())
    }
}

/// Whole USDC.
pub(super) const fn whole(usdc: u32) -> Usdc {
    // A u32 of dollars is far below what 63 bits of micro-dollars hold.
    Usdc(usdc as i64 * Usdc::SCALE)
}
