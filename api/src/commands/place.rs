//! Which deployment a command is about: the environment's, or a folder of `megilance dev`.

use api::config::Config;
use clap::Args;
use domain::{App, Clock};
use secrecy::SecretString;

use crate::{Result, start};

/// The deployment to work on.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Work on this data folder of `megilance dev` instead of what the environment names.
    #[cfg(feature = "dev")]
    #[arg(long, value_name = "FOLDER")]
    data: Option<std::path::PathBuf>,
}

impl Place {
    /// Whether it is a folder of `dev`.
    pub(super) fn is_dev(&self) -> bool {
        #[cfg(feature = "dev")]
        return self.data.is_some();
        #[cfg(not(feature = "dev"))]
        false
    }

    /// The settings, and the time that holds there.
    pub(super) fn config(&self) -> Result<(Config, Clock)> {
        #[cfg(feature = "dev")]
        if let Some(data) = &self.data {
            let folder = start::folder::Folder::open_existing(data)?;
            return Ok((folder.config()?, Clock::real(folder.offset()?)));
        }
        Ok((Config::from_env()?, Clock::real(chrono::Duration::zero())))
    }

    /// Where the database is.
    pub(super) fn database(&self) -> Result<SecretString> {
        #[cfg(feature = "dev")]
        if let Some(data) = &self.data {
            return Ok(start::folder::Folder::open_existing(data)?.database_url());
        }
        Ok(Config::database_from_env()?)
    }

    /// The application, on a database that is up to date.
    pub(super) async fn app(&self) -> Result<App> {
        let (config, clock) = self.config()?;
        start::app(&config, clock).await
    }
}
