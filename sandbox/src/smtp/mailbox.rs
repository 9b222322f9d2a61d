//! The mailbox: what was accepted, for people and tests to read.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ulid::Ulid;

use super::mail::Mail;
use super::store::{Envelope, Store};
use super::{Clock, SmtpError};

/// How many mails are kept; older ones are removed as new ones come.
const KEPT: usize = 5_000;

/// All mails that the server accepted. Cheap to clone; all clones see the same mails.
#[derive(Clone)]
pub struct Mailbox {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    /// Held while the folder changes, so that readers need not wait for the disk. Counts the mails of this process.
    writer: Mutex<u128>,
    /// Oldest first.
    mails: RwLock<Vec<Mail>>,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("mails", &self.inner.mails().len()).finish_non_exhaustive()
    }
}

impl Mailbox {
    /// Opens the folder with the mails of earlier runs.
    pub(super) fn open(folder: &Path, clock: Clock) -> io::Result<Self> {
        let store = Store::open(folder)?;
        let found = store.load()?.into_iter();
        let mails = found.map(|found| Mail::read(found.id, found.envelope, &found.raw));
        Ok(Self {
            inner: Arc::new(Inner {
                mails: RwLock::new(mails.collect()),
                store,
                clock,
                writer: Mutex::new(0),
            }),
        })
    }

    /// The mails, newest first: all of them, or those whose envelope names `to`. Case does not count.
    #[must_use]
    pub fn list(&self, to: Option<&str>) -> Vec<Mail> {
        let mails = self.inner.mails();
        let wanted = |mail: &&Mail| to.is_none_or(|address| mail.is_to(address));
        mails.iter().rev().filter(wanted).cloned().collect()
    }

    /// One mail by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Mail> {
        self.inner.mails().iter().find(|mail| mail.id == id).cloned()
    }

    /// Removes all mails, from the folder too.
    ///
    /// # Errors
    /// [`SmtpError::Folder`] when files cannot be removed; what could be is gone then.
    pub fn clear(&self) -> Result<(), SmtpError> {
        let inner = &self.inner;
        let _writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |source| inner.folder_error(source);
        loop {
            let Some(id) = inner.mails().last().map(|mail| mail.id.clone()) else {
                break;
            };
            inner.store.remove(&id).map_err(failed)?;
            inner.mails_mut().pop();
        }
        inner.store.sync_folder().map_err(failed)
    }

    /// Keeps a message; it is on the disk when this returns. Blocks on the disk.
    ///
    /// Recipients who have a mail with this `Message-ID` get no second one: its `deliveries` grows.
    pub(super) fn deliver(&self, from: String, to: Vec<String>, raw: &[u8]) -> io::Result<()> {
        let inner = &self.inner;
        let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let received_ms = (inner.clock)();
        *writer += 1;
        let id = inner.fresh_id(received_ms, *writer);
        let envelope = Envelope { from, to, received_ms, deliveries: 1 };
        let mut mail = Mail::read(id, envelope.clone(), raw);
        inner.count_repeats(&mut mail)?;
        if mail.to.is_empty() {
            return Ok(());
        }
        let envelope = Envelope { to: mail.to.clone(), ..envelope };
        inner.store.add(&mail.id, &envelope, raw)?;
        let mut mails = inner.mails_mut();
        mails.push(mail);
        // Sorted by name, as after a restart: only a clock that was set back makes a difference.
        mails.sort_by(|a, b| a.id.cmp(&b.id));
        if mails.len() > KEPT {
            let oldest = mails.remove(0);
            drop(mails);
            inner.store.remove(&oldest.id)?;
        }
        Ok(())
    }
}

impl Inner {
    fn mails(&self) -> RwLockReadGuard<'_, Vec<Mail>> {
        self.mails.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn mails_mut(&self) -> RwLockWriteGuard<'_, Vec<Mail>> {
        self.mails.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder_error(&self, source: io::Error) -> SmtpError {
        SmtpError::Folder { folder: self.store.folder().to_owned(), source }
    }

    /// A name that no mail has, one that sorts behind those of the same millisecond.
    fn fresh_id(&self, received_ms: u64, count: u128) -> String {
        let latest = self
            .mails()
            .iter()
            .filter_map(|mail| Ulid::from_string(&mail.id).ok())
            .filter(|id| id.timestamp_ms() == received_ms)
            .map(|id| id.random())
            .max();
        let count = latest.map_or(count, |latest| count.max(latest.saturating_add(1)));
        Ulid::from_parts(received_ms, count).to_string()
    }

    /// Counts a delivery on the mails that have this `Message-ID`, and takes their recipients off the new mail.
    fn count_repeats(&self, new: &mut Mail) -> io::Result<()> {
        if new.message_id.is_none() {
            return Ok(());
        }
        let known: Vec<Mail> = self
            .mails()
            .iter()
            .filter(|mail| mail.message_id == new.message_id)
            .filter(|mail| new.to.iter().any(|to| mail.is_to(to)))
            .cloned()
            .collect();
        for mut mail in known {
            mail.deliveries = mail.deliveries.saturating_add(1);
            self.store.set_deliveries(&mail.id, mail.deliveries)?;
            new.to.retain(|to| !mail.is_to(to));
            if let Some(kept) = self.mails_mut().iter_mut().find(|kept| kept.id == mail.id) {
                kept.deliveries = mail.deliveries;
            }
        }
        Ok(())
    }
}
