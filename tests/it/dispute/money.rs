//! What a resolution moves, to the micro-USDC, and where contract and milestone end.

use domain::{
    ledger::{self, Account},
    money::Usdc,
    payment::payout,
};
use sandbox::evm::Mining;
use serde_json::{Value, json};

use super::{call, decision, look, paid_out, resolve, resolved, states, taken};
use crate::{
    market::told,
    support::{Deal, Someone, TestApp, errors, new_key, ok, text},
};

async fn fees(app: &TestApp) -> i64 {
    -ledger::balance(app.app.db.reader(), Account::Fees).await.unwrap().micro()
}

async fn escrow(app: &TestApp, milestone: &str) -> i64 {
    let account = Account::Escrow(milestone.parse().unwrap());
    -ledger::balance(app.app.db.reader(), account).await.unwrap().micro()
}

/// What client and freelancer have in their wallets, micro-USDC.
async fn wallets(app: &TestApp, deal: &Deal) -> (i64, i64) {
    (app.usdc_of(&deal.client.address()).await, app.usdc_of(&deal.freelancer.address()).await)
}

/// A deal with two milestones, the first one submitted, disputed and taken.
async fn disputed(app: &TestApp) -> (Deal, Someone, String) {
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    app.submitted(&deal, &deal.milestones[0]).await;
    let dispute = taken(app, &deal, &admin, &deal.milestones[0]).await;
    (deal, admin, dispute)
}

/// Dispute: The admin resolves with a split in one step: so much back to the client, the rest released.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_is_resolved_with_a_split_in_one_step() {
    let app = TestApp::start().await;
    let (deal, admin, dispute) = disputed(&app).await;
    let milestone = &deal.milestones[0];
    // The parts: from nothing to all, and never more.
    for (refund, error) in
        [("100.000001", "refundAmount:OUT_OF_RANGE"), ("1000000", "refundAmount:OUT_OF_RANGE")]
    {
        assert_eq!(errors(&resolve(&app, &admin, &dispute, refund, &new_key()).await), [error]);
    }
    let negative = resolve(&app, &admin, &dispute, "-0.000001", &new_key()).await;
    assert!(errors(&negative)[0].starts_with("refundAmount"), "{negative}");
    for length in [9, 5_001] {
        let mut input = decision(&dispute, "40", &new_key());
        input["resolution"] = json!("x".repeat(length));
        assert!(errors(&call(&app, &admin, "disputeResolve", input).await)[0].starts_with("resolution:TOO_"));
    }

    let decided = ok(resolve(&app, &admin, &dispute, "40", &new_key()).await)["dispute"].clone();
    assert_eq!(decided["refundAmount"]["amount"], "40.00");
    assert_eq!(decided["releaseAmount"]["amount"], "60.00");
    let parts: Vec<_> = decided["payments"].as_array().unwrap().iter().map(part).collect();
    assert_eq!(
        parts,
        [
            json!(["REFUND", "QUEUED", "40.00", "0.00", "40.00"]),
            json!(["RELEASE", "QUEUED", "60.00", "6.00", "54.00"]),
        ]
    );
    assert_eq!(decided["payments"][0]["dispute"]["id"], json!(dispute));
    assert_eq!(escrow(&app, milestone).await, 0);
    // While the money is under way everything stays as it is.
    let frozen = ("DISPUTED".to_owned(), vec!["DISPUTED".to_owned(), "PENDING".to_owned()]);
    assert_eq!(states(&app, &deal).await, frozen);
    app.drain().await;
    assert_eq!(states(&app, &deal).await, frozen);

    let before = wallets(&app, &deal).await;
    paid_out(&app).await;
    let after = wallets(&app, &deal).await;
    // What was sent but not mined may have moved before the first look.
    assert!(after.0 >= before.0 && after.1 >= before.1);
    assert_eq!(after, (40_000_000, 54_000_000));
    assert_eq!(fees(&app).await, 6_000_000);
    assert_eq!(states(&app, &deal).await, ("ACTIVE".to_owned(), vec!["SPLIT".into(), "PENDING".into()]));
    for person in [&deal.client, &deal.freelancer] {
        let told = told(&app, &person.token).await;
        assert_eq!(told.iter().filter(|kind| *kind == "DISPUTE_RESOLVED").count(), 1, "{told:?}");
    }
    app.finish().await;
}

fn part(payment: &Value) -> Value {
    json!([
        payment["kind"],
        payment["status"],
        payment["amount"]["amount"],
        payment["fee"]["amount"],
        payment["net"]["amount"],
    ])
}

/// Dispute: so much back to the client, the rest released: nothing, all, and all but one micro-USDC.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_splits_go_from_nothing_to_all() {
    for (refund, end, parts, wallets_after) in [
        ("0", "PAID", 1, (0, 90_000_000)),
        ("100", "REFUNDED", 1, (100_000_000, 0)),
        // A tenth of a micro-USDC rounds to none.
        ("99.999999", "SPLIT", 2, (99_999_999, 1)),
        ("0.000001", "SPLIT", 2, (1, 90_000_000 - 1)),
    ] {
        let app = TestApp::start().await;
        let (deal, admin, dispute) = disputed(&app).await;
        resolved(&app, &admin, &dispute, refund).await;
        let seen = look(&app, &deal.freelancer, &dispute).await;
        assert_eq!(seen["payments"].as_array().unwrap().len(), parts, "{refund}");
        assert_eq!(seen["milestone"]["status"], end, "{refund}");
        assert_eq!(seen["contract"]["status"], "ACTIVE", "{refund}");
        assert_eq!(wallets(&app, &deal).await, wallets_after, "{refund}");
        app.finish().await;
    }
}

/// Dispute: the fee is taken on the freelancer's part only.
#[tokio::test(flavor = "multi_thread")]
async fn rule_dispute_fee_is_on_the_freelancers_part_only() {
    let app = TestApp::start().await;
    let (deal, admin, dispute) = disputed(&app).await;
    // 10% of 66.666667 is 6.6666667: half up to a micro-USDC.
    resolved(&app, &admin, &dispute, "33.333333").await;
    let seen = look(&app, &deal.client, &dispute).await;
    let parts: Vec<_> = seen["payments"].as_array().unwrap().iter().map(part).collect();
    assert_eq!(
        parts,
        [
            json!(["REFUND", "COMPLETED", "33.333333", "0.00", "33.333333"]),
            json!(["RELEASE", "COMPLETED", "66.666667", "6.666667", "60.00"]),
        ]
    );
    assert_eq!(wallets(&app, &deal).await, (33_333_333, 60_000_000));
    assert_eq!(fees(&app).await, 6_666_667);
    app.finish().await;
}

/// The same key answers with the same dispute and has no second effect; with other input it is a conflict.
#[tokio::test(flavor = "multi_thread")]
async fn a_resolution_is_idempotent() {
    let app = TestApp::start().await;
    let (deal, admin, dispute) = disputed(&app).await;
    let key = new_key();
    assert_eq!(errors(&resolve(&app, &admin, &dispute, "40", "no uuid").await), ["idempotencyKey:INVALID"]);
    let first = ok(resolve(&app, &admin, &dispute, "40", &key).await);
    let again = ok(resolve(&app, &admin, &dispute, "40", &key).await);
    assert_eq!(first["dispute"]["payments"], again["dispute"]["payments"]);
    assert_eq!(errors(&resolve(&app, &admin, &dispute, "41", &key).await), ["idempotencyKey:CONFLICT"]);
    let other = resolve(&app, &admin, &dispute, "40", &new_key()).await;
    assert_eq!(errors(&other), ["disputeId:ILLEGAL_STATE"]);
    paid_out(&app).await;
    assert_eq!(wallets(&app, &deal).await, (40_000_000, 54_000_000));
    app.finish().await;
}

/// The contract ends with its dispute when the admin says so, and what was not begun is dropped; not while
/// another milestone holds money.
#[tokio::test(flavor = "multi_thread")]
async fn a_resolution_may_end_the_contract() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50, 20]).await, app.admin().await);
    app.funded(&deal, &deal.milestones[0]).await;
    app.funded(&deal, &deal.milestones[1]).await;
    let first = taken(&app, &deal, &admin, &deal.milestones[0]).await;
    let ending = |dispute: &str| {
        let mut input = decision(dispute, "10", &new_key());
        input["endContract"] = json!(true);
        input
    };
    let refused = call(&app, &admin, "disputeResolve", ending(&first)).await;
    assert_eq!(errors(&refused), ["endContract:ILLEGAL_STATE"]);
    assert_eq!(look(&app, &admin, &first).await["status"], "IN_REVIEW", "all or nothing");
    resolved(&app, &admin, &first, "100").await;
    assert_eq!(states(&app, &deal).await.0, "ACTIVE");

    let second = taken(&app, &deal, &admin, &deal.milestones[1]).await;
    ok(call(&app, &admin, "disputeResolve", ending(&second)).await);
    assert_eq!(states(&app, &deal).await.0, "DISPUTED");
    paid_out(&app).await;
    let ended = ("TERMINATED".to_owned(), vec!["REFUNDED".into(), "SPLIT".into(), "CANCELLED".into()]);
    assert_eq!(states(&app, &deal).await, ended);
    let query = "query($id: ID!) { contract(id: $id) { endedAt inEscrow { amount } } }";
    let contract = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    assert!(contract["data"]["contract"]["endedAt"].is_string(), "{contract}");
    assert_eq!(contract["data"]["contract"]["inEscrow"]["amount"], "0.00");
    for person in [&deal.client, &deal.freelancer] {
        assert!(told(&app, &person.token).await.contains(&"CONTRACT_ENDED".to_owned()));
    }
    app.finish().await;
}

/// What goes back goes to every wallet that paid, and the milestone has its end with the last part of all.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_back_goes_to_every_wallet_that_paid() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let part = &deal.milestones[0];
    let second = app.funded_by_two(&deal, part, 60, 40).await;
    let dispute = taken(&app, &deal, &admin, part).await;
    ok(resolve(&app, &admin, &dispute, "70", &new_key()).await);
    assert_eq!(app.status_of(&deal, part).await, "DISPUTED");
    paid_out(&app).await;
    paid_out(&app).await;
    assert_eq!(wallets(&app, &deal).await, (30_000_000, 27_000_000));
    assert_eq!(app.usdc_of(&second.address()).await, 40_000_000);
    assert_eq!(app.status_of(&deal, part).await, "SPLIT");
    app.finish().await;
}

/// A part that fails leaves everything disputed, takes its own reservation back and tells everybody; the part
/// that arrived stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_part_leaves_the_milestone_disputed() {
    let app = TestApp::start().await;
    let (deal, admin, dispute) = disputed(&app).await;
    app.evm.set_mining(Mining::Manual).unwrap();
    let decided = ok(resolve(&app, &admin, &dispute, "40", &new_key()).await);
    let release = text(&decided["dispute"]["payments"][1]["id"]);
    // Both are signed and wait for a block; in it the freelancer's address is blocked first.
    app.drain().await;
    let waiting = app.payment(&admin, &release).await;
    assert_eq!(waiting["status"], "SUBMITTED", "{waiting:#}");
    app.drop_waiting(&text(&waiting["transactionHash"])).await;
    app.evm.mine(1).unwrap();
    app.evm.set_mining(Mining::OnDemand).unwrap();
    app.token("blacklist(address)", &deal.freelancer.address()).await;
    paid_out(&app).await;
    let failed = app.payment(&admin, &release).await;
    assert_eq!(failed["status"], "FAILED", "{failed:#}");
    assert_eq!(wallets(&app, &deal).await, (40_000_000, 0));
    assert_eq!(escrow(&app, &deal.milestones[0]).await, 60_000_000);
    assert_eq!(fees(&app).await, 0);
    assert_eq!(states(&app, &deal).await, ("DISPUTED".to_owned(), vec!["DISPUTED".into(), "PENDING".into()]));
    for person in [&deal.client, &deal.freelancer, &admin] {
        assert!(told(&app, &person.token).await.contains(&"PAYMENT_FAILED".to_owned()));
    }
    app.token("unBlacklist(address)", &deal.freelancer.address()).await;
    app.finish().await;
}

/// The milestone's end and the contract's going on are one commit: there is no moment between them.
#[tokio::test(flavor = "multi_thread")]
async fn milestone_and_contract_move_with_the_last_payment() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    // The treasury holds enough for both parts to go at once.
    app.funded(&deal, &deal.milestones[1]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let dispute = taken(&app, &deal, &admin, &deal.milestones[0]).await;
    let decided = ok(resolve(&app, &admin, &dispute, "40", &new_key()).await);
    let payments: Vec<_> =
        decided["dispute"]["payments"].as_array().unwrap().iter().map(|row| text(&row["id"])).collect();
    app.drain().await;
    app.evm.mine(5).unwrap();
    app.advance(chrono::Duration::seconds(11));
    // Nobody works on the queue from here on: each payment is looked at by itself.
    for (index, id) in payments.iter().enumerate() {
        let last = index + 1 == payments.len();
        payout::track(&app.app, id.parse().unwrap()).await.unwrap();
        assert_eq!(app.payment(&admin, id).await["status"], "COMPLETED");
        let (contract, milestones) = states(&app, &deal).await;
        let wanted = if last { ("ACTIVE", "SPLIT") } else { ("DISPUTED", "DISPUTED") };
        assert_eq!((contract.as_str(), milestones[0].as_str()), wanted);
    }
    assert_eq!(Usdc(escrow(&app, &deal.milestones[0]).await), Usdc::ZERO);
    app.finish().await;
}
