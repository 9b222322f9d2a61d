//! Where apalis' tables differ between the two databases. Statements number their parameters `$1`, which
//! both understand; moments are unix seconds on SQLite and timestamps on PostgreSQL.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend};

use crate::Clock;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(super) fn of(conn: &impl ConnectionTrait) -> Self {
        match conn.get_database_backend() {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    pub(super) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    const fn pick<T: Copy>(self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }

    pub(super) const fn jobs(self) -> &'static str {
        self.pick("Jobs", "apalis.jobs")
    }

    pub(super) const fn workers(self) -> &'static str {
        self.pick("Workers", "apalis.workers")
    }

    /// A parameter that is a moment, bound as unix seconds.
    pub(super) fn at(self, parameter: u8) -> String {
        match self {
            Self::Sqlite => format!("${parameter}"),
            Self::Postgres => format!("to_timestamp(${parameter})"),
        }
    }

    /// A column that is a moment, read as unix seconds.
    pub(super) fn seconds(self, column: &str) -> String {
        match self {
            Self::Sqlite => column.to_owned(),
            Self::Postgres => format!("CAST(floor(extract(epoch FROM {column})) AS BIGINT)"),
        }
    }

    /// A parameter that is the row's metadata, bound as [`Meta::text`].
    pub(super) fn meta(self, parameter: u8) -> String {
        match self {
            Self::Sqlite => format!("${parameter}"),
            Self::Postgres => format!("CAST(${parameter} AS hstore)"),
        }
    }

    /// A parameter that is the row's last result, bound as JSON text.
    pub(super) fn json(self, parameter: u8) -> String {
        match self {
            Self::Sqlite => format!("${parameter}"),
            Self::Postgres => format!("CAST(${parameter} AS jsonb)"),
        }
    }

    /// When a row is due by `App`'s clock, in unix microseconds.
    pub(super) const fn due(self) -> &'static str {
        self.pick(
            "COALESCE(CAST(metadata ->> '$.due' AS INTEGER), run_at * 1000000)",
            "COALESCE(CAST(metadata -> 'due' AS BIGINT), CAST(extract(epoch FROM run_at) * 1000000 AS BIGINT))",
        )
    }

    /// How many attempts ended with an error that we saw.
    pub(super) const fn errors(self) -> &'static str {
        self.pick(
            "COALESCE(CAST(metadata ->> '$.errors' AS INTEGER), 0)",
            "COALESCE(CAST(metadata -> 'errors' AS BIGINT), 0)",
        )
    }

    /// How often it was quarantined.
    pub(super) const fn quarantines(self) -> &'static str {
        self.pick(
            "COALESCE(CAST(metadata ->> '$.quarantines' AS INTEGER), 0)",
            "COALESCE(CAST(metadata -> 'quarantines' AS BIGINT), 0)",
        )
    }

    /// Whether a person cancelled it.
    pub(super) const fn cancelled(self) -> &'static str {
        self.pick("metadata ->> '$.cancelled' IS NOT NULL", "metadata -> 'cancelled' IS NOT NULL")
    }

    /// The last error, as text.
    pub(super) const fn last_error(self) -> &'static str {
        self.pick("last_result ->> '$.Err'", "last_result ->> 'Err'")
    }

    /// What the row is about: its key up to the first colon. There is an index on exactly this.
    pub(super) const fn subject(self) -> &'static str {
        self.pick(
            "substr(idempotency_key, 1, instr(idempotency_key, ':') - 1)",
            "split_part(idempotency_key, ':', 1)",
        )
    }

    /// Lets another process take other rows instead of waiting for ours.
    pub(super) const fn skip_locked(self) -> &'static str {
        self.pick("", "FOR UPDATE SKIP LOCKED")
    }

    /// The order of writing, where the database knows one.
    pub(super) const fn order_of_writing(self) -> &'static str {
        self.pick("rowid", "id")
    }
}

/// What we keep in the row's metadata, which apalis carries along and does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    /// When it is due by `App`'s clock, in unix microseconds.
    pub(super) due: i64,
    /// How many attempts ended with an error that we saw: the others were crashes.
    pub(super) errors: i64,
    /// How often it was quarantined.
    pub(super) quarantines: i64,
    /// Whether a person cancelled it.
    pub(super) cancelled: bool,
}

impl Meta {
    pub(super) const fn due(at: DateTime<Utc>) -> Self {
        Self { due: at.timestamp_micros(), errors: 0, quarantines: 0, cancelled: false }
    }

    /// As it is stored: JSON on SQLite, hstore on PostgreSQL.
    pub(super) fn text(self, dialect: Dialect) -> String {
        let Self { due, errors, quarantines, cancelled } = self;
        let pair = |(name, value): (&str, i64)| match dialect {
            Dialect::Sqlite => format!(r#""{name}":"{value}""#),
            Dialect::Postgres => format!(r#""{name}"=>"{value}""#),
        };
        let pairs = [("due", due), ("errors", errors), ("quarantines", quarantines), ("cancelled", 1)];
        // Whether it is there at all says that somebody cancelled it.
        let pairs: Vec<_> = pairs.into_iter().take(if cancelled { 4 } else { 3 }).map(pair).collect();
        match dialect {
            Dialect::Sqlite => format!("{{{}}}", pairs.join(",")),
            Dialect::Postgres => pairs.join(","),
        }
    }
}

/// A moment of `App`'s clock as apalis' `run_at`: unix seconds of the machine's clock. What is due already
/// runs at once; what is due later is rounded up, so that no handler is woken before its time.
pub(super) fn run_at(clock: &Clock, due: DateTime<Utc>) -> i64 {
    let wall = clock.to_wall(due);
    let late = i64::from(due > clock.now() && wall.timestamp_subsec_nanos() > 0);
    wall.timestamp() + late
}
