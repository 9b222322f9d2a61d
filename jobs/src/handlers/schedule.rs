//! What comes back by the clock.

use domain::{
    App, Result,
    queue::Outcome,
    schedule::{self, TaskRun},
};

pub(crate) async fn task_run(app: App, job: TaskRun) -> Result<Outcome> {
    schedule::run(&app, &job).await
}
