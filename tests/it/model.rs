//! Whatever people do in whatever order, states and balances are those of a few lines of plain arithmetic.
//!
//! Random sequences go through the API and the sandbox's chain, and through `plan`, which knows no database, no job and no
//! posting; after each step both have to agree. Very many more go through `pure`, the state machines and the division of fees
//! with a ledger in memory. MODEL_CASES and PURE_CASES say how many sequences there are (`just model`).

mod plan;
mod pure;
mod steps;

use std::cell::Cell;

use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

use plan::{Op, Paid, Part, Plan};
use pure::Pure;
use steps::World;

/// In the order of how often people do it.
fn op() -> impl Strategy<Value = Op> {
    let milestone = 0..Plan::MILESTONES.len();
    let paid = prop_oneof![
        4 => Just(Paid::Exactly),
        1 => Just(Paid::Half),
        1 => Just(Paid::Over),
        1 => Just(Paid::OverByDust),
    ];
    let part = prop_oneof![Just(Part::All), Just(Part::Some), Just(Part::None)];
    prop_oneof![
        4 => milestone.clone().prop_map(Op::Fund),
        6 => (0..3_usize, paid).prop_map(|(which, how)| Op::Pay(which, how)),
        1 => (0..3_usize).prop_map(Op::PayInVain),
        4 => milestone.clone().prop_map(Op::Submit),
        2 => milestone.clone().prop_map(Op::RequestChanges),
        4 => milestone.clone().prop_map(Op::Approve),
        2 => (milestone.clone(), prop_oneof![Just(Part::All), Just(Part::Some)]).prop_map(|(i, part)| Op::Refund(i, part)),
        2 => (milestone, part).prop_map(|(i, part)| Op::Dispute(i, part)),
        1 => Just(Op::Bonus),
        1 => Just(Op::Wait),
        1 => Just(Op::Terminate),
    ]
}

/// A contract that begins with money, since most of what can be wrong comes after it.
fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 3..14)
        .prop_map(|later| [Op::Fund(0), Op::Pay(0, Paid::Exactly)].into_iter().chain(later).collect())
}

fn cases(name: &str, else_so_many: u32) -> u32 {
    std::env::var(name).map_or(else_so_many, |cases| cases.parse().expect("a number of cases"))
}

/// Runs so many sequences; what they are counted by is how many of their steps were accepted.
#[expect(clippy::print_stdout, reason = "the figures of `just model`")]
fn run(what: &str, cases: u32, sequence: impl Fn(&[Op]) -> usize) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let (steps, accepted) = (Cell::new(0), Cell::new(0));
    let ran = TestRunner::new(config).run(&ops(), |ops| {
        accepted.set(accepted.get() + sequence(&ops));
        steps.set(steps.get() + ops.len());
        Ok(())
    });
    let (steps, accepted) = (steps.get(), accepted.get());
    match ran {
        Ok(()) => println!("{what}: {cases} sequences of {steps} steps, {accepted} accepted: all agree"),
        Err(TestError::Fail(why, ops)) => panic!("{why}\nafter {ops:?}"),
        Err(TestError::Abort(why)) => panic!("given up: {why}"),
    }
    assert!(
        accepted * 4 > steps,
        "the sequences do hardly anything: {accepted} of {steps} steps were accepted"
    );
}

#[test]
fn random_sequences_agree_with_plain_arithmetic() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    run("API, jobs and chain", cases("MODEL_CASES", 6), |ops| runtime.block_on(through_the_api(ops)));
}

#[test]
fn the_state_machines_agree_with_plain_arithmetic() {
    run("state machines and fees", cases("PURE_CASES", 2_000), in_memory);
}

async fn through_the_api(ops: &[Op]) -> usize {
    let world = World::begin(&Plan::MILESTONES).await;
    let mut plan = Plan::new();
    let mut accepted = 0;
    for op in ops {
        let expected = plan.take(*op);
        assert_eq!(world.take(*op, plan.sent).await, expected, "{op:?}: whether it is accepted");
        assert_eq!(world.look().await, plan.picture(), "after {op:?}");
        accepted += usize::from(expected);
    }
    world.end().await;
    accepted
}

fn in_memory(ops: &[Op]) -> usize {
    let (mut pure, mut plan) = (Pure::begin(&Plan::MILESTONES), Plan::new());
    let mut accepted = 0;
    for op in ops {
        let expected = plan.take(*op);
        assert_eq!(pure.take(*op, plan.sent), expected, "{op:?}: whether it is accepted");
        assert_eq!(pure.look(), plan.picture(), "after {op:?}");
        accepted += usize::from(expected);
    }
    accepted
}
