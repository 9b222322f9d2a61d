//! Disputes: a party freezes a milestone, an admin divides what is in escrow.

mod judge;
mod life;
mod money;
mod race;

use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, new_key, ok, text};

const FIELDS: &str = "id kind status description resolution endsContract escalationNote
    refundAmount { amount } releaseAmount { amount } inEscrow { amount }
    openedBy { id } takenBy { id } resolvedBy { id } takenAt escalatedAt endedAt
    milestone { id status autoReleaseAt } contract { id status }
    evidence { id note author { id } files { id filename url } }
    payments { id kind status amount { amount } fee { amount } net { amount } dispute { id } }";

/// What a party writes when it opens a dispute.
const WHY: &str = "The work is not what we agreed on.";

/// Calls one of this noun's mutations; the payload.
async fn call(app: &TestApp, by: &Someone, mutation: &str, input: Value) -> Value {
    app.call(&by.token, mutation, &format!("dispute {{ {FIELDS} }}"), input).await
}

/// disputeOpen; the payload.
async fn open(app: &TestApp, by: &Someone, milestone: &str) -> Value {
    let input = json!({ "milestoneId": milestone, "kind": "QUALITY", "description": WHY });
    call(app, by, "disputeOpen", input).await
}

/// One of the mutations that take the dispute alone; the payload.
async fn simply(app: &TestApp, by: &Someone, mutation: &str, dispute: &str) -> Value {
    call(app, by, mutation, json!({ "disputeId": dispute })).await
}

/// disputeResolve; the payload.
async fn resolve(app: &TestApp, by: &Someone, dispute: &str, refund: &str, key: &str) -> Value {
    call(app, by, "disputeResolve", decision(dispute, refund, key)).await
}

fn decision(dispute: &str, refund: &str, key: &str) -> Value {
    json!({ "disputeId": dispute, "refundAmount": { "amount": refund }, "idempotencyKey": key,
        "resolution": "Both sides are right in part." })
}

/// A dispute that the client opened and the admin took; its id.
async fn taken(app: &TestApp, deal: &Deal, admin: &Someone, milestone: &str) -> String {
    let dispute = text(&ok(open(app, &deal.client, milestone).await)["dispute"]["id"]);
    ok(simply(app, admin, "disputeTake", &dispute).await);
    dispute
}

/// A dispute as somebody sees it; null when they do not.
async fn look(app: &TestApp, by: &Someone, dispute: &str) -> Value {
    let query = format!("query($id: ID!) {{ dispute(id: $id) {{ {FIELDS} }} }}");
    let answer = app.gql(&by.token, &query, json!({ "id": dispute })).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["dispute"].clone()
}

/// The contract's status and those of its milestones, in order.
async fn states(app: &TestApp, deal: &Deal) -> (String, Vec<String>) {
    let query = "query($id: ID!) { contract(id: $id) { status milestones { status } } }";
    let answer = app.gql(&deal.client.token, query, json!({ "id": deal.contract })).await;
    let contract = &answer["data"]["contract"];
    let milestones = contract["milestones"].as_array().unwrap();
    (text(&contract["status"]), milestones.iter().map(|row| text(&row["status"])).collect())
}

/// Mines until every payout that is under way is final.
async fn paid_out(app: &TestApp) {
    for _ in 0..5 {
        app.mine(5).await;
    }
}

/// A resolved dispute whose money has moved.
async fn resolved(app: &TestApp, admin: &Someone, dispute: &str, refund: &str) {
    ok(resolve(app, admin, dispute, refund, &new_key()).await);
    paid_out(app).await;
}
