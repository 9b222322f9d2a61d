//! `megilance admin`.

use clap::Subcommand;
use domain::account;

use super::{output::say, place::Place};
use crate::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make the person with this e-mail address an administrator. The tokens that they have are an administrator's at once.
    Grant {
        /// The address that they registered with.
        email: String,
        #[command(flatten)]
        place: Place,
    },
}

impl Admin {
    pub(super) async fn run(self) -> Result<()> {
        let Self::Grant { email, place } = self;
        let app = place.app().await?;
        let person = account::grant_admin(&app, &email).await.map_err(|error| match error {
            domain::Error::Rejected { .. } => format!("nobody registered with {email}").into(),
            other => Box::<dyn std::error::Error + Send + Sync>::from(other),
        })?;
        say(format_args!("{} <{}> is an administrator.", person.display_name, person.email))
    }
}
