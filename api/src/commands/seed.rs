//! `megilance seed`.

use api::seed::{self, Plan};
use clap::Args;

use super::{output::say, place::Place};
use crate::{Result, start::database};

/// Fill an empty database with demo people, projects and contracts.
///
/// Running it again changes nothing that is there. `megilance dev` does it by itself, and adds money on its chain;
/// elsewhere contracts stay unfunded, because their deposits would be real.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// How much: 1 is the demo data. Each step more adds about 150 rows: a client with six projects, four freelancers, their
    /// proposals, contracts, payments and reviews; 3,300 make half a million rows.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: u32,
    /// What the additional projects are drawn with: the same number gives the same ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    place: Place,
}

impl Seed {
    pub(super) async fn run(self) -> Result<()> {
        let app = self.place.app().await?;
        // Known passwords belong to a laptop only.
        let password =
            if self.place.is_dev() { seed::PASSWORD.to_owned() } else { domain::clock::random_token()? };
        let plan = Plan { password: password.clone().into(), scale: self.scale, seed: self.seed };
        seed::refuse_real_people(&app).await?;
        let demo = seed::people_and_market(&app, &plan).await?;
        if demo.rows > 0 {
            say(format_args!("{} rows were written for the larger market.", demo.rows))?;
        }
        if demo.registered {
            say(format_args!("The new demo people's password: {password}"))?;
        } else {
            say("All demo people were there already; their passwords are what they were.")?;
        }
        for (role, email) in seed::SIGN_INS {
            say(format_args!("  {role:<11} {email}"))?;
        }
        database::close(&app.db).await
    }
}
