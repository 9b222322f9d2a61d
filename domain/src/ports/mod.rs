//! The outside world, each part behind a small trait with its one real client.

pub mod chain;
pub mod circle;
mod http;
pub mod mail;
pub mod openai;
pub mod storage;

/// What went wrong outside. It says whether the same call may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// A time-out, a refused connection, a 5xx, a rate limit: the same call may work later. Whether the
    /// other side acted is unknown.
    #[error("{port}: {reason}")]
    Transient {
        /// Which port.
        port: &'static str,
        /// What happened, free of secrets.
        reason: String,
    },
    /// The other side understood and refused: the same call will be refused again.
    #[error("{port} refused: {reason}")]
    Refused {
        /// Which port.
        port: &'static str,
        /// What happened, free of secrets.
        reason: String,
    },
}

impl PortError {
    /// Whether the same call may work later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }
}

/// Makes ring the process's TLS provider unless there is one already: `main` has chosen it by then, tests have not.
fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may be first: it chose the same.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
