//! ISO 8601 durations, as far as they are the same length everywhere: no years, no months.

use chrono::Duration;

/// The longest that the clock is moved at once.
const LONGEST: Duration = Duration::days(3_660);

/// The units before the `T`, and after it, in seconds.
const DATE: &[(char, i64)] = &[('W', 604_800), ('D', 86_400)];
const TIME: &[(char, i64)] = &[('H', 3_600), ('M', 60), ('S', 1)];

/// Reads `P2W`, `P3D`, `PT1H30M`, `P1DT12H`. `None` for anything else, for nothing, and for too much.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let rest = text.trim().strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    let mut whole = Duration::zero();
    for (part, units) in [(date, DATE), (time, TIME)] {
        whole = whole.checked_add(&sum(part, units)?)?;
    }
    (whole > Duration::zero() && whole <= LONGEST).then_some(whole)
}

/// A row of numbers with units, the larger units first, each at most once.
fn sum(mut part: &str, units: &[(char, i64)]) -> Option<Duration> {
    let mut units = units.iter();
    let mut seconds = 0_i64;
    while !part.is_empty() {
        let end = part.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = part[..end].parse().ok()?;
        let unit = part[end..].chars().next()?;
        let (_, each) = units.find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(number.checked_mul(*each)?)?;
        part = &part[end + unit.len_utf8()..];
    }
    Duration::try_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_one_length_are_taken() {
        for (text, seconds) in
            [("P3D", 259_200), ("PT15M", 900), ("PT36H", 129_600), ("P1DT12H", 129_600), ("P2W", 1_209_600)]
        {
            assert_eq!(parse(text), Duration::try_seconds(seconds), "{text}");
        }
        for text in
            ["", "P", "PT", "P1Y", "P1M", "3D", "P-1D", "PT1", "P1D1D", "PT1S1M", "P0D", "P1DT", "P99999W"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
