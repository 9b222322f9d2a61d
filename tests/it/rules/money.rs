//! Amounts, fees, deadlines, rests.

use std::time::Duration as Real;

use chrono::{DateTime, Duration, Utc};
use domain::{
    entities::{LedgerAccountKind, Usdc, ledger_account},
    ledger::{self, Account},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{CONFIRMATIONS, Deal, TestApp, new_key, ok, text};

async fn quote(app: &TestApp, amount: &str) -> Value {
    let query = "query($input: QuoteInput!) { quote(input: $input) {
        gross { baseUnits } fee { baseUnits } net { baseUnits } } }";
    app.gql("", query, json!({ "input": { "amount": { "amount": amount } } })).await
}

/// An amount is a whole number of micro-USDC (6 decimals).
#[tokio::test]
async fn rule_usdc_has_six_decimals() {
    let app = TestApp::start().await;
    let smallest = quote(&app, "0.000001").await;
    assert_eq!(smallest["data"]["quote"]["gross"]["baseUnits"], "1", "{smallest}");
    for bad in ["0.0000001", "1.0000001", "1e-7", "NaN", "", "1,5", "9223372036854.775808"] {
        let refused = quote(&app, bad).await;
        assert!(
            refused["data"].is_null() && refused["errors"][0]["extensions"]["code"] == "INVALID",
            "{refused}"
        );
    }
    // A number has lost digits before it gets here.
    let query = "{ quote(input: { amount: { amount: 1.5 } }) { gross { amount } } }";
    assert!(app.gql("", query, json!({})).await["errors"].is_array());
    app.finish().await;
}

/// Fee: 10% (1,000 basis points), round half up to a micro-USDC; fee + net = gross, always.
#[tokio::test]
async fn rule_fee_is_ten_percent_rounded_half_up() {
    let app = TestApp::start().await;
    for (gross, fee, net) in [
        ("0.000004", "0", "4"),
        ("0.000005", "1", "4"),
        ("0.000014", "1", "13"),
        ("0.000015", "2", "13"),
        ("100", "10000000", "90000000"),
        ("1000000", "100000000000", "900000000000"),
    ] {
        let answer = quote(&app, gross).await;
        let quote = &answer["data"]["quote"];
        assert_eq!(
            (&quote["fee"]["baseUnits"], &quote["net"]["baseUnits"]),
            (&json!(fee), &json!(net)),
            "{gross}"
        );
    }
    app.finish().await;
}

/// The deposit of a funded milestone: its id, where to, and until when.
async fn asked(app: &TestApp, deal: &Deal) -> (String, String, DateTime<Utc>) {
    let payload = ok(app.fund(deal, &deal.milestones[0], &new_key()).await);
    let payment = &payload["payment"];
    let until = text(&payment["expiresAt"]).parse().unwrap();
    (text(&payment["id"]), text(&payment["depositAddress"]), until)
}

async fn status(app: &TestApp, deal: &Deal, id: &str) -> String {
    text(&app.payment(&deal.client, id).await["status"])
}

/// Deposit: the deadline is 24 h, by block time.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_deposit_has_24_hours_by_block_time() {
    let app = TestApp::start().await;
    let (deal, now) = (app.deal(&[100]).await, app.app.clock.now());
    let (id, treasury, until) = asked(&app, &deal).await;
    assert_eq!(until, now + Duration::hours(24));
    // The last second counts, though it is read and confirmed later.
    app.advance(Duration::hours(24) - Duration::seconds(1));
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.evm.mine(1).unwrap();
    app.advance(Duration::hours(1));
    for _ in 0..3 {
        app.mine(u64::from(CONFIRMATIONS)).await;
    }
    assert_eq!(status(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// Deposit: what comes after the 24 h is late: unallocated, for an admin to assign or return.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_deposit_after_24_hours_is_late() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury, _) = asked(&app, &deal).await;
    app.advance(Duration::hours(24) + Duration::seconds(1));
    for _ in 0..3 {
        app.mine(u64::from(CONFIRMATIONS)).await;
    }
    assert_eq!(status(&app, &deal, &id).await, "EXPIRED");
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    for _ in 0..3 {
        app.mine(u64::from(CONFIRMATIONS)).await;
    }
    assert_eq!(status(&app, &deal, &id).await, "EXPIRED");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PENDING");
    let kept = ledger::balance(app.app.db.reader(), Account::Unallocated).await.unwrap();
    assert_eq!(kept, Usdc(-100_000_000), "owed to whoever it belongs to");
    app.finish().await;
}

/// Deposit: credited at N confirmations (head - block + 1).
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_deposit_counts_at_n_confirmations() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury, _) = asked(&app, &deal).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    // Paying mined its block, which is the first confirmation.
    app.mine(u64::from(CONFIRMATIONS) - 2).await;
    assert_eq!(status(&app, &deal, &id).await, "CONFIRMING");
    app.mine(1).await;
    assert_eq!(status(&app, &deal, &id).await, "COMPLETED");
    app.finish().await;
}

/// Surplus below 1 USDC waits as unallocated (no gas griefing); from 1 USDC on it is returned by itself.
#[tokio::test(flavor = "multi_thread")]
async fn rule_surplus_is_returned_from_1_usdc_on() {
    for (surplus, back) in [(999_999_i64, 0_i64), (1_000_000, 1_000_000)] {
        let app = TestApp::start().await;
        let deal = app.deal(&[100]).await;
        let (_, treasury, _) = asked(&app, &deal).await;
        let sent = u64::try_from(100_000_000 + surplus).unwrap();
        app.evm.pay(&deal.client.address(), &treasury, sent).await.unwrap();
        for _ in 0..3 {
            app.mine(u64::from(CONFIRMATIONS)).await;
        }
        assert_eq!(app.usdc_of(&deal.client.address()).await, back);
        let kept = ledger::balance(app.app.db.reader(), Account::Unallocated).await.unwrap();
        assert_eq!(kept, Usdc(back - surplus));
        app.finish().await;
    }
}

/// Surplus: more from the payer within 24 h of completion is returned by itself; later it is unallocated.
#[tokio::test(flavor = "multi_thread")]
async fn rule_surplus_goes_back_within_24_hours_of_completion() {
    // Before a transfer the sandbox mines a block that gives the payer the coins: the transfer's own is a second later.
    let day = Duration::hours(24);
    for (after, back) in [(day - Duration::seconds(1), 25_000_000), (day, 0)] {
        let app = TestApp::start().await;
        let deal = app.deal(&[100]).await;
        app.funded(&deal, &deal.milestones[0]).await;
        app.advance(after);
        let treasury = app.app.chain.treasury().to_string();
        app.evm.pay(&deal.client.address(), &treasury, 25_000_000).await.unwrap();
        for _ in 0..3 {
            app.mine(u64::from(CONFIRMATIONS)).await;
        }
        assert_eq!(app.usdc_of(&deal.client.address()).await, back, "{after}");
        app.finish().await;
    }
}

/// Wallet: a new payout wallet rests 24 hours; a release to a resting one stays QUEUED and says so.
#[tokio::test(flavor = "multi_thread")]
async fn rule_a_new_payout_wallet_rests_24_hours() {
    let app = TestApp::start_with(|settings| settings.wallet_rest = Real::from_secs(24 * 3600)).await;
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let newer = app.new_payout_wallet(&deal.freelancer, 9).await;

    let chosen = app.app.clock.now();
    let payload = ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    let id = text(&payload["payment"]["id"]);
    app.advance(chosen + Duration::hours(24) - Duration::seconds(1) - app.app.clock.now());
    app.drain().await;
    let waiting = app.payment(&deal.freelancer, &id).await;
    assert_eq!(waiting["status"], "QUEUED");
    assert!(text(&waiting["failureReason"]).contains("rests"), "{waiting}");
    app.advance(Duration::seconds(1));
    app.drain().await;
    assert_eq!(status(&app, &deal, &id).await, "SUBMITTED");
    for _ in 0..3 {
        app.mine(u64::from(CONFIRMATIONS)).await;
    }
    assert_eq!(status(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(app.usdc_of(&newer.address()).await, 90_000_000);
    app.finish().await;
}

/// The ledger has one escrow account a milestone.
#[tokio::test(flavor = "multi_thread")]
async fn rule_each_milestone_has_an_escrow_account_of_its_own() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    app.funded(&deal, &deal.milestones[1]).await;
    let escrows =
        ledger_account::Entity::find().filter(ledger_account::Column::Kind.eq(LedgerAccountKind::Escrow));
    assert_eq!(escrows.count(app.app.db.reader()).await.unwrap(), 2);
    let query = "query($id: ID!) { contract(id: $id) { inEscrow { amount } } }";
    let held = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    assert_eq!(held["data"]["contract"]["inEscrow"]["amount"], "150.00");
    app.finish().await;
}

/// Idempotency key: same key and input answers with the same things, kept 30 days.
#[tokio::test(flavor = "multi_thread")]
async fn rule_idempotency_keys_are_kept_30_days() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let key = new_key();
    let fund = async || text(&ok(app.fund(&deal, &deal.milestones[0], &key).await)["payment"]["id"]);
    let first = fund().await;
    let made = app.app.clock.now();
    // What was not paid has expired, and the milestone could be funded anew: the key alone says no.
    app.advance(Duration::days(29));
    app.mine(1).await;
    app.advance(made + Duration::days(30) - Duration::microseconds(1) - app.app.clock.now());
    domain::tidy::old_records(&app.app).await.unwrap();
    assert_eq!(fund().await, first);
    app.advance(Duration::microseconds(1));
    domain::tidy::old_records(&app.app).await.unwrap();
    assert_ne!(fund().await, first);
    app.finish().await;
}
