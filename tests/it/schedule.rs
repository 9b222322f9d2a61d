//! Scheduled work: what comes back by the clock, once a tick, whatever the number of processes.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Duration;
use domain::{
    App, Db, Error, Purpose,
    entities::{UserId, scheduled_task, user},
    queue::Outcome,
    schedule::{self, TASKS, Task, TaskRun},
};
use futures::FutureExt;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::{
    market::{self, accept, post, project_status, propose, told},
    support::{TestApp, database, errors, ok, text},
};

const LIST: &str =
    "{ scheduledTasks { name description schedule lastStartedAt lastFinishedAt lastCount lastError
    runs nextRunAt } }";
const RUN: &str = "mutation($input: ScheduledTaskRunInput!) { scheduledTaskRun(input: $input) {
    scheduledTask { name nextRunAt } userErrors { field code message } } }";

async fn row(app: &App, name: &str) -> scheduled_task::Model {
    scheduled_task::Entity::find_by_id(name).one(app.db.reader()).await.unwrap().expect("a row")
}

async fn job(app: &App, name: &str) -> TaskRun {
    TaskRun { name: name.to_owned(), look: row(app, name).await.look }
}

/// Another process on the same database: its own connections, the same clock.
async fn another(app: &TestApp) -> App {
    let url = database::url(&app.app.db, app.folder()).await;
    App { db: Db::open(&url, Purpose::Serve).await.unwrap(), ..app.app.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_see_every_task_with_its_last_and_its_next_run() {
    let app = TestApp::start().await;
    let (client, admin) = (market::client(&app).await, app.admin().await);
    let seen = app.gql(&admin.token, LIST, json!({})).await;
    let seen = seen["data"]["scheduledTasks"].as_array().unwrap().clone();
    assert_eq!(seen.len(), TASKS.len(), "the table is filled at start");
    let lapse = seen.iter().find(|task| task["name"] == "offers-lapse").unwrap();
    // 12:00:00 by App's clock, whatever the machine's is.
    assert_eq!(lapse["nextRunAt"], "2026-03-01T12:01:00+00:00", "{lapse}");
    assert_eq!((&lapse["runs"], &lapse["lastStartedAt"]), (&json!(0), &Value::Null));
    assert_eq!(lapse["schedule"], "0 * * * * *");

    let task = ok(app.mutate(&admin.token, RUN, json!({ "name": "projects-warn" })).await);
    assert_eq!(task["scheduledTask"]["nextRunAt"], "2026-03-01T12:00:00+00:00");
    app.drain().await;
    let seen = app.gql(&admin.token, LIST, json!({})).await;
    let warn = seen["data"]["scheduledTasks"].as_array().unwrap().iter();
    let warn = warn.clone().find(|task| task["name"] == "projects-warn").unwrap();
    assert_eq!((&warn["runs"], &warn["lastCount"], &warn["lastError"]), (&json!(1), &json!(0), &Value::Null));
    assert_eq!(warn["lastFinishedAt"], "2026-03-01T12:00:00+00:00");
    assert_eq!(warn["nextRunAt"], "2026-03-01T13:00:00+00:00");

    let log = "{ auditLog(first: 1) { nodes { action details } } }";
    let log = app.gql(&admin.token, log, json!({})).await["data"]["auditLog"]["nodes"][0].clone();
    assert_eq!(log, json!({ "action": "scheduledTask.run", "details": r#"{"name":"projects-warn"}"# }));

    let answer = app.mutate(&admin.token, RUN, json!({ "name": "nothing" })).await;
    assert_eq!(errors(&answer), ["name:NOT_FOUND"]);
    assert_eq!(errors(&app.mutate(&client, RUN, json!({ "name": "projects-warn" })).await), [":FORBIDDEN"]);
    let refused = app.gql(&client, LIST, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_passed_are_one_run_and_the_next_is_by_the_moved_clock() {
    let app = TestApp::start().await;
    app.advance(Duration::days(3) + Duration::seconds(10));
    app.drain().await;
    app.drain().await;
    for task in TASKS {
        let row = row(&app.app, task.name).await;
        assert_eq!(row.runs, 1, "{}", task.name);
        assert_eq!(row.due_at, task.next(app.app.clock.now()).ok(), "{}", task.name);
    }
    // Started again, by this process or another: nothing moves.
    let before = row(&app.app, "offers-lapse").await;
    schedule::start(&app.app).await.unwrap();
    assert_eq!(row(&app.app, "offers-lapse").await, before);
    app.finish().await;
}

static RAN: AtomicU64 = AtomicU64::new(0);

/// Takes a moment, so that others come while it runs.
const SLOW: &[Task] = &[Task {
    name: "slow",
    schedule: "0 0 * * * *",
    description: "Counts.",
    run: |_| {
        async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            Ok(RAN.fetch_add(1, Ordering::SeqCst) + 1)
        }
        .boxed()
    },
}];

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_run_a_tick_once() {
    let app = TestApp::start().await;
    let other = another(&app).await;
    let (a, b) = tokio::join!(schedule::start_with(&app.app, SLOW), schedule::start_with(&other, SLOW));
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    assert_eq!(row(&app.app, "slow").await.look, 1, "one of them queued the first run");
    for tick in 1..=3 {
        app.advance(Duration::hours(1));
        let job = job(&app.app, "slow").await;
        let (a, b, c) = tokio::join!(
            schedule::run_with(&app.app, SLOW, &job),
            schedule::run_with(&other, SLOW, &job),
            schedule::run_with(&other, SLOW, &job),
        );
        for outcome in [a, b, c] {
            assert_eq!(outcome.unwrap(), Outcome::Done);
        }
        assert_eq!(RAN.load(Ordering::SeqCst), tick);
        let row = row(&app.app, "slow").await;
        assert_eq!((row.runs, row.last_count), (i64::try_from(tick).unwrap(), i64::try_from(tick).ok()));
    }
    // Too early: it waits for its time rather than being forgotten.
    let early = schedule::run_with(&app.app, SLOW, &job(&app.app, "slow").await).await.unwrap();
    assert_eq!(early, Outcome::RetryIn(std::time::Duration::from_secs(3600)));
    // One that only a newer version knows is left to it.
    let unknown = TaskRun { name: "newer".to_owned(), look: 1 };
    assert!(matches!(schedule::run_with(&app.app, SLOW, &unknown).await, Ok(Outcome::RetryIn(_))));
    other.db.close().await.unwrap();
    app.finish().await;
}

static BROKEN: AtomicU64 = AtomicU64::new(0);

/// Fails, then panics, then works.
const BAD: &[Task] = &[Task {
    name: "bad",
    schedule: "0 * * * * *",
    description: "Fails twice.",
    run: |_| {
        async {
            match BROKEN.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Error::bug("the moon is wrong")),
                1 => panic!("no moon"),
                _ => Ok(7),
            }
        }
        .boxed()
    },
}];

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_says_why_and_runs_again_at_its_next_tick() {
    let app = TestApp::start().await;
    schedule::start_with(&app.app, BAD).await.unwrap();
    for (error, count) in [
        (Some("bug: the moon is wrong"), None),
        (Some("it panicked: the log says where"), None),
        (None, Some(7)),
    ] {
        app.advance(Duration::minutes(1));
        let job = job(&app.app, "bad").await;
        assert_eq!(schedule::run_with(&app.app, BAD, &job).await.unwrap(), Outcome::Done);
        let row = row(&app.app, "bad").await;
        assert_eq!((row.last_error.as_deref(), row.last_count), (error, count));
        assert_eq!(row.due_at, BAD[0].next(app.app.clock.now()).ok());
        assert_eq!(row.last_finished_at, Some(app.app.clock.now()));
    }
    assert_eq!(row(&app.app, "bad").await.runs, 3);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_wake_up_and_a_run_that_died_keep_nothing_from_the_next_tick() {
    let app = TestApp::start().await;
    let jobs = if app.app.db.backend() == sea_orm::DbBackend::Postgres { "apalis.jobs" } else { "Jobs" };
    app.app.db.writer().execute_unprepared(&format!("DELETE FROM {jobs}")).await.unwrap();
    app.advance(Duration::minutes(2));
    app.drain().await;
    assert_eq!(row(&app.app, "offers-lapse").await.runs, 1, "the sweep found it");

    // The process died after it had taken the tick: the row moved on, and its job is taken over by another.
    let died = job(&app.app, "offers-lapse").await;
    app.advance(Duration::minutes(1));
    assert_eq!(schedule::run(&app.app, &died).await.unwrap(), Outcome::Done);
    assert_eq!(schedule::run(&app.app, &died).await.unwrap(), Outcome::Done, "taken over: nothing is left");
    assert_eq!(row(&app.app, "offers-lapse").await.runs, 2);
    app.advance(Duration::minutes(1));
    app.drain().await;
    assert_eq!(row(&app.app, "offers-lapse").await.runs, 3);
    app.finish().await;
}

/// Project: expire after 60 days without activity, owner told 7 days before.
#[tokio::test(flavor = "multi_thread")]
async fn rule_project_expires_after_60_days_without_activity() {
    // Nobody is signed out meanwhile.
    let app = TestApp::start_with(|settings| {
        settings.access_token_ttl = std::time::Duration::from_secs(365 * 24 * 3600);
        settings.session_ttl = settings.access_token_ttl;
    })
    .await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let (idle, busy) = (post(&app, &client, json!({})).await, post(&app, &client, json!({})).await);
    let draft = post(&app, &client, json!({ "publish": false })).await;
    let invited = app.register("ivy", "FREELANCER").await.id;
    let bid_on = async || {
        let project = post(&app, &client, json!({})).await;
        let proposal = propose(&app, &freelancer, &project, json!({})).await;
        (project, proposal)
    };
    let active = [
        ("invitationSend", &client, bid_on().await, json!({ "freelancerId": invited })),
        ("proposalShortlist", &client, bid_on().await, json!({ "shortlisted": true })),
        ("proposalReject", &client, bid_on().await, json!({})),
        ("proposalUpdate", &freelancer, bid_on().await, json!({ "availability": "FLEXIBLE" })),
    ];
    app.advance(Duration::days(59) + Duration::hours(23) + Duration::minutes(59));
    app.drain().await;
    assert_eq!(project_status(&app, &client, &idle).await, "OPEN");
    propose(&app, &freelancer, &busy, json!({})).await;
    // Whatever else either side does about it keeps a project open, too.
    let mut busier = Vec::new();
    for (mutation, who, bid_on, input) in active {
        let on = if mutation == "invitationSend" { "projectId" } else { "proposalId" };
        let (project, proposal): (String, String) = bid_on;
        let mut input: Value = input;
        input[on] = json!(if on == "projectId" { &project } else { &proposal });
        ok(app.call(who, mutation, "", input).await);
        busier.push(project);
    }
    // To the day, and on to the next run.
    app.advance(Duration::minutes(1));
    app.advance(Duration::hours(1));
    app.drain().await;
    assert_eq!(project_status(&app, &client, &idle).await, "EXPIRED");
    for project in std::iter::once(&busy).chain(&busier) {
        assert_eq!(project_status(&app, &client, project).await, "OPEN");
    }
    assert_eq!(project_status(&app, &client, &draft).await, "DRAFT");
    let told = told(&app, &client).await;
    assert_eq!(told.iter().filter(|kind| *kind == "PROJECT_EXPIRED").count(), 1, "{told:?}");
    app.finish().await;
}

/// Project: owner told 7 days before it expires.
#[tokio::test(flavor = "multi_thread")]
async fn rule_project_owner_is_told_7_days_before_it_expires() {
    let app = TestApp::start().await;
    let client = market::client(&app).await;
    let project = post(&app, &client, json!({})).await;
    let expires = "query($id: ID!) { project(id: $id) { status expiresAt } }";
    let seen = app.gql(&client, expires, json!({ "id": project })).await;
    assert_eq!(seen["data"]["project"]["expiresAt"], "2026-04-30T12:00:00+00:00");
    // 53 days less a minute.
    app.advance(Duration::days(53) - Duration::minutes(1));
    app.drain().await;
    assert_eq!(told(&app, &client).await, [""; 0]);
    app.advance(Duration::minutes(1));
    app.drain().await;
    assert_eq!(told(&app, &client).await, ["PROJECT_EXPIRING"]);
    // Told once, however often it is looked at.
    app.advance(Duration::days(6));
    app.drain().await;
    assert_eq!(told(&app, &client).await, ["PROJECT_EXPIRING"]);
    app.finish().await;
}

/// Contract: LAPSED (7 days unanswered).
#[tokio::test(flavor = "multi_thread")]
async fn rule_contract_offer_lapses_after_7_days_unanswered() {
    let app = TestApp::start().await;
    let (client, freelancer) = (market::client(&app).await, market::freelancer(&app).await);
    let project = post(&app, &client, json!({})).await;
    let proposal = propose(&app, &freelancer, &project, json!({})).await;
    let offered = accept(&app, &client, &proposal).await;
    let contract = &offered["data"]["proposalAccept"]["contract"];
    assert_eq!(contract["lapsesAt"], "2026-03-08T12:00:00+00:00");
    let status = "query($id: ID!) { contract(id: $id) { status } }";
    let id = json!({ "id": text(&contract["id"]) });
    app.advance(Duration::days(7) - Duration::minutes(1));
    app.drain().await;
    assert_eq!(app.gql(&client, status, id.clone()).await["data"]["contract"]["status"], "PENDING");
    app.advance(Duration::minutes(1));
    app.drain().await;
    assert_eq!(app.gql(&client, status, id).await["data"]["contract"]["status"], "LAPSED");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_that_a_suspended_person_had_open_end() {
    let app = TestApp::start().await;
    let someone = app.register("sue", "CLIENT").await;
    app.verify(&someone.email).await;
    let other = market::client(&app).await;
    let id: UserId = someone.id.parse().unwrap();
    let suspended_at = Some(app.app.clock.now());
    let change = user::ActiveModel { id: Set(id), suspended_at: Set(suspended_at), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
    let viewer = "{ viewer { id } }";
    assert!(app.gql(&someone.token, viewer, json!({})).await["data"]["viewer"].is_object());
    app.advance(Duration::minutes(5) + Duration::seconds(31));
    // To look at what is theirs they may sign in again, and stay.
    let again = market::sign_in(&app, &someone.email).await;
    app.drain().await;
    assert_ne!(app.gql(&someone.token, viewer, json!({})).await["data"]["viewer"]["id"], json!(someone.id));
    assert!(app.gql(&again, viewer, json!({})).await["data"]["viewer"].is_object());
    assert!(app.gql(&other, viewer, json!({})).await["data"]["viewer"].is_object());
    assert_eq!(row(&app.app, "sessions-end").await.last_count, Some(1));
    let rows = scheduled_task::Entity::find().count(app.app.db.reader()).await.unwrap();
    assert_eq!(rows, TASKS.len() as u64);
    app.finish().await;
}
