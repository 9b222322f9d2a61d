//! Money that pays nothing: why, and what an admin makes of it.

use chrono::Duration;
use domain::{
    entities::{Role, UserId, user},
    ledger::Account,
    money::Usdc,
};
use futures::future::join_all;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use super::{asked, balance, create, escrow, look, state};
use crate::support::{Someone, TestApp, errors, new_key, ok, text};

const FIELDS: &str = "id status reason from amount { amount } user { id } payment { id kind status } resolvedBy { id } resolvedAt";
const STRANGER: &str = "0x00000000000000000000000000000000000057a6";

pub(super) async fn assign(app: &TestApp, by: &Someone, money: &str, payment: &str, key: &str) -> Value {
    let document = format!(
        "mutation($input: UnallocatedAssignInput!) {{ unallocatedAssign(input: $input) {{
            unallocatedDeposit {{ {FIELDS} }} userErrors {{ field code message }} }} }}"
    );
    let input = json!({ "unallocatedId": money, "paymentId": payment, "idempotencyKey": key });
    app.mutate(&by.token, &document, input).await
}

pub(super) async fn give_back(app: &TestApp, by: &Someone, money: &str, key: &str) -> Value {
    let document = format!(
        "mutation($input: UnallocatedReturnInput!) {{ unallocatedReturn(input: $input) {{
            unallocatedDeposit {{ {FIELDS} }} userErrors {{ field code message }} }} }}"
    );
    app.mutate(&by.token, &document, json!({ "unallocatedId": money, "idempotencyKey": key })).await
}

/// What is set aside, newest first.
pub(super) async fn set_aside(app: &TestApp, admin: &Someone, filter: Value) -> Vec<Value> {
    let document = format!(
        "query($filter: UnallocatedDepositFilter) {{ unallocatedDeposits(filter: $filter) {{ nodes {{ {FIELDS} }} }} }}"
    );
    let answer = app.gql(&admin.token, &document, json!({ "filter": filter })).await;
    answer["data"]["unallocatedDeposits"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// So much from an address, set aside; its id.
async fn stray(app: &TestApp, admin: &Someone, from: &str, micro: u64) -> String {
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(from, &treasury, micro).await.unwrap();
    look(app, 5).await;
    look(app, 0).await;
    text(&set_aside(app, admin, json!({ "status": ["OPEN"] })).await[0]["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_why_it_pays_nothing() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    let reason = |rows: &[Value]| text(&rows[0]["reason"]);
    stray(&app, &admin, STRANGER, 7_000_000).await;
    let rows = set_aside(&app, &admin, json!({})).await;
    assert_eq!((reason(&rows).as_str(), &rows[0]["user"]), ("UNKNOWN_SENDER", &Value::Null));
    assert_eq!(text(&rows[0]["from"]).to_lowercase(), STRANGER);

    stray(&app, &admin, &deal.freelancer.address(), 6_000_000).await;
    let theirs = json!({ "userId": deal.freelancer.id });
    let rows = set_aside(&app, &admin, theirs).await;
    assert_eq!((rows.len(), reason(&rows).as_str()), (1, "NO_OPEN_PAYMENT"));

    // More than was asked for, by less than what goes back by itself; then as little once more.
    let (id, treasury) = asked(&app, &deal, &deal.milestones[0]).await;
    app.evm.pay(&deal.client.address(), &treasury, 100_400_000).await.unwrap();
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    stray(&app, &admin, &deal.client.address(), 300_000).await;
    let rows = set_aside(&app, &admin, json!({ "userId": deal.client.id })).await;
    let amounts: Vec<_> = rows.iter().map(|row| text(&row["amount"]["amount"])).collect();
    assert_eq!(amounts, ["0.30", "0.40"]);
    assert!(rows.iter().all(|row| row["reason"] == "REST_BELOW_RETURN"), "{rows:?}");

    let (id, _) = asked(&app, &deal, &deal.milestones[1]).await;
    app.advance(Duration::hours(25));
    look(&app, 5).await;
    look(&app, 5).await;
    assert_eq!(state(&app, &deal, &id).await, "EXPIRED");
    stray(&app, &admin, &deal.client.address(), 50_000_000).await;
    let rows = set_aside(&app, &admin, json!({ "status": ["OPEN"], "userId": deal.client.id })).await;
    assert_eq!(reason(&rows), "LATE");
    app.finish().await;
}

/// One transaction with two transfers: each is counted, once.
#[tokio::test(flavor = "multi_thread")]
async fn two_transfers_in_one_transaction_are_two() {
    let app = TestApp::start().await;
    let (admin, treasury) = (app.admin().await, app.app.chain.treasury().to_string());
    // transfer(treasury, 40 USDC), then transfer(treasury, 60 USDC), whenever somebody calls it.
    let word = |address: &str| format!("{:0>64}", address.trim_start_matches("0x").to_lowercase());
    let selector = hex::encode(&ethers_core::utils::keccak256("transfer(address,uint256)")[..4]);
    let call = |micro: u64| {
        format!(
            "63{selector}60e01b600052{}7f{micro:064x}602452600060006044600060007f{}5af150",
            format_args!("7f{}600452", word(&treasury)),
            word(&app.evm.token_address())
        )
    };
    let runtime = format!("{}{}00", call(40_000_000), call(60_000_000));
    let size = runtime.len() / 2;
    let hash = create(&app, &format!("0x61{size:04x}80600c6000396000f3{runtime}")).await;
    look(&app, 0).await;
    let receipt = app.rpc("eth_getTransactionReceipt", json!([hash])).await;
    let contract = text(&receipt["contractAddress"]);
    app.evm.mint_and_fund(&contract, 100_000_000).unwrap();
    app.evm.mine(1).unwrap();
    let accounts = app.rpc("eth_accounts", json!([])).await;
    app.rpc("eth_sendTransaction", json!([{ "from": accounts[0], "to": contract, "gas": "0x7a120" }])).await;
    look(&app, 5).await;
    look(&app, 0).await;
    let rows = set_aside(&app, &admin, json!({})).await;
    let mut amounts: Vec<_> = rows.iter().map(|row| text(&row["amount"]["amount"])).collect();
    amounts.sort();
    assert_eq!(amounts, ["40.00", "60.00"]);
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc(-100_000_000));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_assigned_to_the_deposit_that_misses_just_that() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    let money = stray(&app, &admin, STRANGER, 100_000_000).await;
    let (id, _) = asked(&app, &deal, &deal.milestones[0]).await;
    let (other, treasury) = asked(&app, &deal, &deal.milestones[1]).await;
    let nowhere = format!("una_{:032x}", 7);
    for (payload, wrong) in [
        (assign(&app, &deal.client, &money, &id, &new_key()).await, ":FORBIDDEN"),
        (assign(&app, &deal.freelancer, &money, &id, &new_key()).await, ":FORBIDDEN"),
        (assign(&app, &admin, &money, &id, "no key").await, "idempotencyKey:INVALID"),
        (assign(&app, &admin, &nowhere, &id, &new_key()).await, "unallocatedId:NOT_FOUND"),
        (assign(&app, &admin, &money, &format!("pay_{:032x}", 7), &new_key()).await, "paymentId:NOT_FOUND"),
        (assign(&app, &admin, &money, &other, &new_key()).await, "unallocatedId:OUT_OF_RANGE"),
    ] {
        assert_eq!(errors(&payload), [wrong]);
    }
    let key = new_key();
    let done = ok(assign(&app, &admin, &money, &id, &key).await)["unallocatedDeposit"].clone();
    assert_eq!((&done["status"], &done["payment"]["id"]), (&json!("ASSIGNED"), &json!(id)));
    assert_eq!(done["resolvedBy"]["id"], json!(admin.id));
    assert_eq!(state(&app, &deal, &id).await, "COMPLETED");
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "FUNDED");
    assert_eq!(escrow(&app, &deal.milestones[0]).await, Usdc(100_000_000));
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.books_agree().await;
    // The same again, the same with other input, and another time.
    assert_eq!(ok(assign(&app, &admin, &money, &id, &key).await)["unallocatedDeposit"]["id"], json!(money));
    assert_eq!(errors(&assign(&app, &admin, &money, &other, &key).await), ["idempotencyKey:CONFLICT"]);
    let again = assign(&app, &admin, &money, &other, &new_key()).await;
    assert_eq!(errors(&again), ["unallocatedId:ILLEGAL_STATE"]);
    assert_eq!(errors(&give_back(&app, &admin, &money, &new_key()).await), ["unallocatedId:ILLEGAL_STATE"]);

    // Beside what came by itself, once that counts.
    let rest = stray(&app, &admin, STRANGER, 20_000_000).await;
    app.evm.pay(&deal.client.address(), &treasury, 30_000_000).await.unwrap();
    app.advance(Duration::seconds(11));
    app.drain().await;
    let early = assign(&app, &admin, &rest, &other, &new_key()).await;
    assert_eq!(errors(&early), ["paymentId:ILLEGAL_STATE"]);
    look(&app, 5).await;
    ok(assign(&app, &admin, &rest, &other, &new_key()).await);
    assert_eq!(state(&app, &deal, &other).await, "COMPLETED");
    assert_eq!(escrow(&app, &deal.milestones[1]).await, Usdc(50_000_000));
    let spent = stray(&app, &admin, STRANGER, 50_000_000).await;
    let full = assign(&app, &admin, &spent, &other, &new_key()).await;
    assert_eq!(errors(&full), ["paymentId:ILLEGAL_STATE"]);

    // Nobody says that the stranger's wallet is theirs: a refund goes to the payout wallet.
    app.drain().await;
    ok(app.refund(&deal, &deal.milestones[0], None, &new_key()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&deal.client.address()).await, 100_000_000);
    assert_eq!(app.usdc_of(STRANGER).await, 0);
    let log = "{ auditLog(filter: { action: \"unallocated.assign\" }) { nodes { subjectId } } }";
    let log = app.gql(&admin.token, log, json!({})).await;
    assert_eq!(log["data"]["auditLog"]["nodes"][1]["subjectId"], json!(money));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_sent_back_however_little_it_is() {
    let app = TestApp::start().await;
    let (felix, admin) = (app.freelancer("felix").await, app.admin().await);
    let little = stray(&app, &admin, &felix.address(), 400_000).await;
    let unknown = stray(&app, &admin, STRANGER, 2_000_000).await;
    assert_eq!(errors(&give_back(&app, &felix, &little, &new_key()).await), [":FORBIDDEN"]);
    let key = new_key();
    let done = ok(give_back(&app, &admin, &little, &key).await)["unallocatedDeposit"].clone();
    assert_eq!((&done["status"], &done["payment"]["kind"]), (&json!("RETURNED"), &json!("RETURN")));
    let again = ok(give_back(&app, &admin, &little, &key).await)["unallocatedDeposit"].clone();
    assert_eq!(again["payment"]["id"], done["payment"]["id"]);
    assert_eq!(errors(&give_back(&app, &admin, &unknown, &key).await), ["idempotencyKey:CONFLICT"]);
    ok(give_back(&app, &admin, &unknown, &new_key()).await);
    app.books_agree().await;
    app.settle().await;
    app.advance(Duration::minutes(11));
    app.settle().await;
    assert_eq!(app.usdc_of(&felix.address()).await, 400_000);
    assert_eq!(app.usdc_of(STRANGER).await, 2_000_000);
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    assert_eq!(balance(&app, Account::Strangers).await, Usdc::ZERO);
    assert_eq!(set_aside(&app, &admin, json!({ "status": ["OPEN"] })).await, Vec::<Value>::new());
    app.finish().await;
}

/// A hundred at once, with one key or with keys of their own: one decision.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_decide_once() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let money = stray(&app, &admin, STRANGER, 100_000_000).await;
    let (id, _) = asked(&app, &deal, &deal.milestones[0]).await;
    let key = new_key();
    let (app_ref, admin_ref, money_ref, id_ref, key_ref) = (&app, &admin, &money, &id, &key);
    let calls = (0..100).map(|number| async move {
        let own = new_key();
        match number % 3 {
            0 => assign(app_ref, admin_ref, money_ref, id_ref, key_ref).await,
            1 => assign(app_ref, admin_ref, money_ref, id_ref, &own).await,
            _ => give_back(app_ref, admin_ref, money_ref, &own).await,
        }
    });
    let answers = join_all(calls).await;
    let decided: Vec<_> = answers.iter().filter(|answer| errors(answer).is_empty()).collect();
    assert!(!decided.is_empty());
    let first = &decided[0]["unallocatedDeposit"]["payment"]["id"];
    assert!(decided.iter().all(|answer| &answer["unallocatedDeposit"]["payment"]["id"] == first));
    for answer in &answers {
        let errors = errors(answer);
        assert!(errors.is_empty() || errors[0].ends_with(":ILLEGAL_STATE"), "{answer}");
    }
    assert_eq!(balance(&app, Account::Unallocated).await, Usdc::ZERO);
    app.settle().await;
    app.finish().await;
}

/// An admin decides neither on their own money nor in their own contract.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_in_their_own_case() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let money = stray(&app, &admin, STRANGER, 100_000_000).await;
    let own = stray(&app, &admin, &deal.freelancer.address(), 5_000_000).await;
    let (id, _) = asked(&app, &deal, &deal.milestones[0]).await;
    // Behind the back of `grant_admin`, which refuses people whose contracts run.
    let role = |id: &str| user::ActiveModel {
        id: Set(id.parse::<UserId>().unwrap()),
        role: Set(Role::Admin),
        ..Default::default()
    };
    for party in [&deal.client, &deal.freelancer] {
        role(&party.id).update(app.app.db.writer()).await.unwrap();
        assert_eq!(errors(&assign(&app, party, &money, &id, &new_key()).await), [":FORBIDDEN"]);
    }
    assert_eq!(errors(&give_back(&app, &deal.freelancer, &own, &new_key()).await), [":FORBIDDEN"]);
    ok(give_back(&app, &admin, &own, &new_key()).await);
    ok(assign(&app, &admin, &money, &id, &new_key()).await);
    app.settle().await;
    app.finish().await;
}

/// Going back before these rows would open anew what was decided: that is refused. What is open is open again after it.
#[tokio::test(flavor = "multi_thread")]
async fn going_back_to_before_it_was_decided_is_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let db = app.app.db.writer();
    let changes = Migrator::migrations();
    let newer = changes.iter().skip_while(|change| change.name() != "m20261126_000013_deposits").count();
    let steps = Some(u32::try_from(newer).unwrap());
    stray(&app, &admin, STRANGER, 2_000_000).await;
    Migrator::down(db, steps).await.unwrap();
    Migrator::up(db, None).await.unwrap();
    let open = set_aside(&app, &admin, json!({ "status": ["OPEN"] })).await;
    assert_eq!((open.len(), &open[0]["amount"]["amount"]), (1, &json!("2.00")));

    ok(give_back(&app, &admin, &text(&open[0]["id"]), &new_key()).await);
    let refused = Migrator::down(db, steps).await.unwrap_err().to_string();
    assert!(refused.contains("unallocated money was decided on"), "{refused}");
    // On SQLite the changes after it are taken back by then.
    Migrator::up(db, None).await.unwrap();
    assert_eq!(set_aside(&app, &admin, json!({ "status": ["RETURNED"] })).await.len(), 1);
    app.settle().await;
    app.finish().await;
}
