//! `megilance worker`.

use api::config::Config;
use clap::Args;
use domain::{Clock, schedule};

use crate::{
    Result,
    start::{self, run},
};

/// Run the workers alone, with the settings of the environment, beside `serve --no-workers`.
#[derive(Debug, Args)]
pub(crate) struct Worker {}

impl Worker {
    pub(super) async fn run(self, config: Config) -> Result<()> {
        let closing = run::closing()?;
        let app = start::app(&config, Clock::real(chrono::Duration::zero())).await?;
        schedule::start(&app).await?;
        start::follow_chain(&app, &closing).await?;
        let mut work = run::Work::new(closing);
        work.workers(&app);
        tracing::info!("working");
        work.until_closed(&app).await
    }
}
