//! `megilance serve`.

use std::sync::Arc;

use api::{
    config::{self, Config},
    graphql,
    http::{self, HttpSettings, HttpState, graphiql},
};
use clap::Args;
use domain::{Clock, schedule};
use tokio::net::TcpListener;

use crate::{
    Result,
    start::{self, run},
};

/// Run the API and its workers, with the settings of the environment.
///
/// Settings that are missing, wrong or unsafe are all named at once, and nothing is started. SIGTERM lets requests and
/// jobs end, within 30 seconds.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Run the API alone; `megilance worker` runs the workers elsewhere.
    #[arg(long)]
    no_workers: bool,
}

impl Serve {
    pub(super) async fn run(self, config: Config) -> Result<()> {
        let closing = run::closing()?;
        let app = start::app(&config, Clock::real(chrono::Duration::zero())).await?;
        schedule::start(&app).await?;
        start::follow_chain(&app, &closing).await?;
        warn_of_what_does_nothing();

        let settings = HttpSettings {
            cors_origins: config.cors_origins,
            // Without examples: there is no demo data here.
            graphiql: config.graphiql.then(|| -> http::Tabs { Arc::new(Vec::new) }),
            forwarded_hops: config.forwarded_hops,
            ..Default::default()
        };
        let schema = graphql::schema(app.clone());
        let state = HttpState::new(app.clone(), schema, settings, start::readiness(&app), closing.clone());
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| format!("cannot listen on {listen} (LISTEN_ADDR): {error}"))?;

        let mut work = run::Work::new(closing);
        work.api(listener, http::router(state));
        if !self.no_workers {
            work.workers(&app);
        }
        tracing::info!(%listen, workers = !self.no_workers, "ready");
        work.until_closed(&app).await
    }
}

/// Says in the log what an operator may take for working.
fn warn_of_what_does_nothing() {
    for name in config::reserved_in_env() {
        tracing::warn!(setting = name, "this version does not use this setting yet");
    }
    if !graphiql::bundled() {
        tracing::warn!("GraphiQL is not in this binary: its page loads from a CDN");
    }
}
