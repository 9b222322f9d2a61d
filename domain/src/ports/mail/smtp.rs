//! The real mail: an SMTP server, over a pool of connections.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{self, AsyncSmtpTransportBuilder, PoolConfig},
};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::Instrument as _;

use super::{Mail, OutgoingMail, message};
use crate::ports::PortError;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(8);
/// How long a whole send may take: connecting, the conversation, and the one repetition.
const SEND_LIMIT: Duration = Duration::from_secs(20);
/// Connections kept open.
const POOL_SIZE: u32 = 4;
/// How long an unused one is kept: less than any server waits.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// The answers by which a server refuses us, not the mail: an operator's matter, and the mail waits for it.
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

/// Where the mail server is and as whom we write.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `smtps://user:password@host:465`, `smtp://...:587?tls=required`, or `smtp://host:port` without encryption.
    pub smtp_url: SecretString,
    /// The sender, such as `MegiLance <no-reply@example.com>`.
    pub from: String,
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A [`Mail`] over one SMTP server.
pub struct SmtpMail {
    lines: Arc<Lines>,
    from: Mailbox,
}

impl SmtpMail {
    /// Checks the settings; nothing is sent. Call it within a Tokio runtime: the pool has a task that closes idle
    /// connections.
    ///
    /// # Errors
    /// [`PortError::Refused`] for a URL or a sender that cannot be one. The text holds no secret.
    pub fn new(settings: MailSettings) -> Result<Self, PortError> {
        let builder = Transport::from_url(settings.smtp_url.expose_secret())
            .map_err(|_| super::refused("the SMTP URL is not one of smtp:// and smtps://".to_owned()))?
            .timeout(Some(CONNECT_LIMIT));
        let from = settings
            .from
            .parse()
            .map_err(|_| super::refused("the sender is not a mail address".to_owned()))?;
        Ok(Self { lines: Arc::new(Lines::new(builder)), from })
    }
}

#[async_trait]
impl Mail for SmtpMail {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), PortError> {
        let message = message::build(mail, &self.from)?;
        let lines = Arc::clone(&self.lines);
        // A task of its own: were the caller dropped in the middle of a conversation, the pool would keep that
        // connection, and the next mail would read this one's answers.
        tokio::spawn(async move { lines.send(message).await }.in_current_span())
            .await
            .map_err(|_| super::transient("the send was cut off".to_owned()))?
    }

    async fn verify(&self) -> Result<(), PortError> {
        match tokio::time::timeout(SEND_LIMIT, self.lines.fresh.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(super::transient("the server does not answer".to_owned())),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(super::transient("no answer in time".to_owned())),
        }
    }
}

/// The ways to the server.
struct Lines {
    builder: AsyncSmtpTransportBuilder,
    /// Keeps its connections.
    pooled: RwLock<Transport>,
    /// Opens one for each use.
    fresh: Transport,
}

impl Lines {
    fn new(builder: AsyncSmtpTransportBuilder) -> Self {
        let fresh = builder.clone().pool_config(PoolConfig::new().max_size(0)).build();
        Self { pooled: RwLock::new(pool(&builder)), fresh, builder }
    }

    async fn send(&self, message: Message) -> Result<(), PortError> {
        let (envelope, bytes) = (message.envelope().clone(), message.formatted());
        let pooled = self.pooled.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut conversation = Box::pin(async {
            match pooled.send_raw(&envelope, &bytes).await {
                Err(error) if was_cut(&error) => {
                    tracing::debug!(%error, "a kept connection was cut; again on a fresh one");
                    self.fresh.send_raw(&envelope, &bytes).await
                }
                other => other,
            }
        });
        match tokio::time::timeout(SEND_LIMIT, &mut conversation).await {
            Ok(outcome) => outcome.map(drop).map_err(|error| failed(&error)),
            Err(_) => {
                // Closed before the conversation is let go, so that its connection is not kept with an answer
                // still to come.
                *self.pooled.write().unwrap_or_else(PoisonError::into_inner) = pool(&self.builder);
                pooled.shutdown().await;
                Err(super::transient("no answer in time".to_owned()))
            }
        }
    }
}

fn pool(builder: &AsyncSmtpTransportBuilder) -> Transport {
    builder.clone().pool_config(PoolConfig::new().max_size(POOL_SIZE).idle_timeout(IDLE_LIMIT)).build()
}

/// Whether the connection ended in the middle: the server had closed it while it lay in the pool, or is leaving
/// (421). Were it cut after the message, the same Message-ID goes out twice, as after a crash.
fn was_cut(error: &smtp::Error) -> bool {
    let leaving = error.status().is_some_and(|code| u16::from(code) == 421);
    leaving || (error.status().is_none() && !error.is_client() && !error.is_tls() && !error.is_timeout())
}

/// A server's words may name the receiver, never our password.
fn failed(error: &smtp::Error) -> PortError {
    let reason: String =
        error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let permanent =
        error.is_permanent() && error.status().is_some_and(|code| !LOGIN_REFUSED.contains(&code.into()));
    if permanent { super::refused(reason) } else { super::transient(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(smtp_url: &str, from: &str) -> MailSettings {
        MailSettings { smtp_url: smtp_url.into(), from: from.to_owned() }
    }

    #[tokio::test]
    async fn wrong_settings_are_refused_without_their_secret() {
        let from = "MegiLance <no-reply@megilance.example>";
        for (url, from) in [
            ("smtp://u:hunter2@[", from),
            ("https://u:hunter2@mail.example", from),
            ("smtp://u:hunter2@mail.example?tls=maybe", from),
            ("smtps://u:hunter2@mail.example", "nobody"),
        ] {
            let error = SmtpMail::new(settings(url, from)).err().unwrap();
            assert!(!error.is_transient() && !error.to_string().contains("hunter2"), "{error}");
        }
        assert!(SmtpMail::new(settings("smtps://u:hunter2@mail.example", from)).is_ok());
    }

    #[tokio::test]
    async fn nobody_there_is_transient() {
        let mail = SmtpMail::new(settings("smtp://127.0.0.1:1", "a@b.example")).unwrap();
        assert!(mail.verify().await.unwrap_err().is_transient());
    }
}
