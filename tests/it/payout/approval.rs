//! What needs a second administrator is the decision, whatever it is divided into.

use domain::entities::Usdc;
use serde_json::{Value, json};

use super::{handle, keyed};
use crate::support::{Deal, TestApp, errors, new_key, ok, text};

/// The contract's payments of a kind that wait for an approval, or do not.
async fn parts(app: &TestApp, deal: &Deal, kind: &str) -> Vec<Value> {
    let nodes = app.contract_of(deal, "payments(first: 50) { nodes { id kind status needsApproval } }").await;
    let nodes = nodes["payments"]["nodes"].as_array().unwrap().clone();
    nodes.into_iter().filter(|row| row["kind"] == kind).collect()
}

/// A refund that goes back to several wallets is one decision: its parts are not small ones.
#[tokio::test(flavor = "multi_thread")]
async fn rule_the_parts_of_a_refund_need_the_approval_of_their_sum() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc(100_000_000))).await;
    let admin = app.admin().await;
    for (sum, needs) in [(100, false), (101, true)] {
        let (client, freelancer) = (format!("carla-{sum}"), format!("felix-{sum}"));
        let deal = app.deal_of(&client, &freelancer, &[sum]).await;
        let treasury = app.app.chain.treasury().to_string();
        let mut other = app.register(&format!("more-{sum}"), "CLIENT").await;
        other.token.clone_from(&deal.client.token);
        app.link(&other).await;
        ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
        for (wallet, part) in [(deal.client.address(), 60), (other.address(), u64::from(sum) - 60)] {
            app.evm.pay(&wallet, &treasury, part * 1_000_000).await.unwrap();
            app.evm.mine(1).unwrap();
        }
        app.mine(5).await;
        ok(app.refund(&deal, &deal.milestones[0], None, &new_key()).await);
        let refunds = parts(&app, &deal, "REFUND").await;
        assert_eq!(refunds.len(), 2, "{refunds:?}");
        assert!(refunds.iter().all(|row| row["needsApproval"] == json!(needs)), "{sum}: {refunds:?}");
        app.drain().await;
        if needs {
            for refund in parts(&app, &deal, "REFUND").await {
                assert_eq!(refund["status"], "ON_HOLD", "{refund}");
                ok(handle(&app, &admin, "paymentApprove", &text(&refund["id"]), keyed()).await);
            }
        }
        // The treasury holds no more than both: the second waits until the first is seen to have gone.
        app.settle().await;
        app.settle().await;
        assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "REFUNDED");
    }
    app.finish().await;
}

/// A dispute's resolution is one decision, however it divides.
#[tokio::test(flavor = "multi_thread")]
async fn both_parts_of_a_resolution_need_the_approval_of_their_sum() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc(99_000_000))).await;
    let (deal, admin, other) = (app.deal(&[100]).await, app.admin().await, app.admin_named("olga").await);
    app.funded(&deal, &deal.milestones[0]).await;
    let open = "mutation($input: DisputeOpenInput!) { disputeOpen(input: $input) {
        dispute { id } userErrors { field code message } } }";
    let why = json!({ "milestoneId": deal.milestones[0], "kind": "SCOPE", "description": "It is not what we agreed on." });
    let dispute = ok(app.mutate(&deal.client.token, open, why).await)["dispute"]["id"].clone();
    for (mutation, more) in [
        ("disputeTake", json!({})),
        (
            "disputeResolve",
            json!({ "refundAmount": { "amount": "50" }, "resolution": "Half of it was done.", "idempotencyKey": new_key() }),
        ),
    ] {
        let type_name = format!("D{}Input", &mutation[1..]);
        let query = format!(
            "mutation($input: {type_name}!) {{ {mutation}(input: $input) {{ userErrors {{ field code message }} }} }}"
        );
        let mut input = more;
        input["disputeId"] = dispute.clone();
        ok(app.mutate(&admin.token, &query, input).await);
    }
    app.drain().await;
    for kind in ["REFUND", "RELEASE"] {
        let [part]: [Value; 1] = parts(&app, &deal, kind).await.try_into().unwrap();
        assert_eq!((&part["status"], &part["needsApproval"]), (&json!("ON_HOLD"), &json!(true)), "{part}");
        let id = text(&part["id"]);
        assert_eq!(errors(&handle(&app, &admin, "paymentApprove", &id, keyed()).await), [":FORBIDDEN"]);
        ok(handle(&app, &other, "paymentApprove", &id, keyed()).await);
    }
    app.settle().await;
    app.settle().await;
    assert_eq!(app.status_of(&deal, &deal.milestones[0]).await, "SPLIT");
    app.finish().await;
}

/// Who sends money elsewhere does not also say that it may go.
#[tokio::test(flavor = "multi_thread")]
async fn rule_who_redirects_a_payment_does_not_approve_it() {
    let app = TestApp::start_with(|settings| settings.approval_above = Some(Usdc(50_000_000))).await;
    let (deal, admin, olga) = (app.deal(&[100]).await, app.admin().await, app.admin_named("olga").await);
    let part = &deal.milestones[0];
    app.funded(&deal, part).await;
    let refund = text(&ok(app.refund(&deal, part, None, &new_key()).await)["payment"]["id"]);
    app.drain().await;
    let other = app.new_payout_wallet(&deal.client, 45).await;
    let way = json!({ "reason": "Their wallet is lost.", "idempotencyKey": new_key() });
    ok(handle(&app, &admin, "paymentRedirect", &refund, way).await);
    app.drain().await;
    assert_eq!(errors(&handle(&app, &admin, "paymentApprove", &refund, keyed()).await), [":FORBIDDEN"]);
    assert_eq!(app.payment(&deal.client, &refund).await["status"], "ON_HOLD");
    ok(handle(&app, &olga, "paymentApprove", &refund, keyed()).await);
    app.settle().await;
    assert_eq!(app.usdc_of(&other.address()).await, 100_000_000);
    app.finish().await;
}
