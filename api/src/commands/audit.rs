//! `megilance audit`.

use clap::{Args, Subcommand};
use domain::audit::{self, Verdict};

use super::{output::say, place::Place};
use crate::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Walk the audit log and check every hash in it. Ends with 1 and the first entry that is not what was written
    /// when there is one. Keep the hash that it prints: it proves later that nobody rewrote the whole log.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
}

impl Audit {
    pub(super) async fn run(self) -> Result<()> {
        let Self::Verify(Verify { place }) = self;
        let app = place.app().await?;
        match audit::verify(&app).await? {
            Verdict::Whole { entries, hash } => {
                say(format_args!("entries   {entries}"))?;
                say(format_args!("last hash {hash}"))?;
                say("The audit log is whole.")
            }
            Verdict::Broken { sequence, what } => {
                Err(format!("the audit log is broken at entry {sequence}: {what}").into())
            }
        }
    }
}
