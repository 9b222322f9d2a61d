//! An Ethereum chain in this process: revm behind JSON-RPC on a loopback address, with a dollar token, for
//! wallets and clients to be tried against.
//!
//! It speaks the methods of `eth_*`, `net_*` and `web3_*` that wallets and client libraries use, and controls
//! under anvil's names (`anvil_mine`, `anvil_reorg`, `anvil_setBalance`, ...), so that one test suite runs
//! against either. `safe` is the block one below the head and `finalized` the one two below, as with `anvil
//! --slots-in-an-epoch 1`.
//!
//! With a data folder, everything that was acknowledged survives a kill: an append-only journal is on disk
//! before anybody is told, and start replays it to the same hashes.

mod block;
mod chain;
mod error;
mod execute;
mod journal;
mod key;
mod miner;
mod pool;
mod rpc;
mod state;
mod token;
mod tx;
mod wallet;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revm::primitives::Address;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::chain::{Chain, Clock};
pub use self::error::EvmError;
use self::journal::{Journal, Record};
pub use self::key::Key;

/// The private key that owns the token (0x and 64 hexadecimal digits): it may mint, pause and blacklist. It
/// is public, as the token is worth nothing.
pub const TOKEN_OWNER_KEY: &str = token::OWNER_KEY;

/// How to start a chain.
pub struct EvmConfig {
    /// Where the chain is kept; `None` forgets it at the end.
    pub data_dir: Option<PathBuf>,
    /// Where JSON-RPC listens; port 0 takes a free one. Meant for loopback: whoever reaches it owns the
    /// chain.
    pub listen: SocketAddr,
    /// The chain's id (EIP-155). A data folder remembers its own and refuses another.
    pub chain_id: u64,
    /// When blocks are made.
    pub mining: Mining,
    /// Unix seconds, for block times. A block's time is this, or one more than its parent's where that is
    /// later.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for EvmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvmConfig")
            .field("data_dir", &self.data_dir)
            .field("listen", &self.listen)
            .field("chain_id", &self.chain_id)
            .field("mining", &self.mining)
            .finish_non_exhaustive()
    }
}

/// When blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// One each time this passes, while there is something to do: a transaction can be mined, or the last one
    /// has fewer than 64 blocks on top. After that one each 30 seconds, so that time moves and an idle chain
    /// hardly grows.
    Interval(Duration),
    /// One at once for each transaction.
    OnDemand,
    /// Only when told to, by [`Evm::mine`] or over RPC.
    Manual,
}

/// A running chain. Dropping it stops it, though not as tidily as [`Evm::shutdown`].
#[derive(Debug)]
pub struct Evm {
    shared: Arc<Shared>,
    address: SocketAddr,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// What the handle, the RPC server and the miner have in common.
struct Shared {
    chain: Mutex<Chain>,
    mining: watch::Sender<Mining>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("mining", &self.mining).finish_non_exhaustive()
    }
}

impl Shared {
    fn chain(&self) -> MutexGuard<'_, Chain> {
        // No change to the chain leaves it half-done across something that can panic.
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes when blocks are made. Takes the locked chain, since both must change together.
    fn set_mining(&self, chain: &mut Chain, mining: Mining) -> Result<(), EvmError> {
        chain.automine = mining == Mining::OnDemand;
        self.mining.send_replace(mining);
        Ok(chain.mine_waiting()?)
    }
}

impl Evm {
    /// Replays the data folder, deploys the token on a new chain, and begins to listen and to mine.
    ///
    /// # Errors
    /// The folder is in use, holds another chain, or is damaged before its last line; or the address cannot
    /// be listened on.
    pub async fn start(config: EvmConfig) -> Result<Self, EvmError> {
        let EvmConfig { data_dir, listen, chain_id, mining, clock } = config;
        let open = move || open(data_dir.as_deref(), chain_id, &clock);
        let chain = tokio::task::spawn_blocking(open)
            .await
            .map_err(|error| EvmError::Refused(format!("the replay did not end: {error}")))??;
        let shared = Arc::new(Shared { chain: Mutex::new(chain), mining: watch::Sender::new(mining) });
        shared.set_mining(&mut shared.chain(), mining)?;

        let failed = || EvmError::io(format!("cannot listen on {listen}"));
        let listener = TcpListener::bind(listen).await.map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;

        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(rpc::serve(listener, Arc::clone(&shared), cancel.clone()));
        tasks.spawn(miner::run(Arc::clone(&shared), cancel.clone()));
        tasks.close();
        Ok(Self { shared, address, cancel, tasks })
    }

    /// Where JSON-RPC answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token's contract, with EIP-55 capitals. The same on every sandbox chain.
    #[must_use]
    pub fn token_address(&self) -> String {
        token::address().to_string()
    }

    /// Changes when blocks are made. [`Mining::OnDemand`] also mines what waits at that moment.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn set_mining(&self, mining: Mining) -> Result<(), EvmError> {
        self.shared.set_mining(&mut self.shared.chain(), mining)
    }

    /// Makes that many blocks now, the first with what waits.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn mine(&self, blocks: u64) -> Result<(), EvmError> {
        Ok(self.shared.chain().mine_many(blocks)?)
    }

    /// Gives `address` native coin for gas, if it has little, and mints `micro_usdc` millionths of a token
    /// for it. The mint is a transaction like any other: it waits for its block.
    ///
    /// # Errors
    /// Not an address; the chain refused; the journal cannot be written.
    pub fn mint_and_fund(&self, address: &str, micro_usdc: u64) -> Result<(), EvmError> {
        let address = parse(address)?;
        Ok(self.shared.chain().fund(address, micro_usdc)?)
    }

    /// Sends `micro_usdc` millionths of a token from one address to another, whoever has their keys: mints
    /// what `from` lacks, and sends a plain `transfer` in its name. Gives the transaction's hash; it waits
    /// for its block, and fails there if the token is paused or either side is blacklisted.
    ///
    /// # Errors
    /// Not an address; the chain refused; the journal cannot be written.
    pub async fn pay(&self, from: &str, to: &str, micro_usdc: u64) -> Result<String, EvmError> {
        let (from, to) = (parse(from)?, parse(to)?);
        let shared = Arc::clone(&self.shared);
        let paid = tokio::task::spawn_blocking(move || shared.chain().pay(from, to, micro_usdc)).await;
        let hash = paid.map_err(|error| EvmError::Refused(format!("the payment did not end: {error}")))??;
        Ok(hash.to_string())
    }

    /// Stops listening and mining, and waits until what was under way is done.
    pub async fn shutdown(self) {
        self.cancel.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Evm {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn parse(address: &str) -> Result<Address, EvmError> {
    address.parse().map_err(|_| EvmError::Address(address.to_owned()))
}

/// The chain of a data folder, or a new one; with its token.
fn open(data_dir: Option<&Path>, chain_id: u64, clock: &Clock) -> Result<Chain, EvmError> {
    let mut replayed: Option<Chain> = None;
    let journal = match data_dir {
        None => Journal::memory(),
        Some(folder) => {
            Journal::open(folder, |line, record| replay(&mut replayed, chain_id, clock, line, record))?
        }
    };
    let mut chain = if let Some(mut chain) = replayed {
        chain.set_journal(journal);
        chain
    } else {
        let mut chain = Chain::new(chain_id, Arc::clone(clock), clock());
        chain.set_journal(journal);
        chain.record_genesis(journal::VERSION)?;
        chain
    };
    chain.deploy_token()?;
    Ok(chain)
}

fn replay(
    chain: &mut Option<Chain>,
    chain_id: u64,
    clock: &Clock,
    line: usize,
    record: Record,
) -> Result<(), EvmError> {
    let corrupt = |reason: String| EvmError::Corrupt { line, reason };
    match (chain.as_mut(), record) {
        (Some(chain), record) => chain.replay(record).map_err(corrupt),
        (None, Record::Genesis { version, chain_id: found, time }) => {
            if version != journal::VERSION {
                return Err(corrupt(format!("format {version} is not known here")));
            }
            if found != chain_id {
                return Err(EvmError::OtherChain { found, wanted: chain_id });
            }
            *chain = Some(Chain::new(chain_id, Arc::clone(clock), time));
            Ok(())
        }
        (None, _) => Err(corrupt("it does not begin with a genesis".to_owned())),
    }
}
