//! The plain settings that `api/config.rs` reads from the environment and checks.

use std::time::Duration;

use entities::Usdc;
use secrecy::SecretString;
use url::Url;

pub use crate::ports::{
    chain::EvmSettings, circle::CircleSettings, mail::MailSettings, openai::AssistantSettings,
    storage::StorageSettings,
};

/// Everything that the domain can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people reach the service: links in mails, the domain of EIP-4361 messages.
    pub public_url: Url,
    /// Signs access tokens, HS256; at least 32 bytes.
    pub jwt_secret: SecretString,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long a session lives without being refreshed.
    pub session_ttl: Duration,
    /// Blocks until a deposit counts, the block itself included.
    pub confirmations: u32,
    /// A payout of more than this needs an administrator other than the one who started it; `None` for no limit.
    pub approval_above: Option<Usdc>,
    /// What larger deposits need beyond that.
    pub large_deposits: LargeDeposits,
    /// How long a new payout wallet rests.
    pub wallet_rest: Duration,
    /// How long between two looks at a chain that has nothing new.
    pub chain_poll: Duration,
    /// How much the assistant is asked.
    pub assistant_budget: AssistantBudget,
    /// Whether the API explains itself: introspection, and errors that suggest names.
    pub introspection: bool,
    /// Memory of one Argon2id hash in KiB; tests lower it.
    pub argon2_memory_kib: u32,
}

/// How much the assistant is asked a day, by all processes together; the day begins at midnight UTC. 0 for never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssistantBudget {
    /// Texts whose meaning it is asked for, each of at most 1,500 characters: those of a list of matches are up to 31. A
    /// text that a process remembers costs nothing.
    pub embeddings: u32,
    /// Drafts.
    pub drafts: u32,
}

impl Default for AssistantBudget {
    fn default() -> Self {
        Self { embeddings: 50_000, drafts: 1_000 }
    }
}

/// What deposits need that are worth more to undo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LargeDeposits {
    /// From which amount on how many blocks, smallest amount first.
    pub tiers: Vec<(Usdc, u32)>,
    /// From which amount on the block has to be final.
    pub finalized_from: Option<Usdc>,
}
