//! Bonuses: paid in by a deposit of their own, passed on less the fee.

use domain::{
    ledger::{self, Account},
    money::Usdc,
};
use serde_json::{Value, json};

use crate::support::{Deal, TestApp, errors, new_key, ok, text};

const BONUS: &str = "mutation($input: ContractBonusInput!) { contractBonus(input: $input) {
    contract { id status } payment { id kind status reason amount { amount } depositAddress paymentUri
        contract { id } milestone { id } }
    userErrors { field code message } } }";

async fn bonus(app: &TestApp, token: &str, deal: &Deal, amount: &str, key: &str) -> Value {
    let input = json!({
        "contractId": deal.contract, "amount": { "amount": amount }, "note": " Well done. ", "idempotencyKey": key,
    });
    app.mutate(token, BONUS, input).await
}

/// Asks for a bonus and pays so many micro-USDC of it.
async fn paid_in(app: &TestApp, deal: &Deal, amount: &str, micro: u64) -> String {
    let payload = ok(bonus(app, &deal.client.token, deal, amount, &new_key()).await);
    let address = text(&payload["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, micro).await.unwrap();
    app.mine(5).await;
    text(&payload["payment"]["id"])
}

/// The contract's payments of a kind, newest first.
async fn payments(app: &TestApp, deal: &Deal, kind: &str) -> Vec<Value> {
    let fields =
        "payments(first: 50) { nodes { id kind status reason amount { amount } fee { amount } net { amount }
        milestone { id } payer { id } payee { id } } }";
    let nodes = app.contract_of(deal, fields).await["payments"]["nodes"].clone();
    nodes.as_array().unwrap().iter().filter(|row| row["kind"] == kind).cloned().collect()
}

async fn balance(app: &TestApp, account: Account) -> Usdc {
    ledger::balance(app.app.db.reader(), account).await.unwrap()
}

fn held(deal: &Deal) -> Account {
    Account::Bonus(deal.contract.parse().unwrap())
}

/// Fee: 10% (1,000 basis points) on what the freelancer gets, rounded half up to a micro-USDC.
#[tokio::test(flavor = "multi_thread")]
async fn rule_the_fee_on_a_bonus_is_10_percent_rounded_half_up() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    // Half a micro is rounded up, less than half is not.
    for (amount, micro, fee, net) in
        [("10.000005", 10_000_005, "1.000001", "9.000004"), ("10.000004", 10_000_004, "1.00", "9.000004")]
    {
        paid_in(&app, &deal, amount, micro).await;
        let rows = payments(&app, &deal, "BONUS").await;
        assert_eq!((&rows[0]["fee"]["amount"], &rows[0]["net"]["amount"]), (&json!(fee), &json!(net)));
        assert_eq!(rows[0]["amount"]["amount"], amount);
        app.settle().await;
    }
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 18_000_008);
    assert_eq!(balance(&app, Account::Fees).await, Usdc(-2_000_001));
    assert_eq!(balance(&app, held(&deal)).await, Usdc::ZERO);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_is_paid_in_and_passed_on() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let key = new_key();
    let payload = ok(bonus(&app, &deal.client.token, &deal, "50", &key).await);
    let deposit = payload["payment"].clone();
    assert_eq!((&deposit["kind"], &deposit["status"]), (&json!("DEPOSIT"), &json!("AWAITING_FUNDS")));
    assert_eq!((&deposit["contract"]["id"], &deposit["milestone"]), (&json!(deal.contract), &Value::Null));
    assert_eq!(deposit["reason"], "Well done.");
    assert!(text(&deposit["paymentUri"]).ends_with("uint256=50000000"));
    // The same key answers with the same payment; with other input it is a conflict.
    let again = ok(bonus(&app, &deal.client.token, &deal, "50", &key).await);
    assert_eq!(again["payment"]["id"], deposit["id"]);
    let other = bonus(&app, &deal.client.token, &deal, "51", &key).await;
    assert_eq!(errors(&other), ["idempotencyKey:CONFLICT"]);

    // Too much arrives: the bonus is what was asked for, the rest goes back.
    let address = text(&deposit["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, 60_000_000).await.unwrap();
    app.mine(5).await;
    assert_eq!(app.payment(&deal.client, &text(&deposit["id"])).await["status"], "COMPLETED");
    let rows = payments(&app, &deal, "BONUS").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["payer"]["id"], json!(deal.client.id));
    assert_eq!(rows[0]["payee"]["id"], json!(deal.freelancer.id));
    assert_eq!((&rows[0]["reason"], &rows[0]["milestone"]), (&json!("Well done."), &Value::Null));
    // One of the two payouts may have to wait until the other is seen to be mined.
    app.settle().await;
    app.advance(chrono::Duration::minutes(11));
    app.settle().await;
    assert_eq!(payments(&app, &deal, "BONUS").await[0]["status"], "COMPLETED");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 45_000_000);
    assert_eq!(app.usdc_of(&deal.client.address()).await, 10_000_000);
    assert_eq!(balance(&app, held(&deal)).await, Usdc::ZERO);
    let subjects =
        |email: &str| -> Vec<_> { app.mails(email).into_iter().map(|mail| mail.subject).collect() };
    let (client, freelancer) = (subjects(&deal.client.email), subjects(&deal.freelancer.email));
    let final_one = "Payment complete: a bonus on \"A web shop for plants\"".to_owned();
    assert!(client.contains(&final_one) && freelancer.contains(&final_one), "{client:?} {freelancer:?}");
    assert!(
        freelancer.contains(&"A bonus for your work on A web shop for plants".to_owned()),
        "{freelancer:?}"
    );
    // The contract's own money is untouched by it.
    let contract = app.contract_of(&deal, "status amount { amount } inEscrow { amount }").await;
    assert_eq!(
        contract,
        json!({ "status": "ACTIVE", "amount": { "amount": "100.00" }, "inEscrow": { "amount": "0.00" } })
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_has_limits() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 10]).await;
    let (token, key) = (&deal.client.token, new_key);
    for (amount, wanted) in [
        ("0.999999", vec!["amount:OUT_OF_RANGE"]),
        ("1", vec![]),
        ("1000000", vec![]),
        ("1000000.000001", vec!["amount:OUT_OF_RANGE"]),
        ("1.0000001", vec!["amount.amount:INVALID"]),
    ] {
        assert_eq!(errors(&bonus(&app, token, &deal, amount, &key()).await), wanted, "{amount}");
    }
    assert_eq!(errors(&bonus(&app, token, &deal, "5", "no uuid").await), ["idempotencyKey:INVALID"]);
    let long = json!({
        "contractId": deal.contract, "amount": { "amount": "5" }, "note": "x".repeat(1_001), "idempotencyKey": key(),
    });
    assert_eq!(errors(&app.mutate(token, BONUS, long).await), ["note:TOO_LONG"]);
    // Who may not.
    let stranger = app.client("olga").await;
    assert_eq!(errors(&bonus(&app, &stranger.token, &deal, "5", &key()).await), ["contractId:NOT_FOUND"]);
    assert_eq!(errors(&bonus(&app, &deal.freelancer.token, &deal, "5", &key()).await), [":FORBIDDEN"]);
    let input = json!({ "contractId": deal.contract, "amount": { "amount": "5" }, "idempotencyKey": key() });
    let answer = app.gql("", BONUS, json!({ "input": input })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    // Not while the contract rests.
    ok(app.on_contract(token, "contractPause", &deal, json!({})).await);
    assert_eq!(errors(&bonus(&app, token, &deal, "5", &key()).await), ["contractId:ILLEGAL_STATE"]);
    app.finish().await;
}

/// A payer without a wallet is told so: a deposit is known by its sender.
#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_needs_a_linked_wallet() {
    let app = TestApp::start().await;
    let client = app.register("wanda", "CLIENT").await;
    app.verify(&client.email).await;
    let freelancer = app.freelancer("felix").await;
    let project = app.project(&client).await;
    let proposal = app.proposal(&freelancer, &project, &[10]).await;
    let contract = app.offer(&client, &proposal).await;
    let deal = Deal { client, freelancer, contract, milestones: Vec::new() };
    let pending = bonus(&app, &deal.client.token, &deal, "5", &new_key()).await;
    assert_eq!(errors(&pending), ["contractId:ILLEGAL_STATE"]);
    ok(app.on_contract(&deal.freelancer.token, "contractAccept", &deal, json!({})).await);
    let answer = bonus(&app, &deal.client.token, &deal, "5", &new_key()).await;
    assert_eq!(errors(&answer), [":UNVERIFIED"]);
    app.finish().await;
}

/// Short at the deadline: what came goes back, and there is no bonus.
#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_that_is_not_paid_in_expires() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let deposit = paid_in(&app, &deal, "50", 20_000_000).await;
    // It is under way, and the contract waits for it.
    app.paid(&deal, &deal.milestones[0]).await;
    assert_eq!(app.contract_of(&deal, "status").await["status"], "ACTIVE");
    let reason = json!({ "reason": "Enough." });
    let refused = app.on_contract(&deal.client.token, "contractTerminate", &deal, reason).await;
    assert_eq!(errors(&refused), ["contractId:ILLEGAL_STATE"]);
    assert!(text(&refused["userErrors"][0]["message"]).contains("deposit for a bonus"), "{refused}");

    app.advance(chrono::Duration::hours(25));
    app.settle().await;
    assert_eq!(app.payment(&deal.client, &deposit).await["status"], "EXPIRED");
    assert_eq!(payments(&app, &deal, "BONUS").await, Vec::<Value>::new());
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 20_000_000);
    assert_eq!(balance(&app, held(&deal)).await, Usdc::ZERO);
    let told: Vec<_> = app.mails(&deal.client.email).into_iter().map(|mail| mail.subject).collect();
    assert!(told.contains(&"The deposit for a bonus on A web shop for plants did not arrive".to_owned()));
    // Nothing is under way any more: the contract is complete, and takes a bonus all the same.
    assert_eq!(app.contract_of(&deal, "status").await["status"], "COMPLETED");
    paid_in(&app, &deal, "10", 10_000_000).await;
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 99_000_000);
    app.finish().await;
}

/// A bonus that was asked for and not paid keeps nobody: the contract ends, and what arrives late is paid all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_promised_bonus_holds_no_contract_open() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let promised = ok(bonus(&app, &deal.client.token, &deal, "50", &new_key()).await);
    app.paid(&deal, &deal.milestones[0]).await;
    assert_eq!(app.contract_of(&deal, "status").await["status"], "COMPLETED");
    let address = text(&promised["payment"]["depositAddress"]);
    app.evm.pay(&deal.client.address(), &address, 50_000_000).await.unwrap();
    app.settle().await;
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, 135_000_000);

    let ended = app.deal_of("clio", "frank", &[100]).await;
    let promised = ok(bonus(&app, &ended.client.token, &ended, "50", &new_key()).await);
    let reason = json!({ "reason": "Enough." });
    ok(app.on_contract(&ended.freelancer.token, "contractTerminate", &ended, reason).await);
    let address = text(&promised["payment"]["depositAddress"]);
    app.evm.pay(&ended.client.address(), &address, 50_000_000).await.unwrap();
    app.settle().await;
    app.settle().await;
    assert_eq!(app.usdc_of(&ended.freelancer.address()).await, 45_000_000);
    assert_eq!(app.contract_of(&ended, "status").await["status"], "TERMINATED");
    app.finish().await;
}

/// A payout that the USDC contract refuses for good: the bonus stays held for an admin, and both are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_that_fails_stays_held() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    app.paid(&deal, &deal.milestones[0]).await;
    let fees = balance(&app, Account::Fees).await;
    let before = app.usdc_of(&deal.freelancer.address()).await;
    paid_in(&app, &deal, "50", 50_000_000).await;
    let id = text(&payments(&app, &deal, "BONUS").await[0]["id"]);
    assert_eq!(app.payment(&deal.client, &id).await["status"], "SUBMITTED");
    // The block with the payout is gone, and the payee blocked before it is mined again.
    app.reorg(1).await;
    app.token("blacklist(address)", &deal.freelancer.address()).await;
    app.settle().await;
    app.settle().await;
    let failed = app.payment(&deal.client, &id).await;
    assert_eq!(failed["status"], "FAILED", "{failed:#}");
    assert_eq!(app.usdc_of(&deal.freelancer.address()).await, before);
    assert_eq!(balance(&app, held(&deal)).await, Usdc(-50_000_000));
    assert_eq!(balance(&app, Account::Fees).await, fees);
    for person in [&deal.client, &deal.freelancer] {
        let told: Vec<_> = app.mails(&person.email).into_iter().map(|mail| mail.subject).collect();
        assert!(told.contains(&"Payment failed: a payout".to_owned()), "{told:?}");
    }
    app.finish().await;
}
