//! Circle's stablecoin payouts to third parties. What it answers is read with care: values that we do not
//! know are kept, never fatal.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::Usdc;
use uuid::Uuid;

use super::{PortError, chain::Address};

mod client;
pub mod webhook;

pub use client::{CircleClient, CircleSettings};
pub use webhook::PublicKey;

/// Circle's name for a chain, by its EIP-155 id. Its sandbox takes the name of a main network for the test
/// network beside it.
pub const fn chain_name(chain_id: u64) -> Option<&'static str> {
    match chain_id {
        // 31337 is what development chains use: the laptop's own has Ethereum's rules.
        1 | 11_155_111 | 31_337 => Some("ETH"),
        10 | 11_155_420 => Some("OP"),
        137 | 80_002 => Some("POLY"),
        8_453 | 84_532 => Some("BASE"),
        42_161 | 421_614 => Some("ARB"),
        43_113 | 43_114 => Some("AVAX"),
        _ => None,
    }
}

/// Why Circle did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CircleError {
    /// A time-out, a refused connection, a 5xx, a rate limit, or Circle's own "something went wrong": the same
    /// call, under the same key, may work later. Whether Circle acted is unknown.
    #[error("circle: {reason}")]
    Transient {
        /// What happened, free of secrets.
        reason: String,
        /// How long Circle wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// Circle understood and refused (HTTP 4xx): the same call will be refused again until something is done.
    #[error("circle refused: {message:?}, code {code}, HTTP {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Circle's own number for it; 0 when the answer had none.
        code: i64,
        /// Circle's words, cut to size and free of secrets.
        message: String,
    },
}

/// What an answer says of the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Circle understood it and does not do it.
    Refused,
    /// Circle does not let us ask. Whether it has done the same before, it does not say.
    Forbidden,
    /// Nothing: it may have been done, or may be yet.
    Open,
}

impl CircleError {
    /// What this says of the request. Only an answer in Circle's own form says anything, since whatever stands between can
    /// answer 4xx as well. Another use of the key (409), a wrong API key (401), a rate limit and all that passes say nothing.
    pub const fn verdict(&self) -> Verdict {
        let Self::Refused { status, code: 1.., .. } = self else { return Verdict::Open };
        match status {
            400 | 404 | 422 => Verdict::Refused,
            403 => Verdict::Forbidden,
            _ => Verdict::Open,
        }
    }

    /// How long Circle wants to be left alone, if it said so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } => *retry_after,
            Self::Refused { .. } => None,
        }
    }
}

impl From<CircleError> for PortError {
    fn from(error: CircleError) -> Self {
        match error {
            CircleError::Transient { reason, .. } => Self::Transient { port: "circle", reason },
            CircleError::Refused { status, code, message } => {
                Self::Refused { port: "circle", reason: format!("{message:?}, code {code}, HTTP {status}") }
            }
        }
    }
}

impl From<CircleError> for crate::Error {
    fn from(error: CircleError) -> Self {
        Self::Port(error.into())
    }
}

/// Where an address of the address book stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientStatus {
    /// Being screened.
    Pending,
    /// It will be active, after the delay that the account has chosen.
    Inactive,
    /// It may be paid.
    Active,
    /// Circle will not pay it.
    Denied,
    /// Something newer than this client.
    Other(String),
}

impl From<&str> for RecipientStatus {
    fn from(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "inactive" => Self::Inactive,
            "active" => Self::Active,
            "denied" => Self::Denied,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl RecipientStatus {
    /// Circle's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Inactive => "inactive",
            Self::Active => "active",
            Self::Denied => "denied",
            Self::Other(word) => word,
        }
    }
}

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Circle's id of it.
    pub id: String,
    /// Where it stands.
    pub status: RecipientStatus,
}

/// Where a payout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutStatus {
    /// On its way.
    Pending,
    /// Paid.
    Complete,
    /// Not paid, and it will not be.
    Failed,
    /// Something newer than this client.
    Other(String),
}

impl From<&str> for PayoutStatus {
    fn from(text: &str) -> Self {
        match text {
            "pending" => Self::Pending,
            "complete" => Self::Complete,
            "failed" => Self::Failed,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl PayoutStatus {
    /// Circle's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }
}

/// A payout that Circle has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Circle's id of it.
    pub id: String,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Why it failed, in Circle's word; only of a failed one.
    pub error_code: Option<String>,
    /// How much is paid; `None` where Circle's answer does not say it in a way that we understand.
    pub amount: Option<Usdc>,
    /// The entry of the address book that it goes to; `None` likewise.
    pub recipient: Option<String>,
    /// What Circle takes for it, beside the amount; `None` likewise, and as long as Circle does not know.
    pub fee: Option<Usdc>,
}

/// An amount as Circle is told it: a decimal string of dollars; `None` for what cannot be paid.
///
/// There is no other case. Circle counts USDC as the token does, in millionths, so that nothing is ever rounded: six decimals
/// are what its sandbox takes, a seventh is what it refuses, and [`Usdc`] has none. The largest [`Usdc`] is within what it takes,
/// too. Should an account be held to fewer decimals, Circle says so with a 400, which is seen on the payment like any refusal.
pub fn told(amount: Usdc) -> Option<String> {
    amount.is_positive().then(|| amount.to_decimal().to_string())
}

/// When something happened, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// At the earliest.
    pub since: DateTime<Utc>,
    /// At the latest; `None` for until now.
    pub until: Option<DateTime<Utc>>,
}

/// Circle, as the domain sees it: one account that pays out of one balance.
#[async_trait]
pub trait Circle: Send + Sync {
    /// Adds an address to the address book, or gives the entry that it has there. The same key and address may
    /// be sent again.
    async fn recipient_create(
        &self,
        key: Uuid,
        chain: &str,
        address: Address,
    ) -> Result<Recipient, CircleError>;
    /// An entry of the address book.
    async fn recipient(&self, id: &str) -> Result<Recipient, CircleError>;
    /// Asks for a payout. The same key, recipient and amount may be sent again: there is one payout, as it is now.
    async fn payout_create(&self, key: Uuid, recipient: &str, amount: Usdc) -> Result<Payout, CircleError>;
    /// One page of the payouts that Circle has made in a span of time, of everybody and whatever became of them, newest first: what
    /// comes after the payout of this id, or the newest. An empty page is the end; one with few on it may not be.
    async fn payouts(&self, made: Span, after: Option<&str>) -> Result<Vec<Payout>, CircleError>;
    /// A payout.
    async fn payout(&self, id: &str) -> Result<Payout, CircleError>;
    /// The USDC that may be paid out now.
    async fn balance(&self) -> Result<Usdc, CircleError>;
    /// The key of this id, if it was asked for before. Nobody is asked.
    fn known_key(&self, id: Uuid) -> Option<PublicKey>;
    /// The key that notifications with this key id are signed with. It never changes.
    async fn public_key(&self, id: Uuid) -> Result<PublicKey, CircleError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_we_do_not_know_are_kept() {
        for word in ["pending", "complete", "failed", "under_review"] {
            assert_eq!(PayoutStatus::from(word).as_str(), word);
        }
        for word in ["pending", "inactive", "active", "denied", "archived"] {
            assert_eq!(RecipientStatus::from(word).as_str(), word);
        }
        assert_eq!(PayoutStatus::from("Complete"), PayoutStatus::Other("Complete".to_owned()));
    }

    #[test]
    fn amounts_are_told_to_the_millionth_or_not_at_all() {
        for (micro, text) in [
            (12_500_000, "12.50"),
            (1, "0.000001"),
            (90_000_001, "90.000001"),
            (i64::MAX, "9223372036854.775807"),
        ] {
            assert_eq!(told(Usdc(micro)).as_deref(), Some(text));
            assert_eq!(text.parse(), Ok(Usdc(micro)), "and read alike");
        }
        for micro in [0, -1, i64::MIN] {
            assert_eq!(told(Usdc(micro)), None);
        }
    }

    /// Whoever ends a payment on an answer that says nothing pays twice.
    #[test]
    fn only_circles_own_no_is_a_verdict() {
        let refused = |status, code| CircleError::Refused { status, code, message: String::new() }.verdict();
        for status in [400, 404, 422] {
            assert_eq!(refused(status, 2), Verdict::Refused, "{status}");
            assert_eq!(refused(status, 0), Verdict::Open, "{status} of something between");
        }
        assert_eq!((refused(403, 3), refused(403, 0)), (Verdict::Forbidden, Verdict::Open));
        for status in [0, 200, 401, 402, 405, 409, 410, 413, 418] {
            assert_eq!(refused(status, 2), Verdict::Open, "{status}");
        }
        let passes = CircleError::Transient { reason: String::new(), retry_after: None };
        assert_eq!(passes.verdict(), Verdict::Open);
    }

    #[test]
    fn retrying_is_for_what_may_pass() {
        let busy =
            CircleError::Transient { reason: "x".to_owned(), retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));
        assert!(crate::Error::from(busy).is_transient());
        let refused = CircleError::Refused { status: 409, code: 1083, message: "bound".to_owned() };
        assert_eq!(refused.retry_after(), None);
        assert!(!crate::Error::from(refused).is_transient());
    }
}
