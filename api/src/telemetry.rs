//! What operators see: the log, and errors in Sentry.

use std::io::{self, IsTerminal as _};

use secrecy::{ExposeSecret as _, SecretString};
use sentry::integrations::tracing::ErrorLayer;
use sentry::protocol::Event;
use sentry::{ClientInitGuard, ClientOptions};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// What is logged when `RUST_LOG` says nothing: ours, and the others' troubles.
const USUAL_FILTER: &str =
    "warn,megilance=info,api=info,domain=info,jobs=info,sandbox=info,s3s=off,s3s_fs=warn";

/// Starts the log on stderr: for people on a terminal, JSON elsewhere. A panic is logged, too. Call it once, first.
pub fn log(filter: Option<&str>) {
    let filter = EnvFilter::new(filter.unwrap_or(USUAL_FILTER));
    let lines = if io::stderr().is_terminal() {
        fmt::layer().with_writer(io::stderr).compact().boxed()
    } else {
        fmt::layer().with_writer(io::stderr).json().flatten_event(true).with_span_list(false).boxed()
    };
    let reports = ErrorLayer::new().with_filter(filter_fn(is_report));
    // Only a second call can fail, and the first one's log goes on.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(reports).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("without words");
        tracing::error!(target: "megilance", place, "panic: {what}");
    }));
}

/// A log of troubles alone: for work whose every step nobody wants to read.
pub fn quiet() -> impl Subscriber + Send + Sync {
    fmt().with_writer(io::stderr).with_max_level(Level::WARN).compact().finish()
}

/// Whether a line of the log becomes a report. Internal errors of the API are reported where they happen, with the
/// reference that the client gets, and panics by Sentry's own hook: a line of the log would repeat them.
fn is_report(line: &Metadata<'_>) -> bool {
    *line.level() == Level::ERROR && line.target().starts_with("jobs")
}

/// Starts Sentry; reports stop when the guard is dropped, after a last effort to send what waits. Without a DSN
/// nothing is sent anywhere. Call it after [`log`], so that panics go to both.
pub fn sentry(dsn: Option<&SecretString>) -> Option<ClientInitGuard> {
    let dsn = dsn?.expose_secret().parse().ok()?;
    let mut options = ClientOptions::new()
        .send_default_pii(false)
        .attach_stacktrace(true)
        .before_send(|event| Some(without_people(event)));
    options.dsn = Some(dsn);
    options.release = sentry::release_name!();
    Some(sentry::init(options))
}

/// Takes out of a report what may be about a person or hold a secret: the request with its headers, cookies and body,
/// the user, the machine's name.
fn without_people(mut event: Event<'static>) -> Event<'static> {
    event.request = None;
    event.user = None;
    event.server_name = None;
    event.breadcrumbs.values.clear();
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_nobody_in_it() {
        let mut event = Event { server_name: Some("host".into()), ..Default::default() };
        let mut request = sentry::protocol::Request::default();
        request.headers.insert("authorization".into(), "Bearer canary".into());
        event.request = Some(request);
        event.tags.insert("reference".into(), "abc".into());
        let event = without_people(event);
        assert!(!format!("{event:?}").contains("canary"));
        assert_eq!(event.tags.get("reference").map(String::as_str), Some("abc"));
    }
}
