//! Notifications on their way to the web hook: in order, each until it is taken.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Shared;

/// How often time is looked at when nobody asks for anything.
const TICK: Duration = Duration::from_millis(250);
/// How long the first repetition waits; each later one twice as long, to a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a web hook may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// A signed notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// `notificationId`: the same each time it is delivered.
    pub id: String,
    /// For the header `X-Circle-Key-Id`.
    pub key_id: String,
    /// For the header `X-Circle-Signature`: base64 of the DER.
    pub signature: String,
    /// The signed body, to the byte.
    pub body: String,
}

/// Lets time pass and delivers, until stopped.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let news = async {
            let _ = tokio::time::timeout(TICK, shared.news.notified()).await;
        };
        if stop.run_until_cancelled(news).await.is_none() {
            return;
        }
        let settled = {
            let shared = Arc::clone(&shared);
            tokio::task::spawn_blocking(move || shared.change(|_, _| ()))
        };
        if let Ok(Err(error)) = settled.await {
            tracing::error!(%error, "the account of the sandbox's Circle cannot be written");
        }
        let Some(url) = shared.webhook() else { continue };
        match stop.run_until_cancelled(deliver_all(&shared, &url)).await {
            None => return,
            Some(Ok(())) => pause = FIRST_PAUSE,
            Some(Err(error)) => {
                tracing::warn!(%error, "a notification of the sandbox's Circle did not get through");
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }
}

async fn deliver_all(shared: &Shared, url: &str) -> Result<(), String> {
    loop {
        let next = shared.account().notices.iter().find(|notice| !notice.delivered).cloned();
        let Some(notice) = next else { return Ok(()) };
        let notification = shared.signer.notification(&notice).map_err(|error| error.to_string())?;
        let status = post(url, &notification).await?;
        if !(200..300).contains(&status) {
            return Err(format!("HTTP {status}"));
        }
        shared.change(|account, _| account.delivered(&notice.id)).map_err(|error| error.to_string())?;
    }
}

/// Posts to a plain HTTP address. Gives the status.
pub(super) async fn post(url: &str, notification: &Notification) -> Result<u16, String> {
    tokio::time::timeout(ANSWER, send(url, notification)).await.map_err(|_| "no answer in time".to_owned())?
}

async fn send(url: &str, notification: &Notification) -> Result<u16, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!("{url} is no http address"));
    };
    let place = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(place).await.map_err(|error| error.to_string())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header("X-Circle-Key-Id", &notification.key_id)
        .header("X-Circle-Signature", &notification.signature)
        .body(Body::from(notification.body.clone()))
        .map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends with its one request.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    Ok(answer.status().as_u16())
}
