//! What can be wrong with a deposit: its transaction, its sender, its time, its block, and the node that shows it.

mod nodes;
mod reorg;
mod scan;
mod surplus;
mod unallocated;

use domain::{
    ledger::{self, Account},
    money::Usdc,
    settings::LargeDeposits,
};
use ethers_core::types::{Eip1559TransactionRequest, transaction::eip2718::TypedTransaction};
use ethers_signers::Signer;
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, errors, new_key, ok, text};

const REPORT: &str =
    "mutation($input: PaymentReportTransactionInput!) { paymentReportTransaction(input: $input) {
    payment { id status } userErrors { field code message } } }";

/// A milestone that waits for its deposit: the payment and the treasury's address.
async fn asked(app: &TestApp, deal: &Deal, milestone: &str) -> (String, String) {
    let payload = ok(app.fund(deal, milestone, &new_key()).await);
    (text(&payload["payment"]["id"]), text(&payload["payment"]["depositAddress"]))
}

async fn report(app: &TestApp, by: &Someone, payment: &str, hash: &str) -> Value {
    app.mutate(&by.token, REPORT, json!({ "paymentId": payment, "transactionHash": hash })).await
}

async fn balance(app: &TestApp, account: Account) -> Usdc {
    ledger::balance(app.app.db.reader(), account).await.unwrap()
}

async fn escrow(app: &TestApp, milestone: &str) -> Usdc {
    balance(app, Account::Escrow(milestone.parse().unwrap())).await.negated().unwrap()
}

async fn state(app: &TestApp, deal: &Deal, payment: &str) -> String {
    text(&app.payment(&deal.client, payment).await["status"])
}

/// Lets the workers look once more, after so many blocks.
async fn look(app: &TestApp, blocks: u64) {
    if blocks > 0 {
        app.evm.mine(blocks).unwrap();
    }
    app.advance(chrono::Duration::seconds(13));
    app.drain().await;
}

/// A payment that a person's own wallet signed, so that the same bytes can be sent again after a reorg. Their nonce is the
/// first; they have the USDC and the gas.
async fn signed(app: &TestApp, by: &Someone, treasury: &str, micro: u64) -> String {
    app.evm.mint_and_fund(&by.address(), micro).unwrap();
    app.evm.mine(1).unwrap();
    sign(app, by, treasury, micro, 0)
}

/// The same from somebody who has both, with a nonce of theirs.
fn sign(app: &TestApp, by: &Someone, treasury: &str, micro: u64, nonce: u64) -> String {
    let data = format!(
        "{}{:0>64}{micro:064x}",
        hex::encode(&ethers_core::utils::keccak256("transfer(address,uint256)")[..4]),
        treasury.trim_start_matches("0x").to_lowercase()
    );
    let tx: TypedTransaction = Eip1559TransactionRequest::new()
        .chain_id(31_337_u64)
        .nonce(nonce)
        .to(app.evm.token_address().parse::<ethers_core::types::Address>().unwrap())
        .data(hex::decode(data).unwrap())
        .gas(200_000_u64)
        .max_fee_per_gas(50_000_000_000_u64)
        .max_priority_fee_per_gas(1_000_000_000_u64)
        .into();
    let signature = by.wallet.clone().with_chain_id(31_337_u64).sign_transaction_sync(&tx).unwrap();
    format!("0x{}", hex::encode(tx.rlp_signed(&signature)))
}

/// Sends them, which mines their block; the transaction's hash.
async fn send(app: &TestApp, raw: &str) -> String {
    text(&app.rpc("eth_sendRawTransaction", json!([raw])).await)
}

/// A deposit of 100 USDC that is just deep enough to be credited: the payment, and the bytes that paid it.
async fn credited(app: &TestApp, deal: &Deal, milestone: &str) -> (String, String) {
    let (id, treasury) = asked(app, deal, milestone).await;
    let raw = signed(app, &deal.client, &treasury, 100_000_000).await;
    send(app, &raw).await;
    look(app, 2).await;
    assert_eq!(state(app, deal, &id).await, "COMPLETED");
    (id, raw)
}

/// Creates a contract out of code that does something while it is created.
async fn create(app: &TestApp, code: &str) -> String {
    let accounts = app.rpc("eth_accounts", json!([])).await;
    text(&app.rpc("eth_sendTransaction", json!([{ "from": accounts[0], "data": code }])).await)
}

/// Code that shows a transfer of so much to somebody: what any contract can say of itself.
fn forged(from: &str, to: &str, micro: u64) -> String {
    let word = |address: &str| format!("{:0>64}", address.trim_start_matches("0x").to_lowercase());
    let topic = hex::encode(ethers_core::utils::keccak256("Transfer(address,address,uint256)"));
    format!("0x7f{micro:064x}6000527f{}7f{}7f{topic}60206000a300", word(to), word(from))
}

/// Another contract's log says what ours would say: it is no USDC.
#[tokio::test(flavor = "multi_thread")]
async fn another_token_pays_nothing() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let hash = create(&app, &forged(&deal.client.address(), &treasury, 100_000_000)).await;
    look(&app, 0).await;
    let receipt = app.rpc("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["logs"].as_array().unwrap().len(), 1, "it says so: {receipt}");
    ok(report(&app, &deal.client, &id, &hash).await);
    look(&app, 5).await;
    let open = app.payment(&deal.client, &id).await;
    assert_eq!((&open["status"], &open["received"]["amount"]), (&json!("AWAITING_FUNDS"), &json!("0.00")));
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.finish().await;
}

/// A transfer that failed moved nothing, however often it is reported.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_transaction_pays_nothing() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let raw = signed(&app, &deal.client, &treasury, 100_000_000).await;
    app.token("blacklist(address)", &deal.client.address()).await;
    let hash = send(&app, &raw).await;
    app.evm.mine(1).unwrap();
    let receipt = app.rpc("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["status"], "0x0", "{receipt}");
    for _ in 0..2 {
        ok(report(&app, &deal.client, &id, &hash).await);
        look(&app, 5).await;
        assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    }
    app.finish().await;
}

/// One transaction, reported for two payments: it pays one of them, once.
#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_pays_one_payment() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 100]).await;
    let (first, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let (second, _) = asked(&app, &deal, &deal.milestones[1]).await;
    let hash = app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    for payment in [&second, &first, &second] {
        ok(report(&app, &deal.client, payment, &hash).await);
    }
    look(&app, 5).await;
    look(&app, 5).await;
    let states = [state(&app, &deal, &first).await, state(&app, &deal, &second).await];
    assert_eq!(states.iter().filter(|state| *state == "COMPLETED").count(), 1, "{states:?}");
    assert_eq!(states.iter().filter(|state| *state == "AWAITING_FUNDS").count(), 1, "{states:?}");
    app.finish().await;
}

/// Not hinted, a transfer goes to the payment that misses exactly that sum, though an older one waits.
#[tokio::test(flavor = "multi_thread")]
async fn the_payment_that_misses_exactly_that_sum_gets_it() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 60]).await;
    let (older, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let (exact, _) = asked(&app, &deal, &deal.milestones[1]).await;
    app.evm.pay(&deal.client.address(), &treasury, 60_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &exact).await, "COMPLETED");
    assert_eq!(app.payment(&deal.client, &older).await["received"]["amount"], "0.00");
    // No payment misses just this: the oldest gets it, and the rest of it then fits.
    app.evm.pay(&deal.client.address(), &treasury, 30_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(app.payment(&deal.client, &older).await["received"]["amount"], "30.00");
    app.evm.pay(&deal.client.address(), &treasury, 70_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &older).await, "COMPLETED");
    app.finish().await;
}

/// Two that came before anybody looked: the second goes to the payment that still misses something, though an older one is
/// open.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_has_all_it_needs_gets_no_more() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100, 60]).await;
    let (older, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    let (younger, _) = asked(&app, &deal, &deal.milestones[1]).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    app.evm.pay(&deal.client.address(), &treasury, 30_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &older).await, "COMPLETED");
    assert_eq!(app.payment(&deal.client, &younger).await["received"]["amount"], "30.00");
    app.evm.pay(&deal.client.address(), &treasury, 30_000_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &younger).await, "COMPLETED");
    app.finish().await;
}

/// What comes while a deposit waits for its confirmations is surplus of it, and goes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn more_while_it_is_confirming_is_surplus() {
    let app = TestApp::start_with(|settings| {
        // The deposit waits longer than the transfer that comes after it would by itself.
        settings.large_deposits = LargeDeposits { tiers: vec![(Usdc(100_000_000), 8)], finalized_from: None };
    })
    .await;
    let deal = app.deal(&[100]).await;
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "CONFIRMING");
    app.evm.pay(&deal.client.address(), &treasury, 20_000_000).await.unwrap();
    look(&app, 3).await;
    look(&app, 0).await;
    assert_eq!(state(&app, &deal, &id).await, "CONFIRMING");
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    look(&app, 8).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(escrow(&app, &deal.milestones[0]).await, Usdc(100_000_000));
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 20_000_000);
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.finish().await;
}

/// Another payout wallet after sending changes nothing: the deposit counts, and a refund goes back to who sent it.
#[tokio::test(flavor = "multi_thread")]
async fn another_payout_wallet_changes_nothing_on_the_way() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let milestone = &deal.milestones[0];
    let (id, treasury) = asked(&app, &deal, milestone).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_000_000).await.unwrap();
    let newer = app.new_payout_wallet(&deal.client, 9).await;
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    ok(app.refund(&deal, milestone, None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 100_000_000);
    assert_eq!(app.usdc_of(&newer.address()).await, 0);
    app.finish().await;
}

/// Nobody but the payer reports, and nothing but a hash.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_is_the_payers() {
    let app = TestApp::start().await;
    let deal = app.deal(&[100]).await;
    let (id, _) = asked(&app, &deal, &deal.milestones[0]).await;
    let hash = format!("0x{}", "ab".repeat(32));
    assert_eq!(errors(&report(&app, &deal.freelancer, &id, &hash).await), [":FORBIDDEN"]);
    assert_eq!(errors(&report(&app, &deal.client, &id, "0xabc").await), ["transactionHash:INVALID"]);
    ok(report(&app, &deal.client, &id, &hash).await);
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "AWAITING_FUNDS");
    app.finish().await;
}
