//! Jobs and queues as they are shown.

use chrono::{DateTime, Duration, Utc};

use crate::error::{Error, Result};

/// The life of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Its time has not come.
    Scheduled,
    /// Waits for a worker.
    Ready,
    /// A worker has it.
    Running,
    /// Ended well.
    Done,
    /// Failed, and will be tried again.
    Failed,
    /// Failed for good, or too often.
    Dead,
    /// A person stopped it.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Scheduled, Self::Ready, Self::Running, Self::Done, Self::Failed, Self::Dead, Self::Cancelled];

    /// The published spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Ready => "READY",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Dead => "DEAD",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Error::bug(format!("a job is {text}")))
    }
}

/// Which jobs are wanted; what is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this queue.
    pub queue: Option<String>,
    /// In this state.
    pub state: Option<JobState>,
    /// About this thing: its public id.
    pub subject: Option<String>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// A ULID.
    pub id: String,
    /// Its queue.
    pub queue: String,
    /// Where in its life.
    pub state: JobState,
    /// Attempts that counted.
    pub attempts: i64,
    /// After this many it is dead.
    pub max_attempts: i64,
    /// What it is told: JSON with ids only.
    pub payload: String,
    /// What the last attempt met.
    pub last_error: Option<String>,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// When the latest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    pub finished_at: Option<DateTime<Utc>>,
    /// The public id of what it is about.
    pub subject: Option<String>,
}

/// How much stands in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    /// The queue.
    pub name: String,
    /// How many jobs are in which state.
    pub counts: Vec<(JobState, u64)>,
    /// For how long the oldest ready job has been due.
    pub oldest_ready: Option<Duration>,
}

impl QueueCounts {
    /// How many jobs are in a state.
    pub fn of(&self, state: JobState) -> u64 {
        self.counts.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| *count)
    }
}
