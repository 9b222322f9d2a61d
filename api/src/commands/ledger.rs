//! `megilance ledger`.

use clap::{Args, Subcommand};
use domain::{
    App,
    entities::{PaymentRail, Usdc},
    ledger::{self, Account},
};

use super::{output::say, place::Place};
use crate::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Check that the books sum to zero, and that the treasury has on the chain what it has in the books. Ends with 1
    /// and the difference when not.
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
        verify(&app).await
    }
}

async fn verify(app: &App) -> Result<()> {
    let total = ledger::grand_total(app.db.reader()).await?;
    say(format_args!("all postings    {total}"))?;
    let books = ledger::balance(app.db.reader(), Account::Treasury(PaymentRail::Chain)).await?;
    say(format_args!("treasury, books {books}"))?;
    let chain = app.chain.usdc_balance(app.chain.treasury()).await?;
    say(format_args!("treasury, chain {chain}"))?;
    if total != Usdc::ZERO {
        return Err(format!("the books do not sum to zero: {total} too much").into());
    }
    let difference = chain.minus(books)?;
    if difference == Usdc::ZERO {
        return say("The books are right.");
    }
    Err(format!(
        "the chain has {difference} more than the books. Deposits and payouts that wait for confirmations make a \
         difference for a while: try again when none is under way"
    )
    .into())
}
