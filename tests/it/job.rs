//! The queue as admins see it, and as nobody else does.

use std::time::Duration;

use async_graphql::{Request, Response};
use futures::{StreamExt, stream::BoxStream};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use crate::support::{TestApp, errors, new_key, ok, text};

const JOBS: &str = "query($filter: JobFilter) { jobs(filter: $filter, first: 5) { totalCount nodes {
    id queue status attempts maxAttempts payload lastError runAt finishedAt subject { __typename id } } } }";
const CANCEL: &str = "mutation($input: JobCancelInput!) { jobCancel(input: $input) {
    job { id status } userErrors { field code message } } }";
const RETRY: &str = "mutation($input: JobRetryInput!) { jobRetry(input: $input) {
    job { id status } userErrors { field code message } } }";

#[tokio::test(flavor = "multi_thread")]
async fn admins_see_the_queue_and_others_do_not() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let payment = text(&ok(app.fund(&deal, &deal.milestones[0], &new_key()).await)["payment"]["id"]);

    let filter = json!({ "filter": { "queue": "deposit-confirm", "subjectId": payment } });
    let listed = app.gql(&admin.token, JOBS, filter.clone()).await;
    let job = &listed["data"]["jobs"]["nodes"][0];
    assert_eq!(listed["data"]["jobs"]["totalCount"], 1, "{listed:#}");
    assert_eq!((&job["status"], &job["attempts"]), (&json!("SCHEDULED"), &json!(0)));
    assert_eq!(job["subject"], json!({ "__typename": "Payment", "id": payment }));
    assert!(text(&job["payload"]).contains(&payment));
    let queues = app.gql(&admin.token, "{ queues { name scheduled ready dead } }", json!({})).await;
    let queues = queues["data"]["queues"].as_array().unwrap();
    assert!(
        queues.iter().any(|queue| queue["name"] == "deposit-confirm" && queue["scheduled"] == 1),
        "{queues:?}"
    );

    // A party sees how its payment's jobs are doing, and nothing of their inside.
    let jobs = if app.app.db.backend() == DbBackend::Postgres { "apalis.jobs" } else { "Jobs" };
    let failed = format!(r#"UPDATE {jobs} SET last_result = '{{"Err":"inside"}}'"#);
    app.app.db.writer().execute_unprepared(&failed).await.unwrap();
    let of_payment = "query($id: ID!) { payment(id: $id) { jobs { nodes { id payload lastError } } } }";
    for (who, payload, error) in
        [(&admin, &job["payload"], json!("inside")), (&deal.client, &json!("{}"), Value::Null)]
    {
        let seen = app.gql(&who.token, of_payment, json!({ "id": payment })).await;
        let seen = &seen["data"]["payment"]["jobs"]["nodes"][0];
        assert_eq!((&seen["payload"], &seen["lastError"]), (payload, &error), "{seen}");
        assert_eq!(seen["id"], job["id"]);
    }
    for token in [&deal.client.token, &deal.freelancer.token] {
        for query in [JOBS, "{ queues { name } }"] {
            let answer = app.gql(token, query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
        }
        let answer = app.mutate(token, CANCEL, json!({ "jobId": job["id"] })).await;
        assert_eq!(errors(&answer), [":FORBIDDEN"]);
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(app.gql(token, node, json!({ "id": job["id"] })).await["data"]["node"], json!(null));
    }
    let answer = app.gql("", JOBS, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let cancelled = ok(app.mutate(&admin.token, CANCEL, json!({ "jobId": job["id"] })).await);
    assert_eq!(cancelled["job"]["status"], "CANCELLED");
    assert_eq!(
        errors(&app.mutate(&admin.token, CANCEL, json!({ "jobId": job["id"] })).await),
        ["jobId:ILLEGAL_STATE"]
    );
    let retried = ok(app.mutate(&admin.token, RETRY, json!({ "jobId": job["id"] })).await);
    assert_eq!(retried["job"]["status"], "READY");
    for (id, code) in [("job_01ARZ3NDEKTSV4RRFFQ69G5FAV", "jobId:NOT_FOUND"), ("prj_1", "jobId:INVALID_ID")] {
        assert_eq!(errors(&app.mutate(&admin.token, RETRY, json!({ "jobId": id })).await), [code]);
    }
    app.finish().await;
}

/// What workers end and admins move is heard of, by queue.
#[tokio::test(flavor = "multi_thread")]
async fn admins_hear_of_jobs() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    app.drain().await;
    let actor = domain::account::session::authenticate(&app.app, &admin.token).await.unwrap();
    let listen = |argument: &str| {
        let document = format!("subscription {{ jobUpdated{argument} {{ id queue status }} }}");
        app.schema.execute_stream(Request::new(document).data(actor.clone())).boxed()
    };
    let (mut all, mut deposits) = (listen(""), listen("(queue: \"deposit-confirm\")"));
    let next = async |stream: &mut BoxStream<'static, Response>| {
        let answer = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.unwrap().unwrap();
        serde_json::to_value(answer).unwrap()["data"]["jobUpdated"].clone()
    };
    // A stream is there from when it is first asked.
    let heard = async { tokio::join!(next(&mut all), next(&mut deposits)) };
    let done = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        ok(app.fund(&deal, &deal.milestones[0], &new_key()).await);
        let listed = json!({ "filter": { "queue": "deposit-confirm" } });
        let job = app.gql(&admin.token, JOBS, listed).await["data"]["jobs"]["nodes"][0]["id"].clone();
        // Mails go out, whatever else is due.
        app.register("nina", "CLIENT").await;
        app.drain().await;
        ok(app.mutate(&admin.token, CANCEL, json!({ "jobId": job })).await);
        job
    };
    let ((first, deposit), job) = tokio::join!(heard, done);
    assert_eq!(first["status"], "DONE", "{first}");
    assert_eq!(deposit, json!({ "id": job, "queue": "deposit-confirm", "status": "CANCELLED" }));
    app.finish().await;
}
