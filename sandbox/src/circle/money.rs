//! Amounts as Circle writes them: decimal strings, here counted in millionths.

/// Millionths of a dollar from `12`, `12.5` or `12.500000`; `None` for anything else, a seventh decimal too.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let micro: i64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micro)
}

/// With the decimals it needs, at least two.
pub(super) fn show(micro: i64) -> String {
    let (sign, micro) = (if micro < 0 { "-" } else { "" }, micro.unsigned_abs());
    let part = format!("{:06}", micro % 1_000_000);
    let short = part.trim_end_matches('0');
    format!("{sign}{}.{short:0<2}", micro / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, micro) in [("12", 12_000_000), ("12.5", 12_500_000), ("0.000001", 1), ("1.10", 1_100_000)]
        {
            assert_eq!(parse(text), Some(micro), "{text}");
        }
        for text in ["", ".", "1.", ".5", "-1", "1.0000001", "1e3", "1,5", "9223372036855"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for (micro, text) in [(0, "0.00"), (12_500_000, "12.50"), (1, "0.000001"), (-1_000_000, "-1.00")] {
            assert_eq!(show(micro), text);
        }
    }
}
