//! Every failpoint, passed for the first time and again, on the way of a deposit, a release, a refund and a payout by Circle: each ends as it
//! should within two leases, once, and the books hold.
//!
//! How often a point is passed before it is tried no further: FAULT_PASSES, one unless said otherwise: CI says two, `just faults` six.

mod journey;
mod proxy;

use domain::fault::POINTS;

use journey::{Fault, Journey, Mode, Way};

/// The points on the way of a deposit.
const OF_DEPOSIT: [&str; 8] = [
    "payment.intent",
    "payment.lock",
    "deposit.answer",
    "deposit.record",
    "payment.record",
    "ledger.post",
    "notify.write",
    "job.end",
];
/// Those on the way of what is paid out.
const OF_PAYOUT: [&str; 10] = [
    "payment.intent",
    "payment.lock",
    "payout.sign",
    "payout.persist",
    "payout.send",
    "payout.answer",
    "payment.record",
    "ledger.post",
    "notify.write",
    "job.end",
];

/// Those on the way of what Circle pays out.
const OF_CIRCLE: [&str; 9] = [
    "payment.intent",
    "payment.lock",
    "circle.persist",
    "circle.send",
    "circle.answer",
    "payment.record",
    "ledger.post",
    "notify.write",
    "job.end",
];

fn passes() -> u32 {
    std::env::var("FAULT_PASSES").map_or(1, |passes| passes.parse().expect("FAULT_PASSES is a number"))
}

/// Every point of a way fails in this mode: when it is first passed, then when it is passed the second time, and so on.
#[expect(clippy::print_stdout, reason = "the figures of `just faults`")]
async fn every_point(way: Way, mode: Mode) {
    let mut journey = Journey::begin(way).await;
    let (mut tried, mut longest) = (0, 0);
    let points: &[&'static str] = match way {
        Way::Deposit => &OF_DEPOSIT,
        Way::Release | Way::Refund => &OF_PAYOUT,
        Way::Circle => &OF_CIRCLE,
    };
    for &point in points {
        // Where the end of a job is not written there is no code of ours that could fail but by dying.
        if point == "job.end" && mode != Mode::Crash {
            continue;
        }
        for pass in 0..passes() {
            let fault = Fault { point, mode, pass };
            match Box::pin(journey.go(way, &fault)).await {
                Some(seconds) => {
                    tried += 1;
                    longest = longest.max(seconds);
                }
                None => {
                    assert!(pass > 0, "{way:?} never comes by {point}");
                    break;
                }
            }
        }
    }
    println!("{way:?}, {mode:?}: {tried} faults, 0 violations, recovered in {longest} s at the most");
    journey.end().await;
}

macro_rules! every {
    ($($name:ident: $way:ident, $mode:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            every_point(Way::$way, Mode::$mode).await;
        }
    )*};
}

every! {
    a_deposit_survives_an_error_anywhere: Deposit, Error;
    a_deposit_survives_a_panic_anywhere: Deposit, Panic;
    a_deposit_survives_a_crash_anywhere: Deposit, Crash;
    a_release_survives_an_error_anywhere: Release, Error;
    a_release_survives_a_panic_anywhere: Release, Panic;
    a_release_survives_a_crash_anywhere: Release, Crash;
    a_refund_survives_an_error_anywhere: Refund, Error;
    a_refund_survives_a_panic_anywhere: Refund, Panic;
    a_refund_survives_a_crash_anywhere: Refund, Crash;
    a_payout_by_circle_survives_an_error_anywhere: Circle, Error;
    a_payout_by_circle_survives_a_panic_anywhere: Circle, Panic;
    a_payout_by_circle_survives_a_crash_anywhere: Circle, Crash;
}

/// A point that no way tries, or that nobody can look up, is of no use.
#[test]
fn every_point_is_tried_and_explained() {
    let explained = include_str!("../../docs/FAULTS.md");
    for point in POINTS {
        let tried = OF_DEPOSIT.contains(&point) || OF_PAYOUT.contains(&point) || OF_CIRCLE.contains(&point);
        assert!(tried, "no way tries {point}");
        assert!(explained.contains(&format!("`{point}`")), "docs/FAULTS.md does not name {point}");
    }
}
