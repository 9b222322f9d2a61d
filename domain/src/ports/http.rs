//! What all clients over HTTP share: how they connect, how much they read, and what they say of a failure.

use std::time::Duration;

use reqwest::{Client, Response, redirect};

/// Why there is no body.
pub(super) enum Unread {
    /// The connection broke, in words without the URL.
    Broken(String),
    /// It is larger than it may be.
    TooLarge,
}

/// A client that follows nobody: the key, or a URL that holds one, must not get to another host. The error is free of the URL.
pub(super) fn client(connect: Duration, call: Duration) -> Result<Client, String> {
    super::install_tls_provider();
    Client::builder()
        .connect_timeout(connect)
        .timeout(call)
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|error| format!("no HTTP client: {}", error.without_url()))
}

/// The body, up to so many bytes.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Unread::Broken(describe(error)))? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong on the way, without the URL.
pub(super) fn describe(error: reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        error.without_url().to_string()
    }
}

/// A text of the other side on one line, cut to so many characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}
