//! Passwords: what is acceptable, and Argon2id off the async threads.

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use entities::user;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::common_passwords::is_common;
use crate::{
    App,
    check::Check,
    clock::random_bytes,
    error::{Code, Error, Result},
};

/// Passes over the memory (OWASP's first choice: 46 MiB, one pass, one lane).
const PASSES: u32 = 1;
/// Lanes.
const LANES: u32 = 1;
/// How many hashes run at once: each takes its memory, and a burst of sign-ins must not take it all.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Notes what is wrong with a new password, under the field that brought it. `email` and `name` are the owner's:
/// a password must not be one of them.
pub(super) fn check_new(check: &mut Check, field: &str, password: &SecretString, email: &str, name: &str) {
    let password = password.expose_secret();
    match password.chars().count() {
        0 => check.problem(field, Code::Required, "Give a password of 8 to 128 characters."),
        1..8 => check.problem(field, Code::TooShort, "Give at least 8 characters."),
        8..=128 => {
            let local_part = email.split('@').next().unwrap_or_default();
            let own = [email, local_part, name].iter().any(|own| password.eq_ignore_ascii_case(own));
            check.ensure(
                !own && !is_common(password),
                field,
                Code::Invalid,
                "This password is among the first that a thief tries. Choose another, such as four unrelated words.",
            );
        }
        _ => check.problem(field, Code::TooLong, "Give at most 128 characters."),
    }
}

/// Hashes a password: a PHC string with its salt and parameters. Takes tens of milliseconds, so never
/// within a transaction.
pub async fn hash(app: &App, password: SecretString) -> Result<String> {
    let memory = app.settings.argon2_memory_kib;
    let salt = random_bytes::<16>()?;
    aside(move || {
        let hash = argon2(memory)?
            .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
            .map_err(|error| Error::bug(format!("password hash: {error}")))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether it is this person's password. Without a person the same work is done and the answer is no, so
/// that time does not tell who has an account.
pub async fn verify(app: &App, user: Option<&user::Model>, password: SecretString) -> Result<bool> {
    // Longer than any that was accepted: Argon2 would read it all.
    if password.expose_secret().chars().count() > 128 {
        return Ok(false);
    }
    let Some(stored) = user.map(|user| user.password_hash.clone()) else {
        hash(app, password).await?;
        return Ok(false);
    };
    aside(move || {
        let hash = PasswordHash::new(&stored).map_err(|error| Error::bug(format!("stored hash: {error}")))?;
        // The parameters come from the stored hash, so older hashes stay good when the settings change.
        Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    })
    .await
}

fn argon2(memory_kib: u32) -> Result<Argon2<'static>> {
    let params = Params::new(memory_kib, PASSES, LANES, None)
        .map_err(|error| Error::bug(format!("Argon2 parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _turn = AT_ONCE.acquire().await.map_err(|error| Error::bug(error.to_string()))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::bug(format!("password thread: {error}")))?
}
