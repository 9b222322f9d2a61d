//! The chain on disk: a file of JSON lines that is only ever appended to, and from which the whole chain is
//! made again at start.
//!
//! A line counts once its line feed is on disk. Whatever follows the last line feed was never acknowledged to
//! anybody and is cut off.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use revm::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::error::EvmError;

/// The journal's format. Raise it when an old journal would replay to something else.
pub(super) const VERSION: u32 = 1;

/// One thing that happened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Record {
    /// Always the first line, and only there.
    Genesis { version: u32, chain_id: u64, time: u64 },
    /// A transaction entered the pool. `from` is there when no key signed it.
    Tx {
        #[serde(with = "text")]
        raw: Bytes,
        #[serde(with = "text::maybe", default, skip_serializing_if = "Option::is_none")]
        from: Option<Address>,
    },
    /// A transaction left the pool unmined.
    Drop(#[serde(with = "text")] B256),
    /// An account's native balance was set, in wei.
    Balance {
        #[serde(with = "text")]
        address: Address,
        #[serde(with = "text")]
        wei: U256,
    },
    /// A block of pool transactions was made. The hash proves that a replay gives the same.
    Block {
        time: u64,
        base_fee: u64,
        #[serde(with = "text::list", default, skip_serializing_if = "Vec::is_empty")]
        txs: Vec<B256>,
        #[serde(with = "text::list", default, skip_serializing_if = "Vec::is_empty")]
        dropped: Vec<B256>,
        #[serde(with = "text")]
        hash: B256,
    },
    /// That many blocks were replaced by empty ones.
    Reorg(u64),
}

/// Where records go.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Option<Disk>,
}

#[derive(Debug)]
struct Disk {
    file: File,
    /// Held, never written: its lock keeps other processes out until this one ends.
    _lock: File,
    /// After a failed write nobody knows what the file's end looks like; only a restart may go on.
    broken: bool,
}

/// Whether an append must be on disk before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Yes: somebody is about to be told.
    Now,
    /// No: another append follows at once, and syncs both.
    WithNext,
}

impl Journal {
    /// A journal that forgets.
    pub(super) const fn memory() -> Self {
        Self { disk: None }
    }

    /// Opens `folder`'s journal, makes it when there is none, and hands each record to `replay` with its line
    /// number.
    pub(super) fn open(
        folder: &Path,
        mut replay: impl FnMut(usize, Record) -> Result<(), EvmError>,
    ) -> Result<Self, EvmError> {
        let shown = folder.display();
        fs::create_dir_all(folder).map_err(EvmError::io(format!("cannot create {shown}")))?;
        let lock = lock(folder)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(folder.join("journal.jsonl"))
            .map_err(EvmError::io(format!("cannot open the journal in {shown}")))?;

        let failed = || EvmError::io(format!("cannot read the journal in {shown}"));
        let mut reader = BufReader::new(&file);
        let (mut line, mut number, mut whole) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(failed())?;
            if length == 0 || line.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            match serde_json::from_slice(&line) {
                Ok(record) => replay(number, record)?,
                Err(_) if reader.fill_buf().map_err(failed())?.is_empty() => break,
                Err(error) => {
                    return Err(EvmError::Corrupt { line: number, reason: error.to_string() });
                }
            }
            whole += length as u64;
        }

        let failed = || EvmError::io(format!("cannot prepare the journal in {shown}"));
        file.set_len(whole).map_err(failed())?;
        file.seek(SeekFrom::Start(whole)).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        // The folder's entry for a new file must survive too. Not every system can sync a folder, and then
        // there is nothing to do.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(Self { disk: Some(Disk { file, _lock: lock, broken: false }) })
    }

    /// Adds a record at the end.
    pub(super) fn append(&mut self, record: &Record, sync: Sync) -> io::Result<()> {
        let Some(disk) = &mut self.disk else { return Ok(()) };
        if disk.broken {
            return Err(io::Error::other("an earlier write failed; start again"));
        }
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let written = disk.file.write_all(&line).and_then(|()| match sync {
            Sync::Now => disk.file.sync_data(),
            Sync::WithNext => Ok(()),
        });
        disk.broken = written.is_err();
        written
    }
}

fn lock(folder: &Path) -> Result<File, EvmError> {
    let failed = || EvmError::io(format!("cannot lock {}", folder.display()));
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(failed())?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(EvmError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed()(error)),
    }
}

/// Values as their usual text: hexadecimal for bytes, decimal for amounts.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }

    pub(super) mod maybe {
        use super::{Deserializer, Display, FromStr, Serializer};

        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            value: &Option<T>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.collect_str(value),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            super::deserialize(deserializer).map(Some)
        }
    }

    pub(super) mod list {
        use super::{Deserialize, Deserializer, Display, Error, FromStr, Serializer};

        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            values: &[T],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(values.iter().map(ToString::to_string))
        }

        pub(in super::super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            let texts = Vec::<String>::deserialize(deserializer)?;
            texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
        }
    }
}
