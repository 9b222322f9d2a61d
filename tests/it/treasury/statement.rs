//! A person's statement of a period.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::support::{Deal, Someone, TestApp, new_key, ok, text};

const STATEMENT: &str = "query($id: ID!, $from: DateTime!, $to: DateTime!) { user(id: $id) {
    ledgerStatement(from: $from, to: $to) {
        fromAt toAt openingBalance { amount } closingBalance { amount } credits { amount } debits { amount }
        entries(first: 10) { totalCount nodes { id kind amount { amount } createdAt payment { id } } } csv } } }";

async fn ask(app: &TestApp, viewer: &Someone, of: &Someone, from: DateTime<Utc>, to: DateTime<Utc>) -> Value {
    let at = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    app.gql(&viewer.token, STATEMENT, json!({ "id": of.id, "from": at(from), "to": at(to) })).await
}

async fn statement(app: &TestApp, of: &Someone, from: DateTime<Utc>, to: DateTime<Utc>) -> Value {
    let answer = ask(app, of, of, from, to).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["user"]["ledgerStatement"].clone()
}

/// Opening and closing balance, credits, debits and how many entries there are.
fn figures(statement: &Value) -> [String; 5] {
    let money = |field: &str| text(&statement[field]["amount"]);
    let count = statement["entries"]["totalCount"].to_string();
    [money("openingBalance"), money("closingBalance"), money("credits"), money("debits"), count]
}

/// A freelancer who was owed 90 from the first moment returned on, and paid at the second.
async fn paid(app: &TestApp) -> (Deal, DateTime<Utc>, DateTime<Utc>) {
    let deal = app.deal(&[100]).await;
    app.submitted(&deal, &deal.milestones[0]).await;
    app.advance(Duration::hours(1));
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    app.advance(Duration::hours(1));
    app.settle().await;
    let ledger = "{ viewer { ledger(first: 10) { nodes { amount { amount } createdAt } } } }";
    let ledger = app.gql(&deal.freelancer.token, ledger, json!({})).await;
    let nodes = ledger["data"]["viewer"]["ledger"]["nodes"].clone();
    assert_eq!(
        (&nodes[0]["amount"]["amount"], &nodes[1]["amount"]["amount"]),
        (&json!("90.00"), &json!("-90.00"))
    );
    let at = |node: &Value| text(&node["createdAt"]).parse::<DateTime<Utc>>().unwrap();
    let (owed, paid) = (at(&nodes[1]), at(&nodes[0]));
    assert!(owed < paid);
    (deal, owed, paid)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_has_its_first_moment_and_not_its_last() {
    let app = TestApp::start().await;
    let (deal, owed, paid) = paid(&app).await;
    let of = &deal.freelancer;
    let (micro, hour) = (Duration::microseconds(1), Duration::hours(1));

    let from_to = async |from, to| figures(&statement(&app, of, from, to).await);
    assert_eq!(from_to(owed, paid).await, ["0.00", "90.00", "90.00", "0.00", "1"]);
    assert_eq!(from_to(owed, paid + micro).await, ["0.00", "0.00", "90.00", "90.00", "2"]);
    assert_eq!(from_to(owed + micro, paid).await, ["90.00", "90.00", "0.00", "0.00", "0"]);
    assert_eq!(from_to(paid, paid + hour).await, ["90.00", "0.00", "0.00", "90.00", "1"]);
    assert_eq!(from_to(owed - hour, owed).await, ["0.00", "0.00", "0.00", "0.00", "0"]);
    assert_eq!(from_to(paid + micro, paid + hour).await, ["0.00", "0.00", "0.00", "0.00", "0"]);

    // What one period ends with the next begins with.
    let middle = owed + (paid - owed) / 2;
    let (before, after) = (from_to(owed - hour, middle).await, from_to(middle, paid + hour).await);
    assert_eq!(before[1], after[0]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_has_every_entry_with_the_balance_after_it() {
    let app = TestApp::start().await;
    let (deal, owed, paid) = paid(&app).await;
    let seen = statement(&app, &deal.freelancer, owed, paid + Duration::hours(1)).await;
    let file = text(&seen["csv"]);
    assert!(file.ends_with("\r\n") && file.lines().count() == 3, "{file:?}");
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        &csv::StringRecord::from(vec!["time", "entry", "kind", "payment", "currency", "amount", "balance",])
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let entries = seen["entries"]["nodes"].as_array().unwrap();
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(entries) {
        assert_eq!(
            row[0].parse::<DateTime<Utc>>().unwrap(),
            text(&entry["createdAt"]).parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!((&row[1], &row[2]), (text(&entry["id"]).as_str(), text(&entry["kind"]).as_str()));
        assert_eq!((&row[3], &row[4]), (text(&entry["payment"]["id"]).as_str(), "USDC"));
        // Nothing that a spreadsheet would work out; a number may be negative.
        let formula = |cell: &str| {
            cell.starts_with(['=', '+', '@', '\t', '\r'])
                || (cell.starts_with('-') && cell.parse::<f64>().is_err())
        };
        assert!(!row.iter().any(formula), "{row:?}");
    }
    assert_eq!((&rows[0][5], &rows[0][6], &rows[1][5], &rows[1][6]), ("90.00", "90.00", "-90.00", "0.00"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_for_oneself_and_administrators_and_for_a_year() {
    let app = TestApp::start().await;
    let (deal, owed, paid) = paid(&app).await;
    let admin = app.admin().await;
    let hidden = ask(&app, &deal.client, &deal.freelancer, owed, paid).await;
    assert!(hidden["data"]["user"]["ledgerStatement"].is_null(), "{hidden}");
    let shown = ask(&app, &admin, &deal.freelancer, owed, paid).await;
    assert_eq!(shown["data"]["user"]["ledgerStatement"]["closingBalance"]["amount"], "90.00");

    let year = Duration::days(366);
    assert_eq!(figures(&statement(&app, &deal.freelancer, paid - year, paid).await)[1], "90.00");
    let micro = Duration::microseconds(1);
    for (from, to) in [(paid - year - micro, paid), (paid, paid), (paid, owed)] {
        let refused = ask(&app, &deal.freelancer, &deal.freelancer, from, to).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OUT_OF_RANGE", "{from} to {to}: {refused}");
    }
    app.finish().await;
}
