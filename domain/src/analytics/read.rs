//! Counting in the database: one statement a kind of thing, grouped by day, or by month where that will do.

use chrono::{DateTime, NaiveDate, Utc};
use entities::{PaymentKind, PaymentStatus, Role, Usdc};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{
    Period,
    calendar::{Interval, midnight},
};
use crate::{
    App,
    error::{Error, Result},
};

/// What happened, as often as it did on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    ClientSignedUp(i64),
    FreelancerSignedUp(i64),
    ProjectPublished(i64),
    ProposalSent(i64),
    ContractAccepted { count: i64, hiring_seconds: i64 },
    ContractEnded(i64),
    PaidOut { gross: Usdc, fee: Usdc },
    Refunded(Usdc),
    DisputeOpened(i64),
}

/// A table with the moment that counts, and what is summed there beside the rows.
struct Source {
    from: &'static str,
    at: &'static str,
    filter: String,
    /// What sets the rows of a day apart: a text.
    class: &'static str,
    /// Two whole numbers.
    sums: [String; 2],
    event: fn(&str, i64, [i64; 2]) -> Option<Event>,
}

/// What happened within a period, by the day (or the month) that it happened on.
pub(super) async fn events(app: &App, period: Period) -> Result<Vec<(DateTime<Utc>, Event)>> {
    let conn = app.db.reader();
    let backend = conn.get_database_backend();
    let mut events = Vec::new();
    for source in sources(backend) {
        let Source { from, at, filter, class, sums: [first, second], event } = source;
        let day = day(backend, at, period.interval);
        // Grouped by place: PostgreSQL refuses a class that is a constant by its name.
        let sql = format!(
            "SELECT {day} AS day, {class} AS class, COUNT(*) AS n,
                    CAST(COALESCE(SUM({first}), 0) AS BIGINT) AS a, CAST(COALESCE(SUM({second}), 0) AS BIGINT) AS b
             FROM {from} WHERE {at} >= $1 AND {at} < $2 AND {filter}
             GROUP BY 1, 2"
        );
        let times = [period.from.into(), period.to.into()];
        for row in conn.query_all_raw(Statement::from_sql_and_values(backend, sql, times)).await? {
            let (key, class): (String, String) = (row.try_get("", "day")?, row.try_get("", "class")?);
            let (n, sums) = (row.try_get("", "n")?, [row.try_get("", "a")?, row.try_get("", "b")?]);
            if let Some(event) = event(&class, n, sums) {
                events.push((parse(&key)?, event));
            }
        }
    }
    Ok(events)
}

/// How many contracts had been accepted before a moment and not ended before it.
pub(super) async fn running_at(app: &App, at: DateTime<Utc>) -> Result<i64> {
    let conn = app.db.reader();
    let backend = conn.get_database_backend();
    let sql = "SELECT (SELECT COUNT(*) FROM contracts WHERE accepted_at < $1)
                    - (SELECT COUNT(*) FROM contracts WHERE ended_at < $1 AND accepted_at IS NOT NULL) AS n";
    let row = conn.query_one_raw(Statement::from_sql_and_values(backend, sql, [at.into()])).await?;
    Ok(row.ok_or_else(|| Error::bug("a count without a row"))?.try_get("", "n")?)
}

fn sources(backend: DbBackend) -> [Source; 7] {
    let nothing = || ["0".to_owned(), "0".to_owned()];
    let always = || "1 = 1".to_owned();
    let (release, bonus) = (PaymentKind::Release.as_str(), PaymentKind::Bonus.as_str());
    let refund = PaymentKind::Refund.as_str();
    [
        Source {
            from: "users",
            at: "created_at",
            filter: always(),
            class: "role",
            sums: nothing(),
            event: |role, n, _| match role {
                role if role == Role::Client.as_str() => Some(Event::ClientSignedUp(n)),
                role if role == Role::Freelancer.as_str() => Some(Event::FreelancerSignedUp(n)),
                _ => None,
            },
        },
        Source {
            from: "projects",
            at: "published_at",
            filter: always(),
            class: "''",
            sums: nothing(),
            event: |_, n, _| Some(Event::ProjectPublished(n)),
        },
        Source {
            from: "proposals",
            at: "created_at",
            filter: always(),
            class: "''",
            sums: nothing(),
            event: |_, n, _| Some(Event::ProposalSent(n)),
        },
        Source {
            from: "contracts INNER JOIN projects ON projects.id = contracts.project_id",
            at: "contracts.accepted_at",
            filter: always(),
            class: "''",
            sums: [
                format!(
                    "{} - {}",
                    seconds(backend, "contracts.accepted_at"),
                    seconds(backend, "projects.published_at")
                ),
                "0".to_owned(),
            ],
            event: |_, count, [hiring_seconds, _]| Some(Event::ContractAccepted { count, hiring_seconds }),
        },
        Source {
            from: "contracts",
            at: "ended_at",
            filter: "accepted_at IS NOT NULL".to_owned(),
            class: "''",
            sums: nothing(),
            event: |_, n, _| Some(Event::ContractEnded(n)),
        },
        Source {
            from: "payments",
            at: "completed_at",
            filter: format!(
                "status = '{}' AND kind IN ('{release}', '{bonus}', '{refund}')",
                PaymentStatus::Completed.as_str()
            ),
            class: "kind",
            sums: ["amount".to_owned(), "fee".to_owned()],
            event: |kind, _, [amount, fee]| {
                Some(if kind == PaymentKind::Refund.as_str() {
                    Event::Refunded(Usdc(amount))
                } else {
                    Event::PaidOut { gross: Usdc(amount), fee: Usdc(fee) }
                })
            },
        },
        Source {
            from: "disputes",
            at: "created_at",
            filter: always(),
            class: "''",
            sums: nothing(),
            event: |_, n, _| Some(Event::DisputeOpened(n)),
        },
    ]
}

/// The day of a moment, UTC, as text; the month where the buckets are months. SQLite keeps moments as text, in UTC.
fn day(backend: DbBackend, column: &str, interval: Interval) -> String {
    let months = interval == Interval::Month;
    match (backend, months) {
        (DbBackend::Postgres, false) => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
        (DbBackend::Postgres, true) => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM')"),
        (_, false) => format!("substr({column}, 1, 10)"),
        (_, true) => format!("substr({column}, 1, 7)"),
    }
}

/// A moment in whole unix seconds.
fn seconds(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("CAST(floor(extract(epoch FROM {column})) AS BIGINT)"),
        _ => format!("unixepoch({column})"),
    }
}

/// The beginning of a day or of a month.
fn parse(key: &str) -> Result<DateTime<Utc>> {
    let day = if key.len() == 7 { format!("{key}-01") } else { key.to_owned() };
    let day = NaiveDate::parse_from_str(&day, "%Y-%m-%d");
    day.map(midnight).map_err(|error| Error::bug(format!("the day {key}: {error}")))
}
