//! The audit log: what is written, that it stays, and that tampering shows.

use domain::{
    Actor,
    audit::{self, Verdict},
};
use futures::future::try_join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use crate::support::{TestApp, errors, new_key, ok, text};

const LOG: &str = "query($filter: AuditFilter, $first: Int, $after: String) {
    auditLog(filter: $filter, first: $first, after: $after) { totalCount pageInfo { endCursor hasNextPage } nodes {
    id sequence action subjectId details hash createdAt actor { id } subject { __typename id } } } }";

async fn log(app: &TestApp, token: &str, filter: Value) -> Vec<Value> {
    let answer = app.gql(token, LOG, json!({ "filter": filter, "first": 100 })).await;
    answer["data"]["auditLog"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer:#}")).clone()
}

async fn record(app: &TestApp, action: &str) {
    let tx = app.app.db.begin().await.unwrap();
    audit::record(&app.app, &tx, &Actor::System, action, None, json!({})).await.unwrap();
    tx.commit().await.unwrap();
}

/// Five entries, and the triggers out of the way.
async fn unguarded() -> TestApp {
    let app = TestApp::start().await;
    for action in ["a.a", "a.b", "a.c", "a.d", "a.e"] {
        record(&app, action).await;
    }
    assert!(matches!(audit::verify(&app.app).await.unwrap(), Verdict::Whole { entries: 5, .. }));
    let drops: &[&str] = match app.app.db.backend() {
        DbBackend::Postgres => &["DROP TRIGGER audit_entries_keep ON audit_entries"],
        _ => &["DROP TRIGGER audit_entries_keep", "DROP TRIGGER audit_entries_stay"],
    };
    for drop in drops {
        app.app.db.writer().execute_unprepared(drop).await.unwrap();
    }
    app
}

async fn broken_after(change: &str) -> i64 {
    let app = unguarded().await;
    app.app.db.writer().execute_unprepared(change).await.unwrap();
    let verdict = audit::verify(&app.app).await.unwrap();
    app.finish().await;
    match verdict {
        Verdict::Broken { sequence, .. } => sequence,
        Verdict::Whole { .. } => panic!("{change} does not show"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admins_do_to_jobs_and_money_is_on_record() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.funded(&deal, &deal.milestones[0]).await;
    let jobs = "{ jobs(filter: { status: SCHEDULED }) { nodes { id queue } } }";
    let job = app.gql(&admin.token, jobs, json!({})).await["data"]["jobs"]["nodes"][0].clone();
    for mutation in ["jobCancel", "jobRetry"] {
        ok(app.call(&admin.token, mutation, "", json!({ "jobId": job["id"] })).await);
    }
    let refund = "mutation($input: MilestoneRefundInput!) { milestoneRefund(input: $input) {
        payment { id } userErrors { field code message } } }";
    let input = json!({ "milestoneId": deal.milestones[0], "reason": "Asked by mail", "idempotencyKey": new_key(),
        "amount": { "amount": "30.5" } });
    let refund = ok(app.mutate(&admin.token, refund, input).await);

    let entries = log(&app, &admin.token, json!({})).await;
    let seen: Vec<_> = entries.iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(seen, ["milestone.refund", "job.retry", "job.cancel", "user.grantAdmin"]);
    let sequences: Vec<_> = entries.iter().map(|entry| text(&entry["sequence"])).collect();
    assert_eq!(sequences, ["4", "3", "2", "1"]);
    assert_eq!(entries[0]["actor"]["id"], json!(admin.id));
    assert_eq!(entries[0]["subject"], json!({ "__typename": "Milestone", "id": deal.milestones[0] }));
    let details: Value = serde_json::from_str(&text(&entries[0]["details"])).unwrap();
    assert_eq!(details, json!({ "payment": refund["payment"]["id"], "amount": "30.50" }));
    assert_eq!(entries[1]["subject"], json!({ "__typename": "Job", "id": job["id"] }));
    assert_eq!((&entries[3]["actor"], &entries[3]["subjectId"]), (&json!(null), &json!(admin.id)));
    assert_eq!(text(&entries[3]["details"]), r#"{"from":"CLIENT"}"#);
    assert!(text(&entries[0]["hash"]).len() == 64);

    for (filter, count) in [
        (json!({ "actorId": admin.id }), 3),
        (json!({ "action": "job.retry" }), 1),
        (json!({ "action": "job" }), 0),
        (json!({ "subjectId": job["id"] }), 2),
        (json!({ "subjectId": admin.id, "action": "user.grantAdmin" }), 1),
        (json!({ "from": entries[0]["createdAt"] }), 3),
        (json!({ "to": entries[0]["createdAt"] }), 1),
    ] {
        assert_eq!(log(&app, &admin.token, filter.clone()).await.len(), count, "{filter}");
    }
    let answer = app.gql(&admin.token, LOG, json!({ "filter": { "action": "x".repeat(65) } })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TOO_LONG", "{answer}");

    // Two pages are the whole, and each entry is a node, for admins.
    let page = app.gql(&admin.token, LOG, json!({ "first": 3 })).await["data"]["auditLog"].clone();
    assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)));
    let rest = json!({ "first": 3, "after": page["pageInfo"]["endCursor"] });
    let rest = app.gql(&admin.token, LOG, rest).await["data"]["auditLog"].clone();
    assert_eq!(rest["nodes"].as_array().map(Vec::len), Some(1));
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }";
    let id = json!({ "id": entries[0]["id"] });
    assert_eq!(app.gql(&admin.token, node, id.clone()).await["data"]["node"]["action"], "milestone.refund");
    for token in ["", &deal.client.token] {
        assert_eq!(app.gql(token, node, id.clone()).await["data"]["node"], json!(null));
        let answer = app.gql(token, LOG, json!({})).await;
        assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer}");
    }
    assert!(matches!(audit::verify(&app.app).await.unwrap(), Verdict::Whole { entries: 4, .. }));
    // The refund is signed, and then it arrives.
    app.drain().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_happen_is_not_on_record() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let retry =
        "mutation($input: JobRetryInput!) { jobRetry(input: $input) { userErrors { field code message } } }";
    let input = json!({ "jobId": "job_01ARZ3NDEKTSV4RRFFQ69G5FAV" });
    assert_eq!(errors(&app.mutate(&admin.token, retry, input).await), ["jobId:NOT_FOUND"]);
    domain::account::grant_admin(&app.app, &admin.email).await.unwrap();
    assert_eq!(log(&app, &admin.token, json!({})).await.len(), 1, "granting it twice changes nothing");
    let tx = app.app.db.begin().await.unwrap();
    audit::record(&app.app, &tx, &Actor::System, "a.a", None, json!({})).await.unwrap();
    drop(tx);
    record(&app, "a.b").await;
    let entries = log(&app, &admin.token, json!({})).await;
    assert_eq!((&entries[0]["action"], &entries[0]["sequence"]), (&json!("a.b"), &json!("2")));
    assert!(matches!(audit::verify(&app.app).await.unwrap(), Verdict::Whole { entries: 2, .. }));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_refuses_to_change_an_entry() {
    let app = TestApp::start().await;
    record(&app, "a.a").await;
    for change in ["UPDATE audit_entries SET action = 'b.b'", "DELETE FROM audit_entries"] {
        let error = app.app.db.writer().execute_unprepared(change).await.unwrap_err().to_string();
        assert!(error.contains("append only"), "{error}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_one_entry_is_found_where_it_is() {
    for (change, sequence) in [
        (r#"UPDATE audit_entries SET details = '{"a":1}' WHERE sequence = 3"#, 3),
        ("UPDATE audit_entries SET action = 'x.x' WHERE sequence = 5", 5),
        ("UPDATE audit_entries SET subject = 'usr_1' WHERE sequence = 1", 1),
        ("DELETE FROM audit_entries WHERE sequence = 2", 2),
        // Nothing follows the last one: the head knows of it.
        ("DELETE FROM audit_entries WHERE sequence = 5", 5),
        ("DELETE FROM audit_entries", 1),
        ("UPDATE audit_heads SET sequence = 4", 5),
        ("UPDATE audit_heads SET hash = 'x'", 5),
    ] {
        assert_eq!(broken_after(change).await, sequence, "{change}");
    }
}

/// On PostgreSQL they come by several connections.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_keep_the_chain_whole() {
    let app = TestApp::start().await;
    let writers = (0..24).map(|n| {
        let app = app.app.clone();
        tokio::spawn(async move {
            let tx = app.db.begin().await.unwrap();
            audit::record(&app, &tx, &Actor::System, "a.a", Some(format!("usr_{n}")), json!({ "n": n }))
                .await
                .unwrap();
            // Some change their mind: the next one takes their place.
            if n % 5 == 0 { drop(tx) } else { tx.commit().await.unwrap() }
        })
    });
    try_join_all(writers).await.unwrap();
    let verdict = audit::verify(&app.app).await.unwrap();
    assert!(matches!(verdict, Verdict::Whole { entries: 19, .. }), "{verdict:?}");
    app.finish().await;
}
