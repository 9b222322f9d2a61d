//! Days, ISO weeks and months in UTC, pure.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

/// The beginning of the bucket that a moment is in. One exactly at a border is in the bucket that begins there.
fn start_of(interval: Interval, at: DateTime<Utc>) -> Option<NaiveDate> {
    let day = at.date_naive();
    match interval {
        Interval::Day => Some(day),
        Interval::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
        Interval::Month => day.with_day(1),
    }
}

fn next(interval: Interval, start: NaiveDate) -> Option<NaiveDate> {
    match interval {
        Interval::Day => start.succ_opt(),
        Interval::Week => start.checked_add_days(Days::new(7)),
        Interval::Month => start.checked_add_months(Months::new(1)),
    }
}

/// Midnight, UTC.
pub(super) const fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The beginnings of the buckets from the one that `from` is in to the last one that begins before `to`; none when they
/// are more than `most`.
pub(super) fn starts(
    interval: Interval,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
) -> Option<Vec<DateTime<Utc>>> {
    let mut starts = Vec::new();
    let mut day = start_of(interval, from)?;
    while midnight(day) < to {
        if starts.len() == most {
            return None;
        }
        starts.push(midnight(day));
        day = next(interval, day)?;
    }
    Some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(interval: Interval, from: &str, to: &str) -> Option<Vec<String>> {
        let starts = starts(interval, from.parse().expect("a time"), to.parse().expect("a time"), 400)?;
        Some(starts.iter().map(|start| start.format("%F %T").to_string()).collect())
    }

    #[test]
    fn borders_belong_to_what_they_begin() {
        assert_eq!(
            given(Interval::Day, "2026-02-28T00:00:00Z", "2026-03-02T00:00:00Z"),
            Some(vec!["2026-02-28 00:00:00".to_owned(), "2026-03-01 00:00:00".to_owned()])
        );
        assert_eq!(
            given(Interval::Day, "2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00.000001Z")
                .map(|s| s.len()),
            Some(2)
        );
        // 2026-01-01 is a Thursday: its ISO week began in the year before.
        assert_eq!(
            given(Interval::Week, "2026-01-01T12:00:00Z", "2026-01-12T00:00:00Z"),
            Some(vec!["2025-12-29 00:00:00".to_owned(), "2026-01-05 00:00:00".to_owned()])
        );
        assert_eq!(
            given(Interval::Month, "2026-01-31T12:00:00Z", "2026-03-01T00:00:00Z"),
            Some(vec!["2026-01-01 00:00:00".to_owned(), "2026-02-01 00:00:00".to_owned()])
        );
    }

    #[test]
    fn there_are_at_most_as_many_as_asked_for() {
        let days = |to: &str| given(Interval::Day, "2026-01-01T00:00:00Z", to).map(|starts| starts.len());
        assert_eq!(days("2027-02-05T00:00:00Z"), Some(400));
        assert_eq!(days("2027-02-05T00:00:00.000001Z"), None);
        assert_eq!(days("9999-12-31T00:00:00Z"), None);
    }
}
