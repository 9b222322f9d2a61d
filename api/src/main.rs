//! `megilance`: the API, its workers, and what operators need.

mod commands;
mod start;

use std::error::Error;
use std::process::ExitCode;

use api::config::{self, Problems};
use api::telemetry;
use clap::Parser as _;

/// Whatever ends a command early, to be told to whoever typed it.
type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    // First of all: whoever makes a TLS client takes this one.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return fail("TLS is set up twice".into());
    }
    telemetry::log(config::log_filter().as_deref());
    match arm_failpoints().and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

/// Says so in either case: a process that is made to fail must not look like one that fails.
fn arm_failpoints() -> Result<()> {
    let Some(points) = config::failpoints() else { return Ok(()) };
    if domain::fault::arm(&points)? {
        tracing::warn!(points, "FAILPOINTS is set: this process fails where it says");
    } else {
        tracing::warn!("FAILPOINTS is set, but this binary has no failpoints: nothing comes of it");
    }
    Ok(())
}

fn run(cli: commands::Cli) -> Result<()> {
    let prepared = cli.command.prepare()?;
    // It outlives the runtime, so that the last report is sent.
    let _sentry = telemetry::sentry(prepared.sentry_dsn());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(64).build()?;
    let done = runtime.block_on(prepared.run());
    // A blocking call that hangs must not keep the process alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

/// Tells on stderr what was wrong. Settings to be changed end with 2, everything else with 1.
#[expect(clippy::print_stderr, reason = "the last words of the process, for the person who started it")]
fn fail(error: Box<dyn Error + Send + Sync>) -> ExitCode {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        // Some errors repeat their cause in their own words.
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    eprintln!("megilance: {words}");
    if error.is::<Problems>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
