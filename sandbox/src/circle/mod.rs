//! Circle's stablecoin payouts in this process: an address book, payouts out of a balance, and notifications
//! about them, for clients to be tried against.
//!
//! It speaks the part of Circle Mint's API that pays third parties: recipients are screened before they are
//! active, a payout is pending before it is complete or failed, and each change is notified to a web hook,
//! signed as Circle's version 2 notifications are. Time moves by the clock that it is given, or by hand.
//! Where Circle's pages name no error code for a case, the HTTP status is the one they describe and the code
//! is 2, "invalid entity".

mod account;
mod answer;
mod deliver;
mod list;
mod money;
mod server;
mod sign;
mod store;
mod switches;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::account::Account;
pub use self::account::{Accepted, Ending};
pub use self::deliver::Notification;
use self::sign::Signer;
use self::store::Store;

/// How long [`Circle::shutdown`] waits for what is under way.
const DRAIN: Duration = Duration::from_secs(5);

/// How to start a Circle.
pub struct CircleConfig {
    /// Where the account is kept; `None` forgets it at the end.
    pub data_dir: Option<PathBuf>,
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one API key that is known.
    pub api_key: String,
    /// What a new account holds, in millionths of a dollar.
    pub balance: i64,
    /// How long a new recipient stays pending; `None` until [`Circle::set_recipient`].
    pub screening: Option<Duration>,
    /// How long a new payout stays pending; `None` until [`Circle::end_payout`].
    pub paying: Option<Duration>,
    /// Where notifications are posted to (`http` only); [`Circle::set_webhook`] changes it.
    pub webhook: Option<String>,
    /// Unix milliseconds: they date what happens, and decide what is due.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for CircleConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircleConfig")
            .field("data_dir", &self.data_dir)
            .field("listen", &self.listen)
            .field("screening", &self.screening)
            .field("paying", &self.paying)
            .finish_non_exhaustive()
    }
}

/// Why a Circle did not start, or could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum CircleError {
    /// The sandbox serves this machine only.
    #[error("the sandbox's Circle listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("the sandbox's Circle cannot listen on {address}: {source}")]
    Listen {
        /// The address in question.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The account cannot be read or written.
    #[error("the account of the sandbox's Circle cannot be kept: {0}")]
    Folder(#[from] io::Error),
    /// There is no such recipient or payout.
    #[error("the sandbox's Circle knows no {0}")]
    Unknown(String),
    /// A key cannot be made or read.
    #[error("the signing key of the sandbox's Circle cannot be used: {0}")]
    Key(String),
    /// A notification did not get through.
    #[error("the notification was not taken: {0}")]
    Webhook(String),
}

/// A misbehaviour that tests switch on, for all requests, until they switch it off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Each request is answered 429, with this many seconds in `Retry-After`.
    RateLimited(u64),
    /// Each request is answered 500 with the code -1, and does nothing.
    Broken,
    /// A payout is accepted, then the connection breaks: the client cannot know.
    CutAfterPayout,
    /// A payout is accepted, but the answer takes this long.
    SlowAfterPayout(Duration),
}

/// What the handle, the server and the deliverer have in common.
struct Shared {
    account: Mutex<Account>,
    store: Store,
    signer: Signer,
    api_key: String,
    screening: Option<Duration>,
    paying: Option<Duration>,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    fault: RwLock<Option<Fault>>,
    /// The most payouts on a page of a list, whatever a client wants.
    page: AtomicUsize,
    webhook: RwLock<Option<String>>,
    /// Wakes the deliverer.
    news: Notify,
}

impl Shared {
    fn account(&self) -> MutexGuard<'_, Account> {
        // A change is made on a copy, so nothing that can panic leaves the account half-done.
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass, changes the account, and has it on disk before anybody is told.
    fn change<T>(&self, change: impl FnOnce(&mut Account, u64) -> T) -> io::Result<T> {
        let mut account = self.account();
        let mut next = account.clone();
        let now = (self.clock)();
        next.settle(now);
        let result = change(&mut next, now);
        if next != *account {
            self.store.save(&next)?;
            *account = next;
            self.news.notify_one();
        }
        Ok(result)
    }

    fn fault(&self) -> Option<Fault> {
        *self.fault.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn webhook(&self) -> Option<String> {
        self.webhook.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A running Circle. Dropping it stops it as well, without waiting.
pub struct Circle {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circle").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Circle {
    /// Reads the folder, or opens a new account, and begins to serve and to notify.
    ///
    /// # Errors
    /// [`CircleError`], before anything listens.
    pub async fn start(config: CircleConfig) -> Result<Self, CircleError> {
        if !config.listen.ip().is_loopback() {
            return Err(CircleError::NotLoopback(config.listen));
        }
        let store = Store::open(config.data_dir)?;
        let account = match store.load()? {
            Some(account) => account,
            None => {
                let account = Account::new(config.balance, sign::new_key()?);
                store.save(&account)?;
                account
            }
        };
        let shared = Arc::new(Shared {
            signer: Signer::new(&account.key)?,
            account: Mutex::new(account),
            store,
            api_key: config.api_key,
            screening: config.screening,
            paying: config.paying,
            clock: config.clock,
            fault: RwLock::new(None),
            page: AtomicUsize::new(list::PAGE),
            webhook: RwLock::new(config.webhook),
            news: Notify::new(),
        });
        let failed = |source| CircleError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(server::serve(listener, Arc::clone(&shared), stop.clone()));
        tasks.spawn(deliver::run(Arc::clone(&shared), stop.clone()));
        tasks.close();
        Ok(Self { shared, address, stop, tasks })
    }

    /// Where the API answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is there to be paid out, in millionths of a dollar. A pending payout is no longer part of it.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.shared.account().balance
    }

    /// Adds to the balance, or takes from it, in millionths of a dollar.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn fund(&self, micro: i64) -> Result<(), CircleError> {
        Ok(self.shared.change(|account, _| account.balance = account.balance.saturating_add(micro))?)
    }

    /// Every payout that was ever accepted, in order, whatever became of it: one line an effect.
    #[must_use]
    pub fn accepted(&self) -> Vec<Accepted> {
        self.shared.account().accepted()
    }

    /// Sets the status of a recipient's address, known already or not yet, by hand: `active`, `inactive`,
    /// `denied`, or a value that no client has heard of. It stays so.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn set_recipient(&self, address: &str, status: &str) -> Result<(), CircleError> {
        Ok(self.shared.change(|account, now| account.set_recipient(address, status, now))?)
    }

    /// Takes an address out of the book, as if it had been deleted there: its entry is not found any more.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn forget_recipient(&self, address: &str) -> Result<(), CircleError> {
        Ok(self.shared.change(|account, _| account.forget_recipient(address))?)
    }

    /// Ends a payout by hand, or sets a status that no client has heard of.
    ///
    /// # Errors
    /// There is no such payout; the folder cannot be written.
    pub fn end_payout(&self, id: &str, ending: Ending) -> Result<(), CircleError> {
        let known = self.shared.change(|account, now| account.end_payout(id, ending, now))?;
        if known { Ok(()) } else { Err(CircleError::Unknown(format!("payout {id}"))) }
    }

    /// The next payout that is accepted ends failed, with this `errorCode`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn fail_next(&self, error_code: &str) -> Result<(), CircleError> {
        Ok(self.shared.change(|account, _| account.fail_next = Some(error_code.to_owned()))?)
    }

    /// Lets pass what the clock says is due, as every request does too.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn settle(&self) -> Result<(), CircleError> {
        Ok(self.shared.change(|_, _| ())?)
    }

    /// Switches a fault on for all requests, or off.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self.shared.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Changes where notifications are posted to.
    pub fn set_webhook(&self, url: Option<String>) {
        *self.shared.webhook.write().unwrap_or_else(PoisonError::into_inner) = url;
        self.shared.news.notify_one();
    }

    /// The newest thousand notifications, oldest first, each freshly signed: to be delivered again, late, or in
    /// another order.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn notifications(&self) -> Result<Vec<Notification>, CircleError> {
        let account = self.shared.account();
        account.notices.iter().map(|notice| self.shared.signer.notification(notice)).collect()
    }

    /// Any body at all, signed as a notification is.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn signed(&self, body: &str) -> Result<Notification, CircleError> {
        let id = sign::new_id()?;
        self.shared.signer.notification(&account::Notice { id, body: body.to_owned(), delivered: true })
    }

    /// The same notification as somebody else would sign it, under our key's id.
    ///
    /// # Errors
    /// No key can be made.
    pub fn forged(&self, genuine: &Notification) -> Result<Notification, CircleError> {
        let stranger = Signer::new(&sign::new_key()?)?;
        Ok(Notification { signature: stranger.sign(genuine.body.as_bytes())?, ..genuine.clone() })
    }

    /// Posts a notification to the web hook, once more or for the first time. Gives the HTTP status.
    ///
    /// # Errors
    /// There is no web hook, or nobody answers there.
    pub async fn deliver(&self, notification: &Notification) -> Result<u16, CircleError> {
        let url = self.shared.webhook().ok_or_else(|| CircleError::Webhook("none is set".to_owned()))?;
        deliver::post(&url, notification).await.map_err(CircleError::Webhook)
    }

    /// Stops serving, and waits at most five seconds for what is under way.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the sandbox's Circle stopped with requests under way");
        }
    }
}

impl Drop for Circle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
