//! Whatever people do in whatever order, states and balances are those of a few lines of plain arithmetic.
//!
//! Random sequences go through the API and the sandbox's chain, and through `plan`, which knows no database, no job and no
//! posting; after each step both have to agree. MODEL_CASES says how many sequences there are: a few unless said otherwise
//! (`just model`).

mod plan;
mod steps;

use std::cell::Cell;

use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

use plan::{Op, Paid, Part, Plan};
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

#[test]
fn random_sequences_agree_with_plain_arithmetic() {
    let cases =
        std::env::var("MODEL_CASES").map_or(6, |cases| cases.parse().expect("MODEL_CASES is a number"));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (steps, accepted) = (Cell::new(0), Cell::new(0));
    let ran = TestRunner::new(config).run(&ops(), |ops| {
        accepted.set(accepted.get() + runtime.block_on(sequence(&ops)));
        steps.set(steps.get() + ops.len());
        Ok(())
    });
    let (steps, accepted) = (steps.get(), accepted.get());
    match ran {
        Ok(()) => println!("{cases} sequences of {steps} steps, {accepted} of them accepted: all agree"),
        Err(TestError::Fail(why, ops)) => panic!("{why}\nafter {ops:?}"),
        Err(TestError::Abort(why)) => panic!("given up: {why}"),
    }
    assert!(
        accepted * 4 > steps,
        "the sequences do hardly anything: {accepted} of {steps} steps were accepted"
    );
}

/// Goes through one sequence; how many steps were accepted.
async fn sequence(ops: &[Op]) -> usize {
    let world = World::begin(&Plan::MILESTONES).await;
    let mut plan = Plan::new();
    let mut accepted = 0;
    for op in ops {
        let expected = plan.take(*op);
        let amount = plan.sent;
        assert_eq!(world.take(*op, amount).await, expected, "{op:?}: whether it is accepted");
        assert_eq!(world.look().await, plan.picture(), "after {op:?}");
        accepted += usize::from(expected);
    }
    world.end().await;
    accepted
}
