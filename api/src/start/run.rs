//! Running until told to stop, and stopping so that no request and no job is cut.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use domain::App;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::database;
use crate::Result;

/// How long requests and jobs are given after the signal. Containers are killed after 30 seconds; what comes after
/// this needs a moment, too.
const DRAIN: Duration = Duration::from_secs(27);

/// Cancelled by the first SIGTERM or SIGINT. A second one ends the process at once.
pub(crate) fn closing() -> Result<CancellationToken> {
    let closing = CancellationToken::new();
    let token = closing.clone();
    let mut signals = Signals::listen()?;
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("told to stop: letting requests and jobs end");
        token.cancel();
        signals.next().await;
        tracing::warn!("told to stop twice: ending at once");
        std::process::exit(130);
    });
    Ok(closing)
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => (),
            _ = self.1.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What a process does: the API, the workers, or both.
pub(crate) struct Work {
    tasks: Vec<(&'static str, JoinHandle<Result<()>>)>,
    closing: CancellationToken,
}

impl Work {
    pub(crate) const fn new(closing: CancellationToken) -> Self {
        Self { tasks: Vec::new(), closing }
    }

    /// Answers requests. When closing: no new connections, the open ones end with their request; the router itself
    /// closes WebSockets.
    pub(crate) fn api(&mut self, listener: TcpListener, routes: Router) {
        let closed = self.closing.clone().cancelled_owned();
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        let task = async move { Ok(axum::serve(listener, service).with_graceful_shutdown(closed).await?) };
        self.tasks.push(("the API", tokio::spawn(task)));
    }

    /// Works on jobs. When closing: takes no more, and ends with the running ones.
    pub(crate) fn workers(&mut self, app: &App) {
        let pool = jobs::run(app.clone(), self.closing.clone());
        let task = async move {
            pool.await;
            Ok(())
        };
        self.tasks.push(("the workers", tokio::spawn(task)));
    }

    /// Returns when everything has ended after the signal, or time is up; an error when something ended by itself.
    pub(crate) async fn until_closed(self, app: &App) -> Result<()> {
        let Self { tasks, closing } = self;
        let all = async {
            let mut first_error = Ok(());
            for (name, task) in tasks {
                let ended = match task.await {
                    Ok(ended) => ended,
                    Err(error) => Err(format!("{name} ended badly: {error}").into()),
                };
                let early = !closing.is_cancelled();
                let ended =
                    if early { ended.and(Err(format!("{name} stopped by itself").into())) } else { ended };
                if ended.is_err() {
                    closing.cancel();
                    first_error = first_error.and(ended);
                }
            }
            first_error
        };
        let time_up = async {
            closing.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let ended = tokio::select! {
            ended = all => ended,
            () = time_up => {
                tracing::warn!("not everything ended in {DRAIN:?}: what is left is done again later");
                Ok(())
            }
        };
        // A statement under way is not waited for.
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), database::close(&app.db)).await {
            tracing::warn!(error, "the database did not close tidily");
        }
        ended
    }
}
