//! An SMTP server that delivers nothing: what it accepts lands in a [`Mailbox`] for people and tests to read.
//!
//! The grammar is `smtp-proto`'s, the reading of messages `mail-parser`'s; the conversation, the limits and the
//! durable folder are here. A `250` is sent only after the message has reached the disk.

mod lines;
mod mail;
mod mailbox;
mod server;
mod session;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::mail::{Header, Mail};
pub use self::mailbox::Mailbox;
pub use self::server::Smtp;

/// Gives the present time, in milliseconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What an SMTP server needs to start.
#[derive(Clone)]
pub struct SmtpConfig {
    /// The folder that keeps the messages; made when it is not there.
    pub root: PathBuf,
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Stamps mails as they arrive.
    pub clock: Clock,
    /// The largest message taken, in bytes; told to clients as `SIZE`.
    pub max_message: usize,
    /// How long a client may be silent before it is sent away.
    pub idle: Duration,
}

impl SmtpConfig {
    /// The usual settings: a free port, messages up to 10 MiB, five minutes of silence (RFC 5321, 4.5.3.2).
    #[must_use]
    pub fn new(root: PathBuf, clock: Clock) -> Self {
        Self {
            root,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            clock,
            max_message: 10 * 1024 * 1024,
            idle: Duration::from_secs(300),
        }
    }
}

impl std::fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("root", &self.root)
            .field("listen", &self.listen)
            .field("max_message", &self.max_message)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// Why an SMTP server did not start, or its mailbox could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The sandbox serves this machine only.
    #[error("the sandbox's SMTP server listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The folder cannot be made, read or written.
    #[error("the mail folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder in question.
        folder: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("the SMTP server cannot listen on {address}: {source}")]
    Listen {
        /// The address in question.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// A misbehaviour that tests switch on, for all connections, until they switch it off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections, open ones too, are closed without a word.
    RefuseConnections,
    /// Each `RCPT` is answered `451`: try later.
    TempFailRcpt,
    /// The message is kept, but the connection ends before the `250`: the client cannot know.
    DropAfterData,
}
