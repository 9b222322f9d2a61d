//! Makes blocks as time passes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::chain::Chain;
use super::error::Refusal;
use super::{Mining, Shared};

/// Blocks on top of the last transaction before the chain rests: more than any client here waits for.
const RESTS_AFTER: u64 = 64;
/// Time between blocks while it rests.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Follows the mining mode until cancelled.
pub(super) async fn run(shared: Arc<Shared>, cancel: CancellationToken) {
    let mut mode = shared.mining.subscribe();
    let mut rested = Duration::ZERO;
    loop {
        let now = *mode.borrow_and_update();
        let every = match now {
            Mining::Interval(every) => Some(every.max(Duration::from_millis(1))),
            Mining::OnDemand | Mining::Manual => None,
        };
        let passed = async {
            match every {
                Some(every) => sleep(every).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = mode.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = passed => {}
        }
        rested += every.unwrap_or_default();
        let chain = Arc::clone(&shared);
        let due = rested >= HEARTBEAT;
        match tokio::task::spawn_blocking(move || tick(&mut chain.chain(), due)).await {
            Ok(Ok(true)) => rested = Duration::ZERO,
            Ok(Ok(false)) => {}
            Ok(Err(refusal)) => tracing::error!(%refusal, "the sandbox chain cannot make a block"),
            Err(error) => tracing::error!(%error, "making a block of the sandbox chain failed"),
        }
    }
}

/// Makes a block if one is wanted; whether it did.
fn tick(chain: &mut Chain, due: bool) -> Result<bool, Refusal> {
    let wanted = due || chain.has_work() || chain.quiet_blocks() < RESTS_AFTER;
    if wanted {
        chain.mine()?;
    }
    Ok(wanted)
}
