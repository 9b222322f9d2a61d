//! Idempotency keys, for every mutation that takes one: a hundred calls at once in two processes, one effect; the same answer
//! after a restart; other input is a conflict.
//!
//! Which mutations take a key is read from the schema: one that has no test here fails.

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use axum::Router;
use domain::entities::{Usdc, audit_entry, ledger_transfer, notification, payment};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, calling, errors, new_key, ok, post, text, with};

const PAYMENT: (&str, &str) = ("payment", "id");
const STRANGER: &str = "0x00000000000000000000000000000000000057a6";

/// One call, ready to be made.
struct Call {
    by: Someone,
    /// Without its key.
    input: Value,
    /// What makes it another intent.
    other: Value,
    /// What the payload shows: a thing, and the field of it that tells which one it is.
    shows: (&'static str, &'static str),
    /// How many payments it makes.
    payments: u64,
}

impl Call {
    fn of_payment(by: &Someone, payment: &str, other: &str) -> Self {
        Self {
            by: by.clone(),
            input: json!({ "paymentId": payment }),
            other: json!({ "paymentId": other }),
            shows: PAYMENT,
            payments: 0,
        }
    }
}

/// A release that is queued or held.
async fn release(app: &TestApp, deal: &Deal, part: usize) -> String {
    app.submitted(deal, &deal.milestones[part]).await;
    let release = ok(app.approve(deal, &deal.milestones[part], &new_key()).await);
    text(&release["payment"]["id"])
}

/// So many USDC that pay nothing; the id.
async fn stray(app: &TestApp, admin: &Someone, usdc: u64) -> Value {
    let treasury = app.app.chain.treasury().to_string();
    app.evm.pay(STRANGER, &treasury, usdc * 1_000_000).await.unwrap();
    app.mine(5).await;
    app.mine(1).await;
    let open = "{ unallocatedDeposits(first: 1, filter: { status: [OPEN] }) { nodes { id } } }";
    let open = app.gql(&admin.token, open, json!({})).await;
    open["data"]["unallocatedDeposits"]["nodes"][0]["id"].clone()
}

/// So many USDC sent from the treasury to Circle, which nobody has recorded yet: what treasuryMove takes, without its key.
async fn moved_outside(app: &TestApp, usdc: u32) -> Value {
    let treasury = app.app.chain.treasury().to_string();
    let hash = app.evm.pay(&treasury, STRANGER, u64::from(usdc) * 1_000_000).await.unwrap();
    app.make_final();
    app.circle.as_ref().unwrap().fund(i64::from(usdc) * 1_000_000).unwrap();
    json!({ "from": "CHAIN", "to": "CIRCLE", "amount": { "amount": usdc.to_string() }, "reference": hash })
}

/// A world in which the mutation can be called.
async fn prepare(app: &TestApp, mutation: &str) -> Call {
    let deal = app.deal(&[100, 50]).await;
    let [first, second] = [&deal.milestones[0], &deal.milestones[1]];
    let of_milestones = |by: &Someone, more: Value| {
        let with = |milestone: &str| {
            let mut input = more.clone();
            input["milestoneId"] = json!(milestone);
            input
        };
        Call { by: by.clone(), input: with(first), other: with(second), shows: PAYMENT, payments: 1 }
    };
    match mutation {
        "milestoneFund" => of_milestones(&deal.client, json!({})),
        "milestoneApprove" => {
            app.submitted(&deal, first).await;
            of_milestones(&deal.client, json!({}))
        }
        "milestoneRefund" => {
            app.funded(&deal, first).await;
            of_milestones(&deal.freelancer, json!({ "reason": "I cannot do it." }))
        }
        "contractBonus" => Call {
            by: deal.client.clone(),
            input: json!({ "contractId": deal.contract, "amount": { "amount": "5" } }),
            other: json!({ "contractId": deal.contract, "amount": { "amount": "6" } }),
            shows: PAYMENT,
            payments: 1,
        },
        "disputeResolve" => {
            app.funded(&deal, first).await;
            let admin = app.admin().await;
            let open = "mutation($input: DisputeOpenInput!) { disputeOpen(input: $input) {
                dispute { id } userErrors { field code message } } }";
            let why = json!({ "milestoneId": first, "kind": "SCOPE", "description": "It is not what we agreed on." });
            let dispute = ok(app.mutate(&deal.client.token, open, why).await)["dispute"]["id"].clone();
            let take = "mutation($input: DisputeTakeInput!) { disputeTake(input: $input) {
                dispute { id } userErrors { field code message } } }";
            ok(app.mutate(&admin.token, take, json!({ "disputeId": dispute })).await);
            let split = |amount: &str| json!({ "disputeId": dispute, "refundAmount": { "amount": amount }, "resolution": "Half of it was done." });
            Call { by: admin, input: split("40"), other: split("41"), shows: ("dispute", "id"), payments: 2 }
        }
        "paymentRetry" => {
            let admin = app.admin().await;
            let [lost, other] = [release(app, &deal, 0).await, release(app, &deal, 1).await];
            app.drain().await;
            app.reorg(2).await;
            app.token("blacklist(address)", &deal.freelancer.address()).await;
            app.settle().await;
            app.settle().await;
            assert_eq!(app.payment(&deal.client, &lost).await["status"], "FAILED");
            app.token("unBlacklist(address)", &deal.freelancer.address()).await;
            Call { payments: 1, ..Call::of_payment(&admin, &lost, &other) }
        }
        "paymentApprove" => {
            let admin = app.admin().await;
            let [lost, other] = [release(app, &deal, 0).await, release(app, &deal, 1).await];
            app.drain().await;
            assert_eq!(app.payment(&deal.client, &lost).await["status"], "ON_HOLD");
            Call::of_payment(&admin, &lost, &other)
        }
        "paymentRedirect" => {
            let admin = app.admin().await;
            app.funded(&deal, first).await;
            app.new_payout_wallet(&deal.client, 42).await;
            let refund = text(&ok(app.refund(&deal, first, None, &new_key()).await)["payment"]["id"]);
            let to = |reason: &str| json!({ "paymentId": refund, "reason": reason });
            let (input, other) = (to("Their wallet is lost."), to("For another reason."));
            Call { by: admin, input, other, shows: PAYMENT, payments: 0 }
        }
        "paymentBookCost" => {
            let admin = app.admin().await;
            let release = release(app, &deal, 0).await;
            let record = "mutation($input: TreasuryMoveInput!) { treasuryMove(input: $input) {
                treasuryMove { recordedAt } userErrors { field code message } } }";
            let moved = with(moved_outside(app, 100).await, json!({ "idempotencyKey": new_key() }));
            ok(app.mutate(&admin.token, record, moved).await);
            for _ in 0..3 {
                app.settle().await;
            }
            assert_eq!(app.payment(&deal.client, &release).await["status"], "COMPLETED");
            let circle = app.circle.as_ref().unwrap();
            circle.charge_late(&circle.accepted()[0].id, 2_500_000).unwrap();
            let cost = |usdc: &str| json!({ "paymentId": release, "cost": { "amount": usdc } });
            Call { by: admin, input: cost("2.5"), other: cost("2.6"), shows: PAYMENT, payments: 0 }
        }
        "unallocatedAssign" => {
            let admin = app.admin().await;
            let money = stray(app, &admin, 100).await;
            let mut deposits = Vec::new();
            for part in &deal.milestones {
                deposits.push(ok(app.fund(&deal, part, &new_key()).await)["payment"]["id"].clone());
            }
            let to = |deposit: &Value| json!({ "unallocatedId": money, "paymentId": deposit });
            let (input, other) = (to(&deposits[0]), to(&deposits[1]));
            Call { by: admin, input, other, shows: ("unallocatedDeposit", "id"), payments: 0 }
        }
        "unallocatedReturn" => {
            let admin = app.admin().await;
            let (money, more) = (stray(app, &admin, 7).await, stray(app, &admin, 8).await);
            let (input, other) = (json!({ "unallocatedId": money }), json!({ "unallocatedId": more }));
            Call { by: admin, input, other, shows: ("unallocatedDeposit", "id"), payments: 1 }
        }
        "treasuryMove" => {
            let admin = app.admin().await;
            app.funded(&deal, first).await;
            let input = moved_outside(app, 10).await;
            let other = with(input.clone(), json!({ "reference": format!("0x{}", "de".repeat(32)) }));
            Call { by: admin, input, other, shows: ("treasuryMove", "recordedAt"), payments: 0 }
        }
        other => panic!("{other} takes an idempotencyKey and has no test here: add it to `prepare`"),
    }
}

/// How many payments, postings, notifications and audited actions there are.
async fn counts(app: &TestApp) -> [u64; 4] {
    let db = app.app.db.reader();
    [
        payment::Entity::find().count(db).await.unwrap(),
        ledger_transfer::Entity::find().count(db).await.unwrap(),
        notification::Entity::find().count(db).await.unwrap(),
        audit_entry::Entity::find().count(db).await.unwrap(),
    ]
}

async fn call(router: &Router, mutation: &str, call: &Call, input: &Value, key: &str) -> Value {
    let query = calling(mutation, &format!("{} {{ {} }}", call.shows.0, call.shows.1));
    let input = with(input.clone(), json!({ "idempotencyKey": key }));
    let answer =
        post(router, &call.by.token, json!({ "query": query, "variables": { "input": input } })).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"][mutation].clone()
}

async fn one_effect(mutation: &str) {
    // The limit is there for paymentApprove alone.
    let limit = (mutation == "paymentApprove").then_some(Usdc(1));
    let app = match mutation {
        "treasuryMove" | "paymentBookCost" => TestApp::start_on_circle().await,
        _ => TestApp::start_with(|settings| settings.approval_above = limit).await,
    };
    let ready = Box::pin(prepare(&app, mutation)).await;
    let other_process = app.another_process().await;
    let (before, key) = (counts(&app).await, new_key());
    let calls = (0..100).map(|n| {
        let router = if n % 2 == 0 { &app.router } else { &other_process };
        call(router, mutation, &ready, &ready.input, &key)
    });
    let answers = futures::future::join_all(calls).await;
    let first = ok(answers[0].clone());
    assert!(first[ready.shows.0][ready.shows.1].is_string(), "{first}");
    for answer in answers {
        assert_eq!(ok(answer), first);
    }
    let after = counts(&app).await;
    assert_eq!(after[0] - before[0], ready.payments, "payments");
    assert_ne!(before, after, "it has an effect");

    drop(other_process);
    let restarted = app.another_process().await;
    assert_eq!(ok(call(&restarted, mutation, &ready, &ready.input, &key).await), first);
    let refused = call(&restarted, mutation, &ready, &ready.other, &key).await;
    assert_eq!(errors(&refused), ["idempotencyKey:CONFLICT"]);
    let refused = call(&restarted, mutation, &ready, &ready.input, "no uuid").await;
    assert_eq!(errors(&refused), ["idempotencyKey:INVALID"]);
    assert_eq!(counts(&app).await, after, "neither has one");
    app.settle().await;
    app.finish().await;
}

macro_rules! money_mutations {
    ($($name:ident = $mutation:literal;)*) => {
        const TESTED: &[&str] = &[$($mutation),*];
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                Box::pin(one_effect($mutation)).await;
            }
        )*
    };
}

money_mutations! {
    milestone_fund = "milestoneFund";
    milestone_approve = "milestoneApprove";
    milestone_refund = "milestoneRefund";
    contract_bonus = "contractBonus";
    dispute_resolve = "disputeResolve";
    payment_retry = "paymentRetry";
    payment_approve = "paymentApprove";
    payment_redirect = "paymentRedirect";
    payment_book_cost = "paymentBookCost";
    unallocated_assign = "unallocatedAssign";
    unallocated_return = "unallocatedReturn";
    treasury_move = "treasuryMove";
}

#[test]
fn every_mutation_with_a_key_is_tested() {
    let mut keyed = Vec::new();
    for definition in parse_schema(api::graphql::sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        let TypeKind::InputObject(object) = found.node.kind else { continue };
        if object.fields.iter().any(|field| field.node.name.node == "idempotencyKey") {
            let name = found.node.name.node.to_string();
            let name = name.strip_suffix("Input").unwrap();
            keyed.push(format!("{}{}", name[..1].to_lowercase(), &name[1..]));
        }
    }
    keyed.sort_unstable();
    let mut tested: Vec<_> = TESTED.iter().map(|name| (*name).to_owned()).collect();
    tested.sort_unstable();
    assert_eq!(keyed, tested);
}

/// A key is its caller's own, and each mutation's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_caller_and_mutation() {
    let app = TestApp::start().await;
    let key = new_key();
    let (one, two) = (app.deal(&[100]).await, app.deal_of("carl", "fred", &[100]).await);
    for deal in [&one, &two] {
        ok(app.fund(deal, &deal.milestones[0], &key).await);
    }
    let deal = app.deal_of("cleo", "finn", &[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    let bonus = "mutation($input: ContractBonusInput!) { contractBonus(input: $input) {
        payment { id } userErrors { field code message } } }";
    let input = json!({ "contractId": deal.contract, "amount": { "amount": "5" }, "idempotencyKey": key });
    ok(app.mutate(&deal.client.token, bonus, input).await);
    ok(app.approve(&deal, &deal.milestones[0], &key).await);
    app.settle().await;
    app.finish().await;
}
