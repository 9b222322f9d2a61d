//! What a service's row says: whether it may be asked now, and what becomes of the row.

use chrono::{DateTime, Duration, DurationRound, Utc};
use entities::assistant_meter::Model;

use super::Silence;

/// So many failures in a row, and it rests.
const FAILURES: i32 = 5;
/// The first rest; each further one in a row is twice as long.
const FIRST_REST: Duration = Duration::minutes(1);
/// No rest is longer.
const LONGEST_REST: Duration = Duration::hours(1);
/// After a rest one question is tried, and this long the others wait for what comes of it: longer than a call may take. Should
/// the process die, somebody else tries then.
const TRIAL: Duration = Duration::seconds(30);

/// Leave to ask once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leave {
    /// Whether it tries a service that rested.
    trial: bool,
    /// Whether there were failures before: then an answer has to be noted.
    pub(super) troubled: bool,
}

/// Whether it may be asked for so many, and what the row says then.
pub(super) fn enter(
    row: &Model,
    budget: i64,
    units: i64,
    now: DateTime<Utc>,
) -> Result<(Model, Leave), Silence> {
    if budget == 0 {
        return Err(Silence::Off);
    }
    let (used, resets_at) = match row.resets_at {
        Some(resets_at) if resets_at > now => (row.used, resets_at),
        _ => (0, next_day(now)),
    };
    let used = used.saturating_add(units);
    if used > budget {
        return Err(Silence::Spent { until: resets_at });
    }
    if let Some(until) = row.rests_until.filter(|until| *until > now) {
        return Err(Silence::Resting { until });
    }
    let leave = Leave { trial: row.rests > 0, troubled: row.failures > 0 };
    let rests_until = leave.trial.then(|| now + TRIAL);
    Ok((Model { used, resets_at: Some(resets_at), rests_until, ..row.clone() }, leave))
}

/// Whether this is the question with which four fifths of the budget are used: once a day.
pub(super) fn runs_short(before: &Model, after: &Model, budget: i64) -> bool {
    let much = budget.saturating_sub(budget / 5);
    let used_before = if before.resets_at == after.resets_at { before.used } else { 0 };
    used_before < much && after.used >= much
}

/// It is well.
pub(super) fn answered(row: Model) -> Model {
    Model { failures: 0, rests: 0, rests_until: None, ..row }
}

/// It failed; nothing when that says nothing new.
pub(super) fn failed(row: Model, leave: Leave, now: DateTime<Utc>) -> Option<Model> {
    // Asked before it began to rest: the rest counts these failures already.
    if row.rests > 0 && !leave.trial {
        return None;
    }
    let failures = row.failures.saturating_add(1);
    let (rests, rests_until) = if failures >= FAILURES {
        let rests = row.rests.saturating_add(1);
        (rests, Some(now + rest(rests)))
    } else {
        (row.rests, None)
    };
    Some(Model { failures, rests, rests_until, ..row })
}

/// How long the rest is that is so manieth in a row.
fn rest(number: i32) -> Duration {
    let mut rest = FIRST_REST;
    for _ in 1..number {
        if rest >= LONGEST_REST {
            break;
        }
        rest = rest * 2;
    }
    rest.min(LONGEST_REST)
}

/// The next midnight in UTC.
fn next_day(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = now + Duration::days(1);
    tomorrow.duration_trunc(Duration::days(1)).unwrap_or(tomorrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: i64 = 100;

    fn unused() -> Model {
        Model {
            service: "DRAFTS".to_owned(),
            used: 0,
            resets_at: None,
            failures: 0,
            rests: 0,
            rests_until: None,
        }
    }

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    /// One question that fails, at a moment when it may be asked.
    fn fails(row: &Model, now: DateTime<Utc>) -> Model {
        let (asked, leave) = enter(row, BUDGET, 1, now).unwrap();
        failed(asked, leave, now).unwrap()
    }

    fn resting() -> Model {
        (0..FAILURES).fold(unused(), |row, _| fails(&row, noon()))
    }

    #[test]
    fn a_budget_is_used_to_the_last_and_begins_anew_at_midnight() {
        let midnight = "2026-03-02T00:00:00Z".parse().unwrap();
        let (row, _) = enter(&unused(), BUDGET, 99, noon()).unwrap();
        assert_eq!((row.used, row.resets_at), (99, Some(midnight)));
        assert_eq!(enter(&row, BUDGET, 2, noon()), Err(Silence::Spent { until: midnight }));
        let (row, _) = enter(&row, BUDGET, 1, noon()).unwrap();
        let late = midnight - Duration::microseconds(1);
        assert_eq!(enter(&row, BUDGET, 1, late), Err(Silence::Spent { until: midnight }));
        let (row, _) = enter(&row, BUDGET, 1, midnight).unwrap();
        assert_eq!((row.used, row.resets_at), (1, Some(midnight + Duration::days(1))));
        assert_eq!(
            enter(&row, BUDGET, i64::MAX, midnight).unwrap_err(),
            Silence::Spent { until: midnight + Duration::days(1) }
        );
        assert_eq!(enter(&unused(), 0, 1, noon()), Err(Silence::Off));
    }

    #[test]
    fn it_is_said_once_a_day_that_the_budget_runs_short() {
        let mut row = unused();
        let mut said = Vec::new();
        for number in 1..=BUDGET {
            let (next, _) = enter(&row, BUDGET, 1, noon()).unwrap();
            said.extend(runs_short(&row, &next, BUDGET).then_some(number));
            row = next;
        }
        assert_eq!(said, [80]);
        let (next, _) = enter(&row, BUDGET, 80, noon() + Duration::days(1)).unwrap();
        assert!(runs_short(&row, &next, BUDGET));
    }

    #[test]
    fn five_failures_in_a_row_are_a_minutes_rest() {
        let mut row = unused();
        for number in 1..FAILURES {
            row = fails(&row, noon());
            assert_eq!((row.failures, row.rests, row.rests_until), (number, 0, None));
        }
        // An answer between them begins the row anew.
        let well = answered(row.clone());
        assert_eq!(well, Model { used: row.used, resets_at: row.resets_at, ..unused() });
        let until = noon() + Duration::minutes(1);
        row = fails(&row, noon());
        assert_eq!((row.rests, row.rests_until), (1, Some(until)));
        assert_eq!(
            enter(&row, BUDGET, 1, until - Duration::microseconds(1)),
            Err(Silence::Resting { until })
        );
        assert!(enter(&row, BUDGET, 1, until).is_ok());
    }

    #[test]
    fn each_rest_is_twice_as_long_up_to_an_hour() {
        let (mut row, mut now, mut rests) = (resting(), noon(), Vec::new());
        for _ in 0..9 {
            let until = row.rests_until.unwrap();
            rests.push((until - now).num_minutes());
            now = until;
            row = fails(&row, now);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(rest(i32::MAX), LONGEST_REST);
        let (asked, leave) = enter(&row, BUDGET, 1, row.rests_until.unwrap()).unwrap();
        assert!(leave.trial && leave.troubled);
        assert_eq!((answered(asked.clone()).rests, answered(asked).rests_until), (0, None));
    }

    #[test]
    fn after_a_rest_one_tries_and_the_others_wait() {
        let row = resting();
        let now = row.rests_until.unwrap();
        let (tried, _) = enter(&row, BUDGET, 1, now).unwrap();
        let until = now + TRIAL;
        assert_eq!(enter(&tried, BUDGET, 1, now), Err(Silence::Resting { until }));
        // Nothing came of it, not even a failure: the process is gone.
        assert!(enter(&tried, BUDGET, 1, until).is_ok());
    }

    #[test]
    fn what_was_asked_before_the_rest_makes_it_no_longer() {
        let (_, leave) = enter(&unused(), BUDGET, 1, noon()).unwrap();
        assert_eq!(failed(resting(), leave, noon() + Duration::seconds(20)), None);
    }
}
