//! Milestones whose time runs: reminders, the automatic release, and what goes on beside a dispute.

use chrono::{DateTime, Duration, Utc};
use domain::{
    entities::{
        ContractId, ContractStatus, MilestoneId, MilestoneStatus, PaymentId, contract, milestone, payment,
    },
    milestone::{AUTO_RELEASE, REMIND_BEFORE, release_overdue, remind},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

/// When the milestone is released by itself.
async fn releases_at(app: &TestApp, deal: &Deal, milestone: &str) -> Option<DateTime<Utc>> {
    let query = "query($id: ID!) { node(id: $id) { ... on Milestone { autoReleaseAt } } }";
    let answer = app.gql(&deal.client.token, query, json!({ "id": milestone })).await;
    answer["data"]["node"]["autoReleaseAt"].as_str().map(|at| at.parse().unwrap())
}

/// Moves the clock to a moment.
fn go_to(app: &TestApp, at: DateTime<Utc>) {
    app.advance(at - app.app.clock.now());
}

fn subjects(app: &TestApp, who: &Someone, subject: &str) -> usize {
    app.mails(&who.email).iter().filter(|mail| mail.subject == subject).count()
}

async fn freeze(app: &TestApp, deal: &Deal, milestone: &str) {
    let id: MilestoneId = milestone.parse().unwrap();
    let change = milestone::ActiveModel {
        id: Set(id),
        status: Set(MilestoneStatus::Disputed),
        returns_to: Set(Some(MilestoneStatus::Submitted)),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
    let id: ContractId = deal.contract.parse().unwrap();
    let change =
        contract::ActiveModel { id: Set(id), status: Set(ContractStatus::Disputed), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
}

async fn request_changes(app: &TestApp, deal: &Deal, milestone: &str) -> serde_json::Value {
    let query = "mutation($input: MilestoneRequestChangesInput!) { milestoneRequestChanges(input: $input) {
        milestone { status } userErrors { field code message } } }";
    app.mutate(&deal.client.token, query, json!({ "milestoneId": milestone, "feedback": "More." })).await
}

/// Milestone: Submitted and unanswered for 14 days: released automatically; `autoReleaseAt` is visible.
#[tokio::test(flavor = "multi_thread")]
async fn rule_unanswered_work_is_released_after_14_days() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let part = &deal.milestones[0];
    app.submitted(&deal, part).await;
    let at = releases_at(&app, &deal, part).await.unwrap();
    assert_eq!(at, app.app.clock.now() + Duration::days(14));
    go_to(&app, at - Duration::microseconds(1));
    assert_eq!(release_overdue(&app.app).await.unwrap(), 0);
    assert_eq!(app.status_of(&deal, part).await, "SUBMITTED");
    go_to(&app, at);
    assert_eq!(release_overdue(&app.app).await.unwrap(), 1);
    assert_eq!(app.status_of(&deal, part).await, "APPROVED");
    assert_eq!(releases_at(&app, &deal, part).await, None);
    assert_eq!(release_overdue(&app.app).await.unwrap(), 0, "once");
    assert_eq!(errors(&app.approve(&deal, part, &new_key()).await), ["milestoneId:ILLEGAL_STATE"]);
    app.settle().await;
    assert_eq!(app.status_of(&deal, part).await, "PAID");
    // The same money as by an approval, started by nobody.
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    let payments =
        app.contract_of(&deal, "payments { nodes { id kind } }").await["payments"]["nodes"].clone();
    let release = payments.as_array().unwrap().iter().find(|row| row["kind"] == "RELEASE").unwrap();
    let id: PaymentId = text(&release["id"]).parse().unwrap();
    let row = payment::Entity::find_by_id(id).one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!(row.started_by, None);
    for person in [&deal.client, &deal.freelancer] {
        assert_eq!(subjects(&app, person, "Part 1 is released"), 1);
    }
    app.finish().await;
}

/// Milestone: three days before both are reminded.
#[tokio::test(flavor = "multi_thread")]
async fn rule_both_sides_are_reminded_three_days_before_the_release() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let part = &deal.milestones[0];
    app.submitted(&deal, part).await;
    let subject = "Part 1 is about to be released";
    for round in 1..=2 {
        let at = releases_at(&app, &deal, part).await.unwrap();
        go_to(&app, at - Duration::days(3) - Duration::microseconds(1));
        assert_eq!(remind(&app.app).await.unwrap(), 0);
        go_to(&app, at - Duration::days(3));
        assert_eq!(remind(&app.app).await.unwrap(), 1);
        go_to(&app, at - Duration::days(1));
        assert_eq!(remind(&app.app).await.unwrap(), 0, "once");
        app.drain().await;
        for person in [&deal.client, &deal.freelancer] {
            assert_eq!(subjects(&app, person, subject), round);
        }
        // What is handed in anew is reminded of anew.
        ok(request_changes(&app, &deal, part).await);
        app.submit(&deal, part).await;
    }
    assert_eq!(REMIND_BEFORE, Duration::days(3));
    app.finish().await;
}

/// Milestone: a dispute stops it.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_dispute_stops_the_automatic_release() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let part = &deal.milestones[0];
    app.submitted(&deal, part).await;
    freeze(&app, &deal, part).await;
    app.advance(AUTO_RELEASE);
    assert_eq!(remind(&app.app).await.unwrap(), 0);
    assert_eq!(release_overdue(&app.app).await.unwrap(), 0);
    assert_eq!(app.status_of(&deal, part).await, "DISPUTED");
    app.finish().await;
}

/// An answer stops the clock; a refund in part holds it up, and gives back the time it took.
#[tokio::test(flavor = "multi_thread")]
async fn answers_and_refunds_beside_the_automatic_release() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let [answered, refunded] = &deal.milestones[..] else { panic!("two milestones") };
    app.submitted(&deal, answered).await;
    ok(request_changes(&app, &deal, answered).await);
    app.submitted(&deal, refunded).await;
    let at = releases_at(&app, &deal, refunded).await.unwrap();
    go_to(&app, at - Duration::days(1));
    remind(&app.app).await.unwrap();
    let refund = ok(app.refund(&deal, refunded, Some("20"), &new_key()).await);
    // Under way, nobody can answer: it is not there to be released.
    assert_eq!(releases_at(&app, &deal, refunded).await, None);
    go_to(&app, at + Duration::days(3));
    assert_eq!(release_overdue(&app.app).await.unwrap(), 0);
    app.settle().await;
    let over: DateTime<Utc> =
        text(&app.payment(&deal.client, &text(&refund["payment"]["id"])).await["completedAt"])
            .parse()
            .unwrap();
    let again = releases_at(&app, &deal, refunded).await.unwrap();
    assert_eq!(again, over + Duration::days(1), "a day was left, and a day is left");
    remind(&app.app).await.unwrap();
    app.drain().await;
    assert_eq!(subjects(&app, &deal.client, "Part 2 is about to be released"), 2, "of another time");
    go_to(&app, again - Duration::microseconds(1));
    assert_eq!(release_overdue(&app.app).await.unwrap(), 0);
    go_to(&app, again);
    // The scheduled task may have been there already.
    release_overdue(&app.app).await.unwrap();
    assert_eq!(app.status_of(&deal, refunded).await, "APPROVED");
    app.settle().await;
    assert_eq!(app.status_of(&deal, refunded).await, "PAID");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 27_000_000);
    assert_eq!(app.status_of(&deal, answered).await, "FUNDED");
    app.finish().await;
}

/// A part that is given back is 1 USDC at least: each costs gas, and keeps the client from answering for a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_a_part_is_one_usdc_at_least() {
    let app = TestApp::start().await;
    let deal = app.deal(&[2]).await;
    let part = &deal.milestones[0];
    app.submitted(&deal, part).await;
    let short = app.refund(&deal, part, Some("0.999999"), &new_key()).await;
    assert_eq!(errors(&short), ["amount:OUT_OF_RANGE"]);
    ok(app.refund(&deal, part, Some("1"), &new_key()).await);
    app.settle().await;
    // What is left may always go, however little it is.
    ok(app.refund(&deal, part, Some("1"), &new_key()).await);
    app.settle().await;
    assert_eq!(app.status_of(&deal, part).await, "REFUNDED");
    app.finish().await;
}

/// The client approves at the moment of the automatic release: one payout.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_beside_the_automatic_release_pays_once() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    app.advance(AUTO_RELEASE);
    let key = new_key();
    let (approved, first, second) = tokio::join!(
        app.approve(&deal, &deal.milestones[0], &key),
        release_overdue(&app.app),
        release_overdue(&app.app),
    );
    let by_itself = first.unwrap() + second.unwrap();
    assert_eq!(by_itself, u64::from(approved["userErrors"] != json!([])), "{approved}");
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

/// A dispute freezes its own milestone; work on the others goes on, but no new money is taken.
#[tokio::test(flavor = "multi_thread")]
async fn beside_a_dispute_other_milestones_go_on() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50, 25]).await;
    let [frozen, other, unfunded] = &deal.milestones[..] else { panic!("three milestones") };
    app.submitted(&deal, frozen).await;
    app.funded(&deal, other).await;
    freeze(&app, &deal, frozen).await;
    for payload in [
        app.try_submit(&deal, frozen).await,
        request_changes(&app, &deal, frozen).await,
        app.approve(&deal, frozen, &new_key()).await,
        app.refund(&deal, frozen, None, &new_key()).await,
        app.fund(&deal, unfunded, &new_key()).await,
    ] {
        assert_eq!(errors(&payload), ["milestoneId:ILLEGAL_STATE"]);
    }
    ok(app.try_submit(&deal, other).await);
    ok(request_changes(&app, &deal, other).await);
    ok(app.try_submit(&deal, other).await);
    ok(app.refund(&deal, other, Some("10"), &new_key()).await);
    app.settle().await;
    // Unanswered for fourteen days, it is released beside the dispute too.
    app.advance(AUTO_RELEASE);
    release_overdue(&app.app).await.unwrap();
    app.settle().await;
    assert_eq!(app.status_of(&deal, other).await, "PAID");
    assert_eq!(app.status_of(&deal, frozen).await, "DISPUTED");
    assert_eq!(app.contract_of(&deal, "status").await["status"], "DISPUTED");
    app.finish().await;
}
