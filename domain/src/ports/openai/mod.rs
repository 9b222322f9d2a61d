//! A language model, by the HTTP interface of OpenAI, which many other servers speak too.

use std::sync::Arc;

use async_trait::async_trait;

use super::PortError;

mod answer;
mod client;

pub use client::{AssistantSettings, OpenAi};

const fn transient(reason: String) -> PortError {
    PortError::Transient { port: "assistant", reason }
}

const fn refused(reason: String) -> PortError {
    PortError::Refused { port: "assistant", reason }
}

/// What a text means, as a direction: texts of like meaning point alike.
pub type Vector = Arc<[f32]>;

/// Help from a language model. Everything works without it, so whoever asks has an answer for its silence.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// What each text means, in the order of the texts; all vectors have the same length. No text may be empty.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, PortError>;
    /// What the model writes, never blank, otherwise as it came. `task` says what to do, in our words alone;
    /// `material` is what others wrote.
    async fn write(&self, task: &str, material: &str) -> Result<String, PortError>;
}
