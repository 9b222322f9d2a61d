//! The way of money through a contract: deposit, release, refund, and everything that can be wrong with them.

use domain::{
    entities::PaymentRail,
    ledger::{self, Account},
    money::Usdc,
};
use serde_json::json;

use crate::support::{CONFIRMATIONS, TestApp, errors, new_key, ok, text};

/// Posting to paid: the freelancer has the net, the platform the fee, the books agree with the chain.
#[tokio::test(flavor = "multi_thread")]
async fn a_milestone_is_funded_submitted_approved_and_paid() {
    let app = TestApp::start().await;
    let deal = app.deal(&[1000, 234]).await;
    let milestone = &deal.milestones[0];

    let payload = ok(app.fund(&deal, milestone, &new_key()).await);
    let payment = text(&payload["payment"]["id"]);
    assert_eq!(payload["milestone"]["status"], "FUNDING");
    assert_eq!(payload["payment"]["status"], "AWAITING_FUNDS");
    let uri = text(&payload["payment"]["paymentUri"]);
    assert!(uri.starts_with("ethereum:0x") && uri.ends_with("uint256=1000000000"), "{uri}");

    let treasury = text(&payload["payment"]["depositAddress"]);
    let hash = app.evm.pay(&deal.client.address(), &treasury, 1_000_000_000).await.unwrap();
    let report =
        "mutation($input: PaymentReportTransactionInput!) { paymentReportTransaction(input: $input) {
        payment { id status } userErrors { field code message } } }";
    ok(app
        .mutate(&deal.client.token, report, json!({ "paymentId": payment, "transactionHash": hash }))
        .await);
    app.drain().await;
    let seen = app.payment(&deal.client, &payment).await;
    assert_eq!(
        (&seen["status"], &seen["received"]["amount"]),
        (&json!("CONFIRMING"), &json!("1000.00")),
        "{seen:#}"
    );
    assert_eq!(seen["transactionHash"], json!(hash));

    app.mine(u64::from(CONFIRMATIONS) - 1).await;
    assert_eq!(app.payment(&deal.client, &payment).await["status"], "COMPLETED");
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDED");
    assert_eq!(escrow(&app, milestone).await, Usdc(1_000_000_000));

    let submit = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
        milestone { status autoReleaseAt submission { note } } userErrors { field code message } } }";
    let submitted = ok(app
        .mutate(&deal.freelancer.token, submit, json!({ "milestoneId": milestone, "note": "Here." }))
        .await);
    assert_eq!(submitted["milestone"]["status"], "SUBMITTED");
    assert!(submitted["milestone"]["autoReleaseAt"].is_string());

    let approved = ok(app.approve(&deal, milestone, &new_key()).await);
    let release = text(&approved["payment"]["id"]);
    assert_eq!(approved["payment"]["fee"]["amount"], "100.00");
    assert_eq!(approved["payment"]["net"]["amount"], "900.00");
    app.drain().await;
    assert_eq!(app.payment(&deal.freelancer, &release).await["status"], "SUBMITTED");
    app.mine(u64::from(CONFIRMATIONS)).await;
    app.mine(1).await;
    let paid = app.payment(&deal.freelancer, &release).await;
    assert_eq!(paid["status"], "COMPLETED", "{paid:#}");
    assert_eq!(app.status_of(&deal, milestone).await, "PAID");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 900_000_000);
    assert_eq!(escrow(&app, milestone).await, Usdc::ZERO);
    assert_eq!(ledger::balance(app.app.db.reader(), Account::Fees).await.unwrap(), Usdc(-100_000_000));
    assert_eq!(
        ledger::balance(app.app.db.reader(), Account::Treasury(PaymentRail::Chain)).await.unwrap(),
        Usdc(100_000_000)
    );

    let contract =
        "query($id: ID!) { contract(id: $id) { inEscrow { amount } paid { amount } amount { amount } } }";
    let contract = app.gql(&deal.client.token, contract, json!({ "id": deal.contract })).await;
    assert_eq!(
        contract["data"]["contract"],
        json!({ "inEscrow": { "amount": "0.00" }, "paid": { "amount": "1000.00" }, "amount": { "amount": "1234.00" } })
    );
    let subjects: Vec<_> = app.mails(&deal.freelancer.email).into_iter().map(|mail| mail.subject).collect();
    for wanted in ["Part 1 is funded", "Part 1 is approved", "Part 1 is paid"] {
        assert_eq!(subjects.iter().filter(|subject| *subject == wanted).count(), 1, "{subjects:?}");
    }
    app.finish().await;
}

/// A deposit that nobody reports is found by the scanner.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreported_deposit_is_found() {
    let app = TestApp::start().await;
    let deal = app.deal(&[50]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDED");
    app.finish().await;
}

/// Short: the payment stays open and shows what is missing; the rest completes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_deposit_stays_open_until_the_rest_arrives() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let payload = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    app.evm.pay(&deal.client.address(), &treasury, 99_999_999).await.unwrap();
    app.mine(5).await;
    let open = app.payment(&deal.client, &id).await;
    assert_eq!(
        (&open["status"], &open["received"]["amount"]),
        (&json!("AWAITING_FUNDS"), &json!("99.999999"))
    );
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDING");

    app.evm.pay(&deal.client.address(), &treasury, 1).await.unwrap();
    app.mine(5).await;
    assert_eq!(app.payment(&deal.client, &id).await["status"], "COMPLETED");
    app.finish().await;
}

/// Short at the deadline: expired, what came goes back by itself, and the milestone can be funded anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_that_is_short_at_its_deadline_is_returned() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let payload = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    app.evm.pay(&deal.client.address(), &treasury, 40_000_000).await.unwrap();
    app.mine(5).await;
    app.advance(chrono::Duration::hours(25));
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.payment(&deal.client, &id).await["status"], "EXPIRED");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "PENDING");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 40_000_000);
    ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    app.finish().await;
}

/// Over: the amount is in escrow, the surplus goes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_goes_back() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let payload = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let treasury = text(&payload["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &treasury, 130_000_000).await.unwrap();
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(escrow(&app, &deal.milestones[0]).await, Usdc(100_000_000));
    assert_eq!(app.usdc_of(&deal.client.address()).await, 30_000_000);
    app.finish().await;
}

/// What the payer sends once more after the deposit is complete goes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_after_completion_goes_back() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.funded(&deal, &deal.milestones[0]).await;
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(&deal.client.address(), &treasury, 25_000_000).await.unwrap();
    for _ in 0..3 {
        app.mine(5).await;
    }
    assert_eq!(app.usdc_of(&deal.client.address()).await, 25_000_000);
    assert_eq!(escrow(&app, &deal.milestones[0]).await, Usdc(100_000_000));
    app.finish().await;
}

/// A reorg before the credit: what it undid counts no more, and what comes again does.
#[tokio::test(flavor = "multi_thread")]
async fn a_reorg_before_the_credit_takes_the_deposit_back() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let payload = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    app.mine(2).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.mine(1).await;
    assert_eq!(app.payment(&deal.client, &id).await["status"], "CONFIRMING");
    app.reorg(2).await;
    app.mine(1).await;
    let undone = app.payment(&deal.client, &id).await;
    assert_eq!(
        (&undone["status"], &undone["received"]["amount"]),
        (&json!("AWAITING_FUNDS"), &json!("0.00"))
    );
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDING");
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.mine(5).await;
    assert_eq!(app.payment(&deal.client, &id).await["status"], "COMPLETED");
    app.finish().await;
}

/// Two wallets paid: a refund goes to the newest that paid as much; what no single one paid is held.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_never_gives_a_wallet_more_than_it_paid() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let second = app.funded_by_two(&deal, milestone, 99, 1).await;

    // The newest wallet first, with all that it paid.
    ok(app.refund(&deal, milestone, Some("90"), &new_key()).await);
    assert_eq!(app.status_of(&deal, milestone).await, "REFUNDING");
    app.settle().await;
    assert_eq!(app.usdc_of(&second.address()).await, 1_000_000);
    assert_eq!(app.usdc_of(&deal.client.address()).await, 89_000_000);
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDED");
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&second.address()).await, 1_000_000);
    assert_eq!(app.usdc_of(&deal.client.address()).await, 99_000_000);
    assert_eq!(app.status_of(&deal, milestone).await, "REFUNDED");
    let completed = app.contract_of(&deal, "payments(first: 20) { nodes { kind status } }").await;
    let refunds = completed["payments"]["nodes"].as_array().unwrap().iter();
    assert_eq!(refunds.filter(|row| row["kind"] == "REFUND" && row["status"] == "COMPLETED").count(), 3);
    app.finish().await;
}

/// What came too much, and went back, is no part of what a refund gives back.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_after_a_surplus_is_whole() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let payload = ok(app.fund(&deal, milestone, &new_key()).await);
    let treasury = text(&payload["payment"]["depositAddress"]);
    // Too much at once, and more after that.
    app.evm.pay(&deal.client.address(), &treasury, 120_000_000).await.unwrap();
    app.mine(5).await;
    app.evm.pay(&deal.client.address(), &treasury, 50_000_000).await.unwrap();
    app.settle().await;
    app.settle().await;
    // The second came out of what the first gave back.
    assert_eq!(app.usdc_of(&deal.client.address()).await, 50_000_000);
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 150_000_000);
    assert_eq!(app.status_of(&deal, milestone).await, "REFUNDED");
    app.finish().await;
}

/// One part of a refund fails, the other goes through: what is left is where it was, and can be given back again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_which_a_part_fails_leaves_that_part() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let second = app.funded_by_two(&deal, milestone, 60, 40).await;
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.drain().await;
    // The block with both is gone, and the second wallet blocked before they are mined again.
    app.reorg(1).await;
    app.token("blacklist(address)", &second.address()).await;
    app.settle().await;
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 60_000_000);
    assert_eq!(app.usdc_of(&second.address()).await, 0);
    assert_eq!(app.status_of(&deal, milestone).await, "FUNDED");
    assert_eq!(app.contract_of(&deal, "inEscrow { amount }").await["inEscrow"]["amount"], "40.00");
    app.token("unBlacklist(address)", &second.address()).await;
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&second.address()).await, 40_000_000);
    assert_eq!(app.status_of(&deal, milestone).await, "REFUNDED");
    app.finish().await;
}

/// Somebody else's transaction pays nothing of mine, whoever reports it.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_transaction_credits_nobody() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let payload = ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
    let (id, treasury) = (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]));
    let stranger = "0x00000000000000000000000000000000000057a6";
    let hash = app.evm.pay(stranger, &treasury, 100_000_000).await.unwrap();
    let report =
        "mutation($input: PaymentReportTransactionInput!) { paymentReportTransaction(input: $input) {
        payment { id status } userErrors { field code message } } }";
    ok(app.mutate(&deal.client.token, report, json!({ "paymentId": id, "transactionHash": hash })).await);
    app.mine(5).await;
    let open = app.payment(&deal.client, &id).await;
    assert_eq!((&open["status"], &open["received"]["amount"]), (&json!("AWAITING_FUNDS"), &json!("0.00")));
    let unallocated = ledger::balance(app.app.db.reader(), Account::Unallocated).await.unwrap();
    assert_eq!(unallocated, Usdc(-100_000_000));

    // Nor may somebody report for my payment, nor is rubbish a hash.
    let other = app.client("olga").await;
    let answer = app.mutate(&other.token, report, json!({ "paymentId": id, "transactionHash": hash })).await;
    assert_eq!(errors(&answer), ["paymentId:NOT_FOUND"]);
    let answer =
        app.mutate(&deal.client.token, report, json!({ "paymentId": id, "transactionHash": "0x12" })).await;
    assert_eq!(errors(&answer), ["transactionHash:INVALID"]);
    app.finish().await;
}

/// The same key answers with the same things and has no second effect; with other input it is a conflict.
#[tokio::test(flavor = "multi_thread")]
async fn money_mutations_are_idempotent() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 50]).await;
    let key = new_key();
    let first = ok(app.fund(&deal, &deal.milestones[0], &key).await);
    let again = ok(app.fund(&deal, &deal.milestones[0], &key).await);
    assert_eq!(first["payment"]["id"], again["payment"]["id"]);
    assert_eq!(errors(&app.fund(&deal, &deal.milestones[1], &key).await), ["idempotencyKey:CONFLICT"]);
    assert_eq!(errors(&app.fund(&deal, &deal.milestones[0], "no uuid").await), ["idempotencyKey:INVALID"]);
    assert_eq!(
        errors(&app.fund(&deal, &deal.milestones[0], &new_key()).await),
        ["milestoneId:ILLEGAL_STATE"]
    );

    // Twenty at once: one release.
    app.submitted(&deal, &deal.milestones[1]).await;
    let key = new_key();
    let answers =
        futures::future::join_all((0..20).map(|_| app.approve(&deal, &deal.milestones[1], &key))).await;
    let ids: std::collections::HashSet<_> =
        answers.into_iter().map(|answer| text(&ok(answer)["payment"]["id"])).collect();
    assert_eq!(ids.len(), 1);
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 45_000_000);
    app.finish().await;
}

/// A refund in part leaves the milestone where it was; the rest is released on approval.
#[tokio::test(flavor = "multi_thread")]
async fn a_partial_refund_leaves_the_rest_to_be_released() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    app.submitted(&deal, milestone).await;
    assert_eq!(
        errors(&app.refund(&deal, milestone, Some("100.000001"), &new_key()).await),
        ["amount:OUT_OF_RANGE"]
    );
    assert_eq!(errors(&app.refund(&deal, milestone, Some("0"), &new_key()).await), ["amount:OUT_OF_RANGE"]);
    let refund = ok(app.refund(&deal, milestone, Some("30"), &new_key()).await);
    assert_eq!(refund["milestone"]["status"], "REFUNDING");
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.status_of(&deal, milestone).await, "SUBMITTED");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 30_000_000);
    let release = ok(app.approve(&deal, milestone, &new_key()).await);
    assert_eq!(release["payment"]["amount"]["amount"], "70.00");
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.status_of(&deal, milestone).await, "PAID");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 63_000_000);
    app.finish().await;
}

/// An admin may refund too; the client, who would be paid back, may not.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_refunds_but_the_client_does_not() {
    let app = TestApp::start().await;
    let mut deal = app.deal(&[100]).await;
    let milestone = deal.milestones[0].clone();
    app.funded(&deal, &milestone).await;
    let (freelancer, admin) = (deal.freelancer.token.clone(), app.admin().await);
    deal.freelancer.token = deal.client.token.clone();
    assert_eq!(errors(&app.refund(&deal, &milestone, None, &new_key()).await), [":FORBIDDEN"]);
    deal.freelancer.token = admin.token;
    ok(app.refund(&deal, &milestone, None, &new_key()).await);
    deal.freelancer.token = freelancer;
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.status_of(&deal, &milestone).await, "REFUNDED");
    app.finish().await;
}

/// A whole refund ends the milestone; both sides are told at its start and at its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_refund_goes_back_to_the_wallet_that_paid() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    app.funded(&deal, milestone).await;
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.status_of(&deal, milestone).await, "REFUNDED");
    assert_eq!(app.usdc_of(&deal.client.address()).await, 100_000_000);
    for person in [&deal.client, &deal.freelancer] {
        let subjects: Vec<_> = app.mails(&person.email).into_iter().map(|mail| mail.subject).collect();
        assert!(subjects.iter().any(|s| s == "A refund for Part 1 is on its way"), "{subjects:?}");
        assert!(subjects.iter().any(|s| s == "The refund for Part 1 is complete"), "{subjects:?}");
    }
    app.finish().await;
}

/// Who may not: strangers see nothing, the other side lacks the role, nobody else is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_side_moves_money() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let stranger = app.client("olga").await;
    let fund = "mutation($input: MilestoneFundInput!) { milestoneFund(input: $input) {
        payment { id } userErrors { field code message } } }";
    let input = || json!({ "milestoneId": milestone, "idempotencyKey": new_key() });
    assert_eq!(errors(&app.mutate(&stranger.token, fund, input()).await), ["milestoneId:NOT_FOUND"]);
    assert_eq!(errors(&app.mutate(&deal.freelancer.token, fund, input()).await), [":FORBIDDEN"]);
    let anonymous = app.gql("", fund, json!({ "input": input() })).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let absent =
        json!({ "milestoneId": "mil_00000000000000000000000000000001", "idempotencyKey": new_key() });
    let absent = app.mutate(&stranger.token, fund, absent).await;
    let hidden = app.mutate(&stranger.token, fund, input()).await;
    assert_eq!(absent, hidden, "absent and not yours look alike");
    app.finish().await;
}

/// A payout that may not go is held with its reason, and goes when the reason is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_payee_holds_the_payout_until_the_cure() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    app.submitted(&deal, milestone).await;
    app.token("blacklist(address)", &deal.freelancer.address()).await;
    let release = text(&ok(app.approve(&deal, milestone, &new_key()).await)["payment"]["id"]);
    app.drain().await;
    let held = app.payment(&deal.freelancer, &release).await;
    assert_eq!(held["status"], "ON_HOLD", "{held:#}");
    assert!(text(&held["failureReason"]).contains("blocked"), "{held:#}");
    app.token("unBlacklist(address)", &deal.freelancer.address()).await;
    app.advance(chrono::Duration::minutes(11));
    app.mine(5).await;
    app.mine(5).await;
    assert_eq!(app.payment(&deal.freelancer, &release).await["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 90_000_000);
    app.finish().await;
}

async fn escrow(app: &TestApp, milestone: &str) -> Usdc {
    let account = Account::Escrow(milestone.parse().unwrap());
    ledger::balance(app.app.db.reader(), account).await.unwrap().negated().unwrap()
}
