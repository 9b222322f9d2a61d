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

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It failed, and may with any other question.
    #[error(transparent)]
    Failed(#[from] PortError),
    /// It is there, and does not answer this: what people write must not make it seem to fail.
    #[error(transparent)]
    Declined(PortError),
}

/// Help from a language model. Everything works without it, so whoever asks has an answer for its silence.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// What each text means, in the order of the texts; all vectors have the same length. No text may be empty.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, NoAnswer>;
    /// How many of these texts it would have to send for that; the others it remembers.
    fn unknown(&self, texts: &[String]) -> usize {
        texts.len()
    }
    /// What the model writes, never blank, otherwise as it came. `task` says what to do, in our words alone;
    /// `material` is what others wrote.
    async fn write(&self, task: &str, material: &str) -> Result<String, NoAnswer>;
}
