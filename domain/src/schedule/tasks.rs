//! The tasks that there are, one entry each.

use futures::FutureExt;

use super::Task;
use crate::{account::session, contract, milestone, project, review, tidy, treasury};

/// Every task.
pub const TASKS: &[Task] = &[
    Task {
        name: "milestones-release",
        schedule: "0 */5 * * * *",
        description: "Releases handed-in work that nobody answered for fourteen days.",
        run: |app| async move { milestone::release_overdue(&app).await }.boxed(),
    },
    Task {
        name: "milestones-remind",
        schedule: "0 10 * * * *",
        description: "Reminds both sides three days before handed-in work is released by itself.",
        run: |app| async move { milestone::remind(&app).await }.boxed(),
    },
    Task {
        name: "offers-lapse",
        schedule: "0 * * * * *",
        description: "Ends offers that nobody answered within seven days.",
        run: |app| async move { contract::lapse_overdue(&app).await }.boxed(),
    },
    Task {
        name: "projects-expire",
        schedule: "0 5 * * * *",
        description: "Ends open projects on which nothing happened for sixty days.",
        run: |app| async move { project::expire_idle(&app).await }.boxed(),
    },
    Task {
        name: "projects-warn",
        schedule: "0 0 * * * *",
        description: "Tells clients seven days before their open project expires.",
        run: |app| async move { project::warn_idle(&app).await }.boxed(),
    },
    Task {
        name: "records-tidy",
        schedule: "0 */10 * * * *",
        description: "Deletes old events, idempotency keys, mailed tokens and challenges of wallets.",
        run: |app| async move { tidy::old_records(&app).await }.boxed(),
    },
    Task {
        name: "reviews-reveal",
        schedule: "0 */5 * * * *",
        description: "Shows reviews whose fourteen days are over.",
        run: |app| async move { review::reveal_due(&app).await }.boxed(),
    },
    Task {
        name: "sessions-end",
        schedule: "30 */5 * * * *",
        description: "Ends the sessions that people had open when they were suspended.",
        run: |app| async move { session::end_suspended(&app).await }.boxed(),
    },
    Task {
        name: "treasury-reconcile",
        schedule: "15 */10 * * * *",
        description: "Holds the treasury on the chain and the balance at Circle against the books, and pauses outgoing payments when something is missing.",
        run: |app| async move { treasury::reconcile::reconcile(&app).await }.boxed(),
    },
];

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};

    use super::*;

    #[test]
    fn every_task_has_a_name_of_its_own_words_and_a_schedule() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut names: Vec<_> = TASKS.iter().map(|task| task.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TASKS.len());
        for task in TASKS {
            assert!(task.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", task.name);
            assert!(task.description.ends_with('.'), "{}", task.name);
            let next = task.next(start).unwrap();
            assert!(next > start && next <= start + Duration::days(1), "{}: {next}", task.name);
            assert!(task.next(next).unwrap() > next, "{}", task.name);
        }
    }
}
