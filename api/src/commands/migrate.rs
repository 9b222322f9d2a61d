//! `megilance migrate`.

use clap::{Args, Subcommand};
use domain::Purpose;

use super::{output::say, place::Place};
use crate::{Result, start::database};

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Bring the database to this version. Safe to run again.
    Up(Up),
    /// Take back the newest changes. What they added is lost.
    Down(Down),
    /// Show which changes the database has.
    Status(Status),
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    /// How many changes to take back.
    #[arg(long, default_value_t = 1, conflicts_with = "all")]
    steps: u32,
    /// Take back every change: all data is lost. The queue's tables stay: they hold wake-ups only.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(super) async fn run(self) -> Result<()> {
        let place = match &self {
            Self::Up(Up { place }) | Self::Down(Down { place, .. }) | Self::Status(Status { place }) => place,
        };
        let db = database::open(&place.database()?, Purpose::Migrate).await?;
        match self {
            Self::Up(_) => {
                let before = database::pending(&db).await?.len();
                database::migrate(&db).await?;
                say(match before {
                    0 => "The database is up to date.".to_owned(),
                    1 => "One change was made; the database is up to date.".to_owned(),
                    count => format!("{count} changes were made; the database is up to date."),
                })?;
            }
            Self::Down(Down { steps, all, .. }) => {
                database::migrate_down(&db, (!all).then_some(steps)).await?;
                show(&db).await?;
            }
            Self::Status(_) => show(&db).await?,
        }
        database::close(&db).await
    }
}

async fn show(db: &domain::Db) -> Result<()> {
    for (name, applied) in database::status(db).await? {
        say(format_args!("{}  {name}", if applied { "applied" } else { "pending" }))?;
    }
    let queue = database::has_queue(db).await;
    say(format_args!("{}  the queue's own tables", if queue { "applied" } else { "pending" }))
}
