//! Access tokens of the demo people, for pasting.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use api::seed::{PASSWORD, SIGN_INS};
use chrono::{DateTime, Utc};
use domain::{
    App,
    account::{SignIn, session},
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    start::folder::{self, Folder},
};

/// A token with less time left is replaced.
const LEAST: chrono::Duration = chrono::Duration::days(7);
/// How often it is looked whether the clock was moved that far.
const LOOK: Duration = Duration::from_secs(5);

/// The tokens, kept in the data folder so that what somebody pasted somewhere survives a restart. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tokens {
    file: Arc<PathBuf>,
    held: Arc<RwLock<Vec<Token>>>,
}

/// One person's token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Token {
    /// `client`, `freelancer` or `admin`.
    pub(super) role: String,
    pub(super) bearer: String,
    expires_at: DateTime<Utc>,
}

impl Tokens {
    /// The tokens of last time where they are still good, or new ones.
    pub(super) async fn open(app: &App, folder: &Folder) -> Result<Self> {
        let file = folder.path("tokens.json");
        let held: Vec<Token> = folder::read(&file)?.unwrap_or_default();
        let tokens = Self { file: Arc::new(file), held: Arc::new(RwLock::new(held)) };
        tokens.refresh(app).await?;
        Ok(tokens)
    }

    /// All tokens, in the order of [`SIGN_INS`].
    pub(super) fn bearers(&self) -> Vec<Token> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces what runs out as the clock is moved; never ends.
    pub(super) async fn renew(self, app: App) {
        loop {
            tokio::time::sleep(LOOK).await;
            let mut bad = false;
            for token in self.bearers() {
                bad |= !is_good(&app, &token).await;
            }
            if bad && let Err(error) = self.refresh(&app).await {
                tracing::warn!(error, "the demo's tokens could not be renewed");
            }
        }
    }

    async fn refresh(&self, app: &App) -> Result<()> {
        let mut fresh = Vec::new();
        let held = self.bearers();
        for (role, email) in SIGN_INS {
            let known = held.iter().find(|token| token.role == role);
            match known {
                Some(token) if is_good(app, token).await => fresh.push(token.clone()),
                // Somebody may have set another password: then they sign in themselves.
                _ => match sign_in(app, role, email).await {
                    Ok(token) => fresh.push(token),
                    Err(error) => tracing::warn!(role, error, "no token for this person of the demo"),
                },
            }
        }
        folder::replace(&self.file, &fresh)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

async fn is_good(app: &App, token: &Token) -> bool {
    token.expires_at >= app.clock.now() + LEAST && session::authenticate(app, &token.bearer).await.is_ok()
}

async fn sign_in(app: &App, role: &str, email: &str) -> Result<Token> {
    let sign_in = SignIn {
        email: email.to_owned(),
        password: PASSWORD.into(),
        code: None,
        user_agent: Some("megilance dev".to_owned()),
    };
    let signed_in = session::create(app, sign_in).await?;
    Ok(Token {
        role: role.to_owned(),
        bearer: signed_in.access_token.expose_secret().to_owned(),
        expires_at: signed_in.access_expires_at,
    })
}
