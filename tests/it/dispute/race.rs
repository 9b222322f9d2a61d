//! Two at the same moment: one wins, the other hears why not, and nothing is half done.

use serde_json::{Value, json};

use super::{look, open, paid_out, resolve, simply, states, taken};
use crate::support::{TestApp, errors, new_key, ok, text};

/// How often each race is run.
const ROUNDS: usize = 4;

/// Exactly one of two payloads worked; which one.
#[track_caller]
fn winner(first: &Value, second: &Value) -> usize {
    let lost: Vec<_> =
        [first, second].into_iter().filter(|payload| payload["userErrors"] != json!([])).collect();
    assert_eq!(lost.len(), 1, "{first:#} {second:#}");
    assert!(errors(lost[0])[0].ends_with(":ILLEGAL_STATE"), "{:#}", lost[0]);
    usize::from(first["userErrors"] != json!([]))
}

/// Two disputes at once, over one milestone and over two: there is one.
#[tokio::test(flavor = "multi_thread")]
async fn two_disputes_at_once_are_one() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    for milestone in &deal.milestones {
        app.funded(&deal, milestone).await;
    }
    for round in 0..2 * ROUNDS {
        let other = &deal.milestones[round % 2];
        let (a, b) =
            tokio::join!(open(&app, &deal.client, &deal.milestones[0]), open(&app, &deal.freelancer, other));
        let won = winner(&a, &b);
        let (by, payload) = if won == 0 { (&deal.client, &a) } else { (&deal.freelancer, &b) };
        let (contract, milestones) = states(&app, &deal).await;
        assert_eq!(contract, "DISPUTED");
        assert_eq!(milestones.iter().filter(|status| *status == "DISPUTED").count(), 1);
        ok(simply(&app, by, "disputeWithdraw", &text(&payload["dispute"]["id"])).await);
        assert_eq!(states(&app, &deal).await, ("ACTIVE".to_owned(), vec!["FUNDED".into(), "FUNDED".into()]));
    }
    let query = "query($id: ID!) { contract(id: $id) { disputes { totalCount } } }";
    let seen = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    assert_eq!(seen["data"]["contract"]["disputes"]["totalCount"], 2 * ROUNDS);
    app.finish().await;
}

/// A dispute beside an approval of the same work: either the freelancer is paid or the money is frozen.
#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_beside_an_approval() {
    let app = TestApp::start().await;
    let deal = app.deal(&[10; ROUNDS]).await;
    for milestone in &deal.milestones {
        app.submitted(&deal, milestone).await;
    }
    for milestone in &deal.milestones {
        let key = new_key();
        let (disputed, approved) =
            tokio::join!(open(&app, &deal.freelancer, milestone), app.approve(&deal, milestone, &key));
        if winner(&disputed, &approved) == 0 {
            assert_eq!(app.status_of(&deal, milestone).await, "DISPUTED");
            let id = text(&disputed["dispute"]["id"]);
            ok(simply(&app, &deal.freelancer, "disputeWithdraw", &id).await);
            ok(app.approve(&deal, milestone, &key).await);
        }
        assert_eq!(app.status_of(&deal, milestone).await, "APPROVED");
    }
    paid_out(&app).await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 9_000_000 * ROUNDS as i64);
    app.finish().await;
}

/// A decision beside a withdrawal: either the money goes or everything is as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_beside_a_withdrawal() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[10; ROUNDS]).await, app.admin().await);
    for milestone in &deal.milestones {
        app.funded(&deal, milestone).await;
    }
    let mut back = 0;
    for milestone in &deal.milestones {
        let (dispute, key) = (taken(&app, &deal, &admin, milestone).await, new_key());
        let (resolved, withdrawn) = tokio::join!(
            resolve(&app, &admin, &dispute, "10", &key),
            simply(&app, &deal.client, "disputeWithdraw", &dispute)
        );
        let decided = winner(&resolved, &withdrawn) == 0;
        paid_out(&app).await;
        back += i64::from(decided);
        let (status, payments) = if decided { ("REFUNDED", 1) } else { ("FUNDED", 0) };
        let seen = look(&app, &admin, &dispute).await;
        assert_eq!(seen["milestone"]["status"], status);
        assert_eq!(seen["payments"].as_array().unwrap().len(), payments);
        assert_eq!(states(&app, &deal).await.0, "ACTIVE");
    }
    assert_eq!(app.usdc_of(&deal.client.address()).await, back * 10_000_000);
    app.finish().await;
}

/// Two decisions with different keys: one is carried out, whole.
#[tokio::test(flavor = "multi_thread")]
async fn two_decisions_at_once_are_one() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[10; ROUNDS]).await, app.admin().await);
    for milestone in &deal.milestones {
        app.funded(&deal, milestone).await;
    }
    let mut back = 0;
    for milestone in &deal.milestones {
        let (dispute, keys) = (taken(&app, &deal, &admin, milestone).await, [new_key(), new_key()]);
        let (some, all) = tokio::join!(
            resolve(&app, &admin, &dispute, "4", &keys[0]),
            resolve(&app, &admin, &dispute, "10", &keys[1])
        );
        let won = winner(&some, &all);
        paid_out(&app).await;
        let (part, end) = [(4, "SPLIT"), (10, "REFUNDED")][won];
        back += part;
        assert_eq!(app.status_of(&deal, milestone).await, end);
    }
    assert_eq!(app.usdc_of(&deal.client.address()).await, back * 1_000_000);
    app.finish().await;
}

/// A dispute beside the end of another milestone's payout: neither waits for the other for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_beside_a_payout_that_ends() {
    let app = TestApp::start().await;
    let mut amounts = vec![10; ROUNDS];
    amounts.push(50);
    let deal = app.deal(&amounts).await;
    for milestone in &deal.milestones {
        app.submitted(&deal, milestone).await;
    }
    let (paid, frozen) = deal.milestones.split_at(ROUNDS);
    for milestone in paid {
        ok(app.approve(&deal, milestone, &new_key()).await);
        app.drain().await;
        app.evm.mine(5).unwrap();
        app.advance(chrono::Duration::seconds(11));
        let (opened, ()) = tokio::join!(open(&app, &deal.client, &frozen[0]), app.drain());
        let id = text(&ok(opened)["dispute"]["id"]);
        app.mine(1).await;
        assert_eq!(app.status_of(&deal, milestone).await, "PAID");
        assert_eq!(states(&app, &deal).await.0, "DISPUTED");
        ok(simply(&app, &deal.client, "disputeWithdraw", &id).await);
    }
    app.finish().await;
}
