//! What operators see: the log, and errors in Sentry.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use sentry::integrations::tracing::EventFilter;
use sentry::protocol::Event;
use sentry::{ClientInitGuard, ClientOptions};
use tracing::{Level, Metadata};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// What is logged when `RUST_LOG` says nothing: ours, and the others' troubles.
const USUAL_FILTER: &str = "warn,megilance=info,api=info,domain=info,jobs=info,sandbox=info,s3s=off,s3s_fs=warn";

/// Starts the log on stderr: for people on a terminal, JSON elsewhere. A panic is logged, too. Call it once, first.
pub fn log(filter: Option<&str>) {
    let filter = EnvFilter::new(filter.unwrap_or(USUAL_FILTER));
    let lines = if io::stderr().is_terminal() {
        fmt::layer().with_writer(io::stderr).compact().boxed()
    } else {
        fmt::layer().with_writer(io::stderr).json().flatten_event(true).boxed()
    };
    let reports = sentry::integrations::tracing::layer().event_filter(report_of).span_filter(|_| false);
    // Only a second call can fail, and the first one's log goes on.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(reports).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("without words");
        tracing::error!(target: "megilance", place, "panic: {what}");
    }));
}

/// Which lines of the log become reports. Internal errors of the API are reported where they happen, with the
/// reference that the client gets, and panics by Sentry's own hook: a line of the log would repeat them.
fn report_of(line: &Metadata<'_>) -> EventFilter {
    if *line.level() == Level::ERROR && line.target().starts_with("jobs") {
        EventFilter::Event
    } else {
        EventFilter::Ignore
    }
}

/// Starts Sentry; reports stop when the guard is dropped, after a last effort to send what waits. Without a DSN
/// nothing is sent anywhere. Call it after [`log`], so that panics go to both.
pub fn sentry(dsn: Option<&SecretString>) -> Option<ClientInitGuard> {
    let dsn = dsn?.expose_secret().parse().ok()?;
    let options = ClientOptions {
        dsn: Some(dsn),
        release: sentry::release_name!(),
        send_default_pii: false,
        attach_stacktrace: true,
        before_send: Some(Arc::new(|event| Some(without_people(event)))),
        ..Default::default()
    };
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
