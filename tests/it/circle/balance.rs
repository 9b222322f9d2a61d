//! The balance at Circle against the books, and moves on their way between the rails.

use chrono::Duration;
use domain::{
    entities::{PaymentRail, ReconciliationOutcome as Outcome, reconciliation},
    ledger::verify,
    treasury::reconcile::{last_on, reconcile},
};
use serde_json::{Value, json};

use super::{
    World,
    moves::{back, come_back, record},
};
use crate::support::{new_key, ok, text};

pub(super) const RESUME: &str = "mutation($input: OutgoingResumeInput!) { outgoingResume(input: $input) {
    userErrors { field code message } } }";

impl World {
    /// Compares both rails; what came of the chain's and of Circle's.
    pub(super) async fn compared(&self) -> [reconciliation::Model; 2] {
        let app = &self.app.app;
        reconcile(app).await.unwrap();
        let on = async |rail| last_on(app.db.reader(), rail).await.unwrap().unwrap();
        [on(PaymentRail::Chain).await, on(PaymentRail::Circle).await]
    }

    pub(super) async fn outcomes(&self) -> [Outcome; 2] {
        self.compared().await.map(|row| row.outcome)
    }

    pub(super) async fn treasury(&self) -> Value {
        let query = "{ treasury { atCircle { amount } atCircleInLedger { amount } circleDifference { amount } costsInLedger { amount }
            lastCircleReconciliation { rail outcome acknowledged blockNumber onChain { amount } expected { amount }
            difference { amount } } outgoingPaused { reason by { id } } } }";
        let answer = self.app.gql(&self.admin.token, query, json!({})).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"]["treasury"].clone()
    }

    pub(super) async fn is_paused(&self) -> bool {
        self.treasury().await["outgoingPaused"].is_object()
    }
}

/// From the order to its end, on both sides.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_under_way_is_no_difference_at_circle() {
    let world = World::new(&[100]).await;
    world.app.mine(4).await;
    let release = world.approve(0).await;
    for _ in 0..4 {
        world.after(6).await;
        let [chain, circle] = world.compared().await;
        assert_eq!((chain.outcome, circle.outcome), (Outcome::Ok, Outcome::Ok), "{chain:?} {circle:?}");
    }
    world.app.settle().await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    let seen = world.treasury().await;
    assert_eq!(
        (
            &seen["atCircle"]["amount"],
            &seen["atCircleInLedger"]["amount"],
            &seen["circleDifference"]["amount"]
        ),
        (&json!("10.00"), &json!("10.00"), &json!("0.00"))
    );
    let last = &seen["lastCircleReconciliation"];
    assert_eq!(
        (&last["rail"], &last["outcome"], &last["blockNumber"]),
        (&json!("CIRCLE"), &json!("OK"), &Value::Null)
    );
    world.app.finish().await;
}

/// Less at Circle than in the books: alert and outgoing payments pause, once, as for the chain.
#[tokio::test(flavor = "multi_thread")]
async fn rule_money_missing_at_circle_pauses_what_goes_out() {
    let world = World::new(&[100]).await;
    world.app.mine(4).await;
    world.circle().fund(-1).unwrap();
    let [chain, circle] = world.compared().await;
    assert_eq!((chain.outcome, circle.outcome), (Outcome::Ok, Outcome::Less));
    assert_eq!(circle.difference.unwrap().micro(), -1);
    let checked = verify::at_circle(&world.app.app).await.unwrap().expect("there is a Circle");
    assert_eq!(checked.problems, ["by the books 100.00 USDC: a difference of -0.000001 USDC"]);
    let seen = world.treasury().await;
    assert_eq!(seen["outgoingPaused"]["by"], Value::Null);
    assert!(text(&seen["outgoingPaused"]["reason"]).starts_with("Circle holds less"), "{seen}");
    assert_eq!(seen["circleDifference"]["amount"], "-0.000001");
    let release = world.approve(0).await;
    world.app.drain().await;
    assert!(world.standing(&release).await.starts_with("ON_HOLD: Circle holds less"));
    world.compared().await;
    world.app.drain().await;
    assert_eq!(world.mails(&world.admin, "Our account at Circle holds less than the books say"), 1);

    // Who ends a pause that was made for it knows of it; not of what is missing since.
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);
    world.compared().await;
    assert!(!world.is_paused().await);
    assert_eq!(world.treasury().await["lastCircleReconciliation"]["acknowledged"], json!(true));
    world.circle().fund(-1).unwrap();
    world.compared().await;
    assert!(world.is_paused().await);
    world.circle().fund(2).unwrap();
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);
    // More is an alert only.
    world.circle().fund(5).unwrap();
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::More]);
    assert!(!world.is_paused().await);
    world.circle().fund(-5).unwrap();
    world.app.drain().await;
    world.after(11).await;
    world.after(11).await;
    assert_eq!(world.standing(&release).await, "COMPLETED");
    world.app.finish().await;
}

/// In none of its moments: mined and not final, recorded and not read by the scanner, not at Circle yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_circle_is_no_difference_on_either_rail() {
    let world = World::new(&[100]).await;
    let more = world.app.deal_of("carl", "fred", &[50]).await;
    world.app.funded(&more, &more.milestones[0]).await;
    world.app.mine(4).await;
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);

    let hash = world.leave_the_chain(20).await;
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    world.app.make_final();
    ok(record(&world.app, &world.admin, "20", &hash, &new_key()).await);
    let [chain, circle] = world.compared().await;
    assert_eq!((chain.outcome, circle.outcome), (Outcome::Ok, Outcome::Skipped), "{chain:?} {circle:?}");
    assert!(circle.reason.unwrap().contains("not there yet"));
    for _ in 0..5 {
        world.app.mine(1).await;
        assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Skipped]);
    }
    world.circle().fund(20_000_000).unwrap();
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);

    // Gone, there, and recorded only then.
    let hash = world.leave_the_chain(30).await;
    world.circle().fund(30_000_000).unwrap();
    world.app.evm.mine(4).unwrap();
    world.app.mine(1).await;
    let [chain, circle] = world.compared().await;
    assert_eq!((chain.outcome, circle.outcome), (Outcome::Skipped, Outcome::Skipped), "{chain:?} {circle:?}");
    assert!(chain.reason.unwrap().contains("record it with treasuryMove"));
    assert!(!world.is_paused().await);
    ok(record(&world.app, &world.admin, "30", &hash, &new_key()).await);
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    world.app.finish().await;
}

/// A day is long enough for a move: then it is missing.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_move_that_does_not_come_to_circle_within_a_day_is_missing() {
    let world = World::new(&[100]).await;
    let more = world.app.deal_of("carl", "fred", &[50]).await;
    world.app.funded(&more, &more.milestones[0]).await;
    let hash = world.leave_the_chain(20).await;
    world.app.make_final();
    ok(record(&world.app, &world.admin, "20", &hash, &new_key()).await);
    world.app.advance(Duration::hours(24) - Duration::seconds(1));
    assert_eq!(world.outcomes().await[1], Outcome::Skipped);
    world.app.advance(Duration::seconds(1));
    assert_eq!(world.outcomes().await[1], Outcome::Less);
    assert!(world.is_paused().await);
    world.circle().fund(20_000_000).unwrap();
    assert_eq!(world.outcomes().await[1], Outcome::Ok);
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);
    world.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_from_circle_is_not_missing_there_until_it_is_recorded() {
    let world = World::new(&[100]).await;
    let arrived = come_back(&world, 30_000_000).await;
    let [chain, circle] = world.compared().await;
    assert_eq!((chain.outcome, circle.outcome), (Outcome::Ok, Outcome::Skipped), "{chain:?} {circle:?}");
    assert!(circle.reason.unwrap().contains("treasuryMove"));
    assert!(!world.is_paused().await);
    // Another amount is missing all the same.
    world.circle().fund(-1).unwrap();
    assert_eq!(world.outcomes().await[1], Outcome::Less);
    world.circle().fund(1).unwrap();
    ok(world.app.mutate(&world.admin.token, RESUME, json!({})).await);
    ok(back(&world.app, &world.admin, "30", Some(&arrived), &new_key()).await);
    assert_eq!(world.outcomes().await, [Outcome::Ok, Outcome::Ok]);
    world.app.finish().await;
}
