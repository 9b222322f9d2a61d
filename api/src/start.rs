//! Wiring: from settings to an [`App`], and from an [`App`] to a running process.

pub(crate) mod database;
#[cfg(feature = "dev")]
pub(crate) mod folder;
pub(crate) mod run;

use std::{sync::Arc, time::Duration};

use api::{
    config::Config,
    http::{Check, Readiness},
};
use domain::{
    App, Clock, Db, Purpose, payment,
    ports::{
        chain::{Chain, EvmClient},
        circle::{Circle, CircleClient},
        mail::SmtpMail,
        openai::{Assistant, OpenAi},
        storage::S3Storage,
    },
    queue,
};
use tokio_util::sync::CancellationToken;

use crate::Result;

/// The first and the longest wait before a chain that does not answer is asked again.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The application over a database that is up to date; one that is not is refused.
pub(crate) async fn app(config: &Config, clock: Clock) -> Result<App> {
    let db = database::open(&config.database_url, Purpose::Serve).await?;
    database::require_migrated(&db).await?;
    connect(db, config, clock).await
}

/// The application over an open database, with its clients to the outside. Nothing is sent to them yet.
pub(crate) async fn connect(db: Db, config: &Config, clock: Clock) -> Result<App> {
    let storage = S3Storage::connect(config.storage.clone()).await?;
    let assistant = config.assistant.clone().map(OpenAi::new).transpose()?;
    let witness =
        config.witness.clone().map(EvmClient::new).transpose()?.map(|node| Arc::new(node) as Arc<dyn Chain>);
    let circle = config.circle.clone().map(CircleClient::new).transpose()?;
    Ok(App {
        db,
        clock,
        settings: Arc::new(config.settings.clone()),
        chain: Arc::new(EvmClient::new(config.chain.clone())?),
        witness,
        circle: circle.map(|circle| -> Arc<dyn Circle> { Arc::new(circle) }),
        storage: Arc::new(storage),
        mail: Arc::new(SmtpMail::new(config.mail.clone())?),
        assistant: assistant.map(|assistant| Arc::new(assistant) as Arc<dyn Assistant>),
    })
}

/// Refuses a chain that is not the one in the settings, and starts the scanner for deposits. A node that does not
/// answer is no reason not to start: it is asked again until it does.
pub(crate) async fn follow_chain(app: &App, closing: &CancellationToken) -> Result<()> {
    match first_look(app).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_transient() => {
            tracing::warn!(%error, "the chain does not answer yet: deposits are looked for once it does");
            let (app, closing) = (app.clone(), closing.clone());
            tokio::spawn(
                async move { closing.run_until_cancelled(keep_asking(&app, closing.clone())).await },
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn first_look(app: &App) -> domain::Result<()> {
    app.chain.verify().await?;
    if let Some(witness) = &app.witness {
        witness.verify().await?;
    }
    payment::scan::start(app).await
}

async fn keep_asking(app: &App, closing: CancellationToken) {
    let mut wait = ASK_AGAIN.0;
    loop {
        tokio::time::sleep(wait).await;
        match first_look(app).await {
            Ok(()) => return tracing::info!("the chain answers"),
            Err(error) if error.is_transient() => tracing::warn!(%error, ?wait, "the chain does not answer"),
            Err(error) => {
                tracing::error!(%error, "this is not the chain of the settings: stopping");
                return closing.cancel();
            }
        }
        wait = (wait * 2).min(ASK_AGAIN.1);
    }
}

/// What `/readyz` checks: the database answers, has this version's tables, and workers are alive somewhere.
pub(crate) fn readiness(app: &App) -> Readiness {
    let app = app.clone();
    Arc::new(move || {
        let app = app.clone();
        Box::pin(async move { checks(&app).await })
    })
}

async fn checks(app: &App) -> Vec<Check> {
    let pending = match database::pending(&app.db).await {
        Ok(pending) => pending,
        Err(error) => {
            tracing::warn!(error, "the readiness check did not reach the database");
            return vec![Check::failed("database", "it does not answer")];
        }
    };
    let migrations = match pending.len() {
        0 => Check::passed("migrations"),
        count => Check::failed("migrations", format!("{count} pending")),
    };
    let workers = match queue::workers_beating(&app.db, &app.clock).await {
        Ok(true) => Check::passed("workers"),
        Ok(false) => Check::failed("workers", "none has been heard of lately"),
        Err(_) => Check::failed("workers", "the queue cannot be read"),
    };
    vec![Check::passed("database"), migrations, workers]
}
