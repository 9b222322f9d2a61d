//! The account on disk: one file, replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use super::account::Account;

const NAME: &str = "account.json";

/// Where the account is kept, if anywhere.
pub(super) struct Store(Option<PathBuf>);

impl Store {
    /// Opens the folder, and makes it when it is not there.
    pub(super) fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder)?;
        }
        Ok(Self(folder))
    }

    pub(super) fn load(&self) -> io::Result<Option<Account>> {
        let Some(folder) = &self.0 else { return Ok(None) };
        match fs::read(folder.join(NAME)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// It is on the disk when this returns; a crash leaves the old or the new.
    pub(super) fn save(&self, account: &Account) -> io::Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let part = folder.join("account.json.part");
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec_pretty(account)?)?;
        file.sync_all()?;
        fs::rename(part, folder.join(NAME))?;
        File::open(folder)?.sync_all()
    }
}
