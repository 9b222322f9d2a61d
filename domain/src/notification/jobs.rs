//! The jobs of this noun: ids only.

use entities::MailId;
use serde::{Deserialize, Serialize};

use crate::queue::Job;

/// Sends a mail that was stored whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailSend {
    /// Which mail.
    pub id: MailId,
}

impl Job for MailSend {
    const QUEUE: &'static str = "mail-send";
}
