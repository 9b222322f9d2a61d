//! Mail over SMTP.

use async_trait::async_trait;

use super::PortError;

mod message;
mod smtp;

pub use smtp::{MailSettings, SmtpMail};

const fn transient(reason: String) -> PortError {
    PortError::Transient { port: "mail", reason }
}

const fn refused(reason: String) -> PortError {
    PortError::Refused { port: "mail", reason }
}

/// A finished mail: everything about it was stored before this call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// To whom.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
    /// Stable over retries, without angle brackets: a receiver can tell a repetition.
    pub message_id: String,
    /// Where one unsubscribes by one click, where that is allowed.
    pub unsubscribe_url: Option<String>,
}

/// A way to send mail.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Hands it to the server. [`PortError::Refused`] when the address is refused for good.
    async fn send(&self, mail: &OutgoingMail) -> Result<(), PortError>;
    /// Whether the server answers: for `doctor`.
    async fn verify(&self) -> Result<(), PortError>;
}
