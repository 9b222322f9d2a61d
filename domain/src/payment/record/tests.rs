use chrono::Duration;
use entities::{ContractId, EventKind, MilestoneStatus, event};
use sea_orm::PaginatorTrait;

use super::*;
use crate::fixture::{
    app, noon, queued,
    rows::{self, id, store},
    usdc,
};

async fn reload(app: &App, number: u128) -> payment::Model {
    payment::Entity::find_by_id(id::<PaymentId>(number)).one(app.db.reader()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_look_is_due_from_its_moment_on_and_never_without_one() {
    let app = app().await;
    let due = |at: Option<DateTime<Utc>>| {
        let row = rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1);
        is_due(&app, &payment::Model { due_at: at, ..row })
    };
    let micro = Duration::microseconds(1);
    assert!(due(Some(noon() - micro)));
    assert!(due(Some(noon())));
    assert!(!due(Some(noon() + micro)));
    assert!(!due(None));
}

#[test]
fn another_look_or_another_state_means_that_somebody_was_there() {
    let seen = rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1);
    assert!(!was_woken(&seen, &seen));
    assert!(was_woken(&payment::Model { look: 1, ..seen.clone() }, &seen));
    assert!(was_woken(&payment::Model { version: 1, ..seen.clone() }, &seen));
    assert!(was_woken(&payment::Model { version: 1, look: 1, ..seen.clone() }, &seen));
}

#[tokio::test]
async fn a_step_writes_the_state_and_takes_the_look_away() {
    let app = app().await;
    let before = payment::Model {
        version: 4,
        look: 2,
        due_at: Some(noon()),
        ..rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1)
    };
    store(&app, before.clone()).await;
    // Another, which nobody touches.
    let other = store(&app, rows::payment(2, PaymentKind::Release, PaymentStatus::Queued, 1)).await;
    app.clock.advance(Duration::hours(1));
    let tx = app.db.begin().await.unwrap();
    let after = step(&app, &tx, &before, Step::Hold, |row| row.hold_reason = Set(Some("why".to_owned())));
    let after = after.await.unwrap();
    tx.commit().await.unwrap();
    let wanted = payment::Model {
        status: PaymentStatus::OnHold,
        version: 5,
        look: 0,
        due_at: None,
        hold_reason: Some("why".to_owned()),
        updated_at: noon() + Duration::hours(1),
        ..before
    };
    assert_eq!((&after, &reload(&app, 1).await), (&wanted, &wanted));
    assert_eq!(reload(&app, 2).await, other);
    assert_eq!(queued(&app).await, []);
    let events = event::Entity::find().all(app.db.reader()).await.unwrap();
    let told: Vec<_> = events.iter().map(|row| (row.kind, row.subject_id, row.user_id)).collect();
    assert_eq!(told, [(EventKind::PaymentUpdated, before.id.0, None)]);
}

#[tokio::test]
async fn a_step_that_is_not_legal_writes_nothing() {
    let app = app().await;
    let row = store(&app, rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1)).await;
    let tx = app.db.begin().await.unwrap();
    let error = step(&app, &tx, &row, Step::Complete, |_| ()).await.unwrap_err();
    tx.commit().await.unwrap();
    assert_eq!(error.code(), "ILLEGAL_STATE");
    assert_eq!(reload(&app, 1).await, row);
    assert_eq!(event::Entity::find().count(app.db.reader()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_look_is_written_with_a_number_of_its_own_and_queued() {
    let app = app().await;
    let row = payment::Model {
        version: 3,
        look: 6,
        ..rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1)
    };
    store(&app, row.clone()).await;
    let due = noon() + Duration::minutes(5);
    let tx = app.db.begin().await.unwrap();
    look_at(&app, &tx, &row, due).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(reload(&app, 1).await, payment::Model { look: 7, due_at: Some(due), ..row });
    let key = format!("{}:3:7", id::<PaymentId>(1));
    assert_eq!(queued(&app).await, [("release-send".to_owned(), key)]);
}

/// The job that a look at a payment of this kind, in this state, has to be.
fn wanted(kind: PaymentKind, status: PaymentStatus) -> Option<&'static str> {
    use PaymentKind::*;
    use PaymentStatus::*;
    match (kind, status) {
        (Deposit, AwaitingFunds | Confirming | Completed) => Some("deposit-confirm"),
        (Release | Bonus, Queued | OnHold) => Some("release-send"),
        (Refund | Return, Queued | OnHold) => Some("refund-send"),
        (Deposit | Release | Bonus | Refund | Return, Submitted) => Some("payout-track"),
        (Release | Bonus | Refund | Return, Confirming) => Some("payout-track"),
        _ => None,
    }
}

#[tokio::test]
async fn each_state_has_the_job_that_it_calls_for() {
    use sea_orm::Iterable as _;
    let app = app().await;
    let mut number = 0;
    for kind in PaymentKind::iter() {
        for status in PaymentStatus::iter() {
            number += 1;
            let row = payment::Model { due_at: Some(noon()), ..rows::payment(number, kind, status, 1) };
            let before = queued(&app).await.len();
            let tx = app.db.begin().await.unwrap();
            let row = open(&app, &tx, row).await.unwrap();
            tx.commit().await.unwrap();
            let jobs = queued(&app).await;
            let new: Vec<_> = jobs[before..].iter().map(|(queue, _)| queue.as_str()).collect();
            let wanted: Vec<_> = wanted(kind, status).into_iter().collect();
            assert_eq!(new, wanted, "{kind:?} {status:?}");
            assert_eq!(reload(&app, number).await, row);
        }
    }
    // Nothing is due.
    let before = queued(&app).await;
    let tx = app.db.begin().await.unwrap();
    let row = rows::payment(number + 1, PaymentKind::Release, PaymentStatus::Queued, 1);
    open(&app, &tx, row).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(queued(&app).await, before);
}

#[tokio::test]
async fn a_payment_is_locked_with_its_milestone_or_is_not_there() {
    let app = app().await;
    let milestone = milestone::Model {
        id: id(1),
        contract_id: id::<ContractId>(20),
        position: 1,
        title: "A basket".to_owned(),
        amount: usdc(100),
        status: MilestoneStatus::Funded,
        returns_to: None,
        due_at: None,
        auto_release_at: None,
        release_reminded_at: None,
        version: 0,
        created_at: noon(),
        updated_at: noon(),
    };
    store(&app, milestone.clone()).await;
    let of = |number, milestone| payment::Model {
        contract_id: None,
        ..rows::payment(number, PaymentKind::Release, PaymentStatus::Queued, milestone)
    };
    let (with, lost) = (store(&app, of(1, 1)).await, store(&app, of(2, 9)).await);
    let bare = store(&app, payment::Model { milestone_id: None, ..of(3, 1) }).await;
    let tx = app.db.begin().await.unwrap();
    let locked = lock(&tx, with.id).await.unwrap();
    assert_eq!((locked.payment, locked.milestone), (with, Some(milestone)));
    let locked = lock(&tx, bare.id).await.unwrap();
    assert_eq!((locked.payment, locked.milestone), (bare, None));
    for (payment, told) in [(lost.id, "milestone"), (id(99), "payment")] {
        let error = lock(&tx, payment).await.err().unwrap().to_string();
        assert_eq!(error, format!("There is no such {told}, or it is not yours."));
    }
}

#[tokio::test]
async fn why_it_waits_is_written_and_told_once() {
    let app = app().await;
    let before = store(&app, rows::payment(1, PaymentKind::Release, PaymentStatus::Queued, 1)).await;
    let other = store(&app, rows::payment(2, PaymentKind::Release, PaymentStatus::Queued, 1)).await;
    let told = async || event::Entity::find().count(app.db.reader()).await.unwrap();
    let mut row = before.clone();
    for (hours, why, events) in [(1, Some("why"), 1), (2, Some("why"), 1), (3, None, 2), (4, None, 2)] {
        app.clock.advance(Duration::hours(1));
        let tx = app.db.begin().await.unwrap();
        row = reason(&app, &tx, row, why).await.unwrap();
        tx.commit().await.unwrap();
        let news = if hours < 3 { 1 } else { 3 };
        let wanted = payment::Model {
            hold_reason: why.map(str::to_owned),
            updated_at: noon() + Duration::hours(news),
            ..before.clone()
        };
        assert_eq!((&row, &reload(&app, 1).await), (&wanted, &wanted), "{hours}");
        assert_eq!(told().await, events, "{hours}");
    }
    assert_eq!(reload(&app, 2).await, other);
}

#[tokio::test]
async fn all_that_are_asked_for_are_woken() {
    let app = app().await;
    for number in [1, 2, 3] {
        let status = if number == 3 { PaymentStatus::OnHold } else { PaymentStatus::Queued };
        store(&app, rows::payment(number, PaymentKind::Release, status, 1)).await;
    }
    let woken = async |status: PaymentStatus| {
        let which = payment::Entity::find().filter(payment::Column::Status.eq(status));
        let tx = app.db.begin().await.unwrap();
        let woken = wake(&app, &tx, which).await.unwrap();
        tx.commit().await.unwrap();
        woken
    };
    assert_eq!(woken(PaymentStatus::Submitted).await, 0);
    assert_eq!(queued(&app).await, []);
    assert_eq!(woken(PaymentStatus::Queued).await, 2);
    assert_eq!(queued(&app).await.len(), 2);
    let due = [reload(&app, 1).await.due_at, reload(&app, 2).await.due_at, reload(&app, 3).await.due_at];
    assert_eq!(due, [Some(noon()), Some(noon()), None]);
}

#[tokio::test]
async fn what_may_be_off_a_balance_is_submitted_on_its_rail_or_named() {
    use PaymentStatus::{Completed, Confirming, Submitted};
    let app = app().await;
    for (number, kind, status, rail) in [
        (1, PaymentKind::Release, Submitted, PaymentRail::Circle),
        (2, PaymentKind::Refund, Submitted, PaymentRail::Circle),
        (3, PaymentKind::Release, Submitted, PaymentRail::Chain),
        (4, PaymentKind::Deposit, Submitted, PaymentRail::Circle),
        (5, PaymentKind::Release, Confirming, PaymentRail::Circle),
        (6, PaymentKind::Release, Completed, PaymentRail::Circle),
        (7, PaymentKind::Release, Completed, PaymentRail::Chain),
    ] {
        store(&app, payment::Model { rail, ..rows::payment(number, kind, status, 1) }).await;
    }
    let found = async |rail, and: &[u128]| {
        let and: Vec<PaymentId> = and.iter().copied().map(id).collect();
        let rows = submitted(app.db.reader(), rail, &and).await.unwrap();
        let mut found: Vec<_> = rows.iter().map(|row| row.id.0.as_u128()).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(found(PaymentRail::Circle, &[]).await, [1, 2]);
    assert_eq!(found(PaymentRail::Circle, &[2, 6, 7]).await, [1, 2, 6]);
    assert_eq!(found(PaymentRail::Chain, &[]).await, [3]);
}
