//! The demo: what `megilance dev` begins with, and a market of any size.

use std::collections::BTreeSet;

use api::seed::{self, PASSWORD, Plan, Values};
use chrono::Duration;
use domain::{
    App,
    entities::{
        ProjectStatus, contract, ledger_posting, payment, project, project_text, proposal, review, user,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::support::{TestApp, text};

/// What `megilance dev` seeds, money included.
pub async fn demo(app: &TestApp) -> Values {
    let mut demo = Box::pin(seed::people_and_market(&app.app, &plan(1, 1))).await.unwrap();
    let pay = Box::pin(seed::money::move_money(&app.app, &app.evm, "a folder's secret", &mut demo));
    // It waits for blocks to be looked at, by a clock that runs.
    let run = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            app.advance(Duration::milliseconds(10));
        }
    };
    tokio::select! {
        paid = pay => paid.unwrap(),
        () = run => (),
    }
    demo.values
}

/// A token of somebody of the demo.
pub async fn sign_in(app: &TestApp, email: &str) -> String {
    let query =
        "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } } }";
    text(
        &app.mutate("", query, json!({ "email": email, "password": PASSWORD })).await["session"]["accessToken"],
    )
}

fn plan(scale: u32, seed: u64) -> Plan {
    Plan { password: PASSWORD.into(), scale, seed }
}

/// What a market consists of: the ids of everything, and what the dice decided.
async fn market(app: &App) -> BTreeSet<String> {
    let db = app.db.reader();
    let mut lines = BTreeSet::new();
    macro_rules! all {
        ($($table:ident: $($column:ident),+;)+) => { $(
            for row in $table::Entity::find().all(db).await.unwrap() {
                lines.insert(format!("{} {:?}", row.id, ($(&row.$column),+)));
            }
        )+ };
    }
    all! {
        user: email, display_name, rating, review_count, created_at;
        project: title, status, client_id, budget_max, created_at;
        proposal: project_id, freelancer_id, status, bid;
        contract: proposal_id, status, amount, ended_at;
        payment: kind, status, amount, fee, net, completed_at;
        ledger_posting: transfer_id, amount;
        review: contract_id, rating, comment;
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_made_once() {
    let app = TestApp::start().await;
    let first = demo(&app).await;
    let before = market(&app.app).await;
    let again = demo(&app).await;
    assert_eq!(market(&app.app).await, before, "a second time it finds everything");
    let names = |values: &Values| values.keys().copied().collect::<BTreeSet<_>>();
    assert_eq!(names(&again), names(&first));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_market_is_the_same_everywhere_and_its_books_agree() {
    let (app, other) = (TestApp::start().await, TestApp::start().await);
    seed::people_and_market(&other.app, &plan(1, 7)).await.unwrap();
    let small = market(&other.app).await.len();
    let grown = seed::people_and_market(&other.app, &plan(12, 7)).await.unwrap();
    assert!((1_400..2_000).contains(&grown.rows), "eleven steps of about 150 rows: {}", grown.rows);
    assert_eq!(
        seed::people_and_market(&other.app, &plan(12, 7)).await.unwrap().rows,
        0,
        "all of it is there"
    );

    // The demo's own ids are random. All others are not: on another database, and grown in two steps.
    seed::people_and_market(&app.app, &plan(5, 7)).await.unwrap();
    seed::people_and_market(&app.app, &plan(12, 7)).await.unwrap();
    let (left, right) = (market(&app.app).await, market(&other.app).await);
    assert_eq!((left.len(), left.intersection(&right).count()), (right.len(), right.len() - small));
    let different = TestApp::start().await;
    seed::people_and_market(&different.app, &plan(12, 8)).await.unwrap();
    assert_eq!(market(&different.app).await.intersection(&right).count(), 0, "another seed, another market");

    // What is in it can be found, in every state.
    let db = app.app.db.reader();
    let projects = project::Entity::find().count(db).await.unwrap();
    assert_eq!(
        project_text::Entity::find().count(db).await.unwrap(),
        projects,
        "every project can be searched for"
    );
    for status in
        [ProjectStatus::Draft, ProjectStatus::Open, ProjectStatus::InProgress, ProjectStatus::Completed]
    {
        let some =
            project::Entity::find().filter(project::Column::Status.eq(status)).count(db).await.unwrap();
        assert!(some >= 11, "{some} projects are {status:?}");
    }
    // finish() holds the ledger against itself, and against a chain that never saw this money.
    for app in [app, other, different] {
        app.finish().await;
    }
}
