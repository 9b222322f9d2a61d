//! `megilance ledger`.

use clap::{Args, Subcommand};
use domain::{App, ledger::verify};

use super::{output::say, place::Place};
use crate::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Work out every figure of the books anew, from payments, transfers and signatures, and hold the treasury on the
    /// chain against them. Prints each check; ends with 1 when anything does not hold.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
}

impl Ledger {
    pub(super) async fn run(self) -> Result<()> {
        let Self::Verify(Verify { place }) = self;
        let app = place.app().await?;
        check(&app).await
    }
}

async fn check(app: &App) -> Result<()> {
    let mut checks = verify::books(app).await?;
    checks.push(verify::chain(app).await?);
    checks.extend(verify::at_circle(app).await?);
    let mut wrong = 0;
    for check in checks {
        say(format_args!("{:<22}{}", check.name, check.figure))?;
        for problem in &check.problems {
            say(format_args!("  WRONG  {problem}"))?;
        }
        wrong += check.problems.len();
    }
    match wrong {
        0 => say("The books are right."),
        1 => Err("one thing in the books is not right".into()),
        wrong => Err(format!("{wrong} things in the books are not right").into()),
    }
}
