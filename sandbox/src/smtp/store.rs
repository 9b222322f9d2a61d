//! The mail folder: `<id>.eml` is the message as it came, `<id>.json` its envelope.
//!
//! The envelope is written last and names the message as complete: what has none after a crash never got its `250`
//! and is removed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What the SMTP conversation says about a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    /// The sender.
    pub(super) from: String,
    /// The recipients.
    pub(super) to: Vec<String>,
    /// When it came first, in unix milliseconds.
    pub(super) received_ms: u64,
    /// How many times it came.
    pub(super) deliveries: u32,
}

/// A folder of messages.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

/// A message that was found in the folder.
pub(super) struct Found {
    /// Its name.
    pub(super) id: String,
    /// Its envelope.
    pub(super) envelope: Envelope,
    /// The message as it came.
    pub(super) raw: Vec<u8>,
}

impl Store {
    /// Opens the folder, and makes it when it is not there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.canonicalize()? })
    }

    /// Reads all messages, in the order of their names, and removes what a crash left half done.
    pub(super) fn load(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let end = path.extension().and_then(OsStr::to_str);
            let orphan = end == Some("eml") && !path.with_extension("json").exists();
            if end == Some("part") || orphan {
                fs::remove_file(&path)?;
            } else if end == Some("json")
                && let Some(id) = path.file_stem().and_then(OsStr::to_str)
            {
                found.push(Found {
                    id: id.to_owned(),
                    envelope: serde_json::from_slice(&fs::read(&path)?)?,
                    raw: fs::read(path.with_extension("eml"))?,
                });
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Where the messages are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a new message. It is on the disk when this returns.
    pub(super) fn add(&self, id: &str, envelope: &Envelope, raw: &[u8]) -> io::Result<()> {
        self.replace(&format!("{id}.eml"), raw)?;
        self.put_envelope(id, envelope)
    }

    /// Notes how many times a message came. It is on the disk when this returns.
    pub(super) fn set_deliveries(&self, id: &str, deliveries: u32) -> io::Result<()> {
        let known = fs::read(self.folder.join(format!("{id}.json")))?;
        let envelope: Envelope = serde_json::from_slice(&known)?;
        self.put_envelope(id, &Envelope { deliveries, ..envelope })
    }

    /// Removes a message, the envelope first.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(format!("{id}.json")))?;
        fs::remove_file(self.folder.join(format!("{id}.eml")))
    }

    /// Brings the folder's entries to the disk.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn put_envelope(&self, id: &str, envelope: &Envelope) -> io::Result<()> {
        self.replace(&format!("{id}.json"), &serde_json::to_vec(envelope)?)?;
        self.sync_folder()
    }

    fn replace(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let part = self.folder.join(format!("{name}.part"));
        let mut file = File::create(&part)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(part, self.folder.join(name))
    }
}
