//! Starting, accepting, stopping.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::session::Session;
use super::{Fault, Mailbox, SmtpConfig, SmtpError};

/// How many clients are served at a time.
const CLIENTS: usize = 200;

/// How long [`Smtp::shutdown`] waits for messages under way.
const DRAIN: Duration = Duration::from_secs(5);

/// How long to wait when the operating system hands out no connection (no file handles left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running SMTP server. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct Smtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Where messages go.
    pub(super) mailbox: Mailbox,
    /// The largest message, in bytes.
    pub(super) max_message: usize,
    /// How long a client may be silent.
    pub(super) idle: Duration,
    /// Ends the sessions when the server stops.
    pub(super) stop: CancellationToken,
    fault: RwLock<Option<Fault>>,
}

impl Shared {
    /// Whether a test has switched this fault on.
    pub(super) fn has(&self, fault: Fault) -> bool {
        *self.fault.read().unwrap_or_else(PoisonError::into_inner) == Some(fault)
    }
}

impl Smtp {
    /// Opens the mail folder and starts to serve.
    ///
    /// # Errors
    /// [`SmtpError`], before anything listens.
    pub async fn start(config: SmtpConfig) -> Result<Self, SmtpError> {
        if !config.listen.ip().is_loopback() {
            return Err(SmtpError::NotLoopback(config.listen));
        }
        let mailbox = Mailbox::open(&config.root, config.clock).map_err(|source| {
            let folder = config.root.clone();
            SmtpError::Folder { folder, source }
        })?;
        let listen_error = |source| SmtpError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let shared = Arc::new(Shared {
            mailbox,
            max_message: config.max_message,
            idle: config.idle,
            stop: CancellationToken::new(),
            fault: RwLock::new(None),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(accept(listener, Arc::clone(&shared), tasks.clone()));
        Ok(Self { address, shared, tasks })
    }

    /// The address for clients, such as `smtp://127.0.0.1:2525`. No TLS; any name and password do.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has been accepted.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        self.shared.mailbox.clone()
    }

    /// Switches a fault on for all connections, or off.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self.shared.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Stops listening, and waits at most five seconds for messages under way.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the sandbox's SMTP server stopped with messages under way");
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker) {
    while let Some(next) = shared.stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = next else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // The accepting task is one of the tracked ones.
        if tasks.len() > CLIENTS {
            turn_away(&stream);
        } else {
            tasks.spawn(Session::new(stream, Arc::clone(&shared)).run());
        }
    }
}

fn turn_away(stream: &TcpStream) {
    // A fresh socket has room for one line. Should it not: the client sees the connection end, which says the same.
    let _ = stream.try_write(b"421 4.3.2 too many connections, try later\r\n");
}
