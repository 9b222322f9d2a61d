//! The command line. One file a command.

mod admin;
mod audit;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod healthcheck;
mod ledger;
mod migrate;
mod output;
mod place;
mod schema;
mod seed;
mod serve;
mod worker;

use api::config::Config;
use clap::{Parser, Subcommand};
use secrecy::SecretString;

use crate::Result;

/// Freelance work, paid in USDC: clients post projects, freelancers bid, milestones are held in escrow.
///
/// New here? `megilance dev` needs no settings: it starts everything, with a chain, a mailbox and demo data, and prints
/// where to look. In production `megilance migrate up` and `megilance serve` read their settings from the environment;
/// .env.example explains each.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it out: API, workers, chain, mailbox and demo data on this machine, without any settings.
    #[cfg(feature = "dev")]
    Dev(dev::Dev),
    /// Run the API and its workers, with the settings of the environment.
    Serve(serve::Serve),
    /// Run the workers alone, beside `serve --no-workers`.
    Worker(worker::Worker),
    /// Change the database's tables to what this version needs, or back.
    #[command(subcommand)]
    Migrate(migrate::Migrate),
    /// Print the GraphQL schema.
    Schema(schema::Schema),
    /// Fill an empty database with demo people, projects and contracts.
    Seed(seed::Seed),
    /// Manage administrators.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Check the settings, the database and everything outside, one line each.
    Doctor(doctor::Doctor),
    /// Ask a running server whether it is ready: for containers.
    Healthcheck(healthcheck::Healthcheck),
    /// Check the books.
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Check the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
}

/// A command with its settings, checked before anything is started.
pub(crate) struct Prepared {
    command: Command,
    config: Option<Config>,
}

impl Command {
    /// Reads the settings of the long-running commands; the others read what they need by themselves.
    pub(crate) fn prepare(self) -> Result<Prepared> {
        let config = match &self {
            Self::Serve(_) | Self::Worker(_) => Some(Config::from_env()?),
            _ => None,
        };
        Ok(Prepared { command: self, config })
    }
}

impl Prepared {
    pub(crate) fn sentry_dsn(&self) -> Option<&SecretString> {
        self.config.as_ref().and_then(|config| config.sentry_dsn.as_ref())
    }

    pub(crate) async fn run(self) -> Result<()> {
        let config = || -> Result<Config> { self.config.map_or_else(|| Ok(Config::from_env()?), Ok) };
        match self.command {
            #[cfg(feature = "dev")]
            Command::Dev(dev) => Box::pin(dev.run()).await,
            Command::Serve(serve) => Box::pin(serve.run(config()?)).await,
            Command::Worker(worker) => Box::pin(worker.run(config()?)).await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Schema(schema) => schema.run(),
            Command::Seed(seed) => Box::pin(seed.run()).await,
            Command::Admin(admin) => Box::pin(admin.run()).await,
            Command::Doctor(doctor) => Box::pin(doctor.run()).await,
            Command::Healthcheck(healthcheck) => healthcheck.run().await,
            Command::Ledger(ledger) => Box::pin(ledger.run()).await,
            Command::Audit(audit) => Box::pin(audit.run()).await,
        }
    }
}
