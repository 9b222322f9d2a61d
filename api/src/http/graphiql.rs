//! `GET /`: GraphiQL, from this binary alone.
//!
//! build.rs bundles the page in `api/graphiql` and embeds it compressed. The page is static but for one data block, the
//! example tabs, which is put in at each request. Where the binary was built without npm, async-graphql's own page stands
//! in, which loads GraphiQL from a CDN; [`bundled`] tells which of the two it is.

mod assets;
mod examples;

use std::sync::{Arc, LazyLock};

use async_graphql::http::GraphiQLSource;
use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use examples::example_tabs;

const TITLE: &str = "MegiLance GraphQL";
const ENDPOINT: &str = "/graphql";
const SUBSCRIPTION_ENDPOINT: &str = "/graphql/ws";

/// Where index.html wants its data block. Vite leaves comments alone.
const PLACEHOLDER: &str = "<!-- megilance-config -->";

/// For the embedded page: nothing but this server. Monaco writes style elements, hence `'unsafe-inline'` for styles;
/// `connect-src 'self'` covers the WebSocket, which has the same host and port.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
     img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
     form-action 'none'";

/// For the page that stands in: what async-graphql's template needs, an inline script and two hosts.
const CDN_CSP: &str = "default-src 'none'; script-src 'unsafe-inline' https://unpkg.com; \
     style-src 'unsafe-inline' https://unpkg.com; font-src data: https://unpkg.com; \
     img-src 'self' data: https://graphql.org; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
     form-action 'none'";

const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// The page as the bundle has it, or none where there is no bundle.
static TEMPLATE: LazyLock<Option<String>> = LazyLock::new(|| {
    assets::find("index.html").and_then(|page| String::from_utf8(page.inflate().ok()?).ok())
});

/// One tab that the page opens with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tab {
    /// What tells this tab from the others, across visits too. GraphiQL shows the operation's name.
    pub title: String,
    /// The GraphQL document.
    pub query: String,
    /// The variables, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<String>,
    /// The HTTP headers, as JSON text. `Authorization` is used for subscriptions, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    endpoint: &'static str,
    subscription_endpoint: &'static str,
    tabs: Vec<Tab>,
}

/// Whether the page is in this binary. If not, it loads GraphiQL from a CDN, which the start log should say.
pub fn bundled() -> bool {
    TEMPLATE.is_some()
}

/// `GET /` and `GET /graphiql/...`. The tabs are asked for at each visit, so their tokens may be new ones; they are the
/// only thing on the page that is worth protecting, and no cache keeps it.
pub fn routes<S>(tabs: Arc<dyn Fn() -> Vec<Tab> + Send + Sync>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/", get(async move |request: HeaderMap| page(tabs(), &request)))
        .route("/graphiql/{*path}", get(asset))
}

fn page(tabs: Vec<Tab>, request: &HeaderMap) -> Response {
    let (body, policy) = match TEMPLATE.as_deref() {
        Some(template) => (with_config(template, tabs), CSP),
        None => (cdn_page(), CDN_CSP),
    };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let response = if knows(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Html(body).into_response()
    };
    let mut response = guarded(response, policy);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response {
    let response = match assets::find(&path) {
        Some(asset) => asset.respond(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    };
    guarded(response, CSP)
}

/// Workers take their policy from their own script's response, so assets carry these headers as the page does.
fn guarded(mut response: Response, policy: &'static str) -> Response {
    const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (PERMISSIONS_POLICY, PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The data block is not executed, so the policy needs no exception for it. With every `<` escaped, nothing in a tab can
/// end it early.
fn with_config(template: &str, tabs: Vec<Tab>) -> String {
    let config = Config { endpoint: ENDPOINT, subscription_endpoint: SUBSCRIPTION_ENDPOINT, tabs };
    let json = serde_json::to_string(&config).unwrap_or_default().replace('<', "\\u003c");
    let block = format!(r#"<script type="application/json" id="megilance-config">{json}</script>"#);
    template.replacen(PLACEHOLDER, &block, 1)
}

fn cdn_page() -> String {
    GraphiQLSource::build()
        .endpoint(ENDPOINT)
        .subscription_endpoint(SUBSCRIPTION_ENDPOINT)
        .title(TITLE)
        .finish()
}

/// Whether the browser already holds the page with this tag.
fn knows(request: &HeaderMap, tag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tab(query: &str) -> Tab {
        Tab { title: "A".into(), query: query.into(), variables: None, headers: None }
    }

    #[test]
    fn a_tab_cannot_end_its_data_block() {
        let page = with_config(PLACEHOLDER, vec![tab("# </script><script>alert(1)</script>")]);
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(page.contains(r"\u003c/script>\u003cscript>alert(1)"));
        assert!(page.contains(r#""subscriptionEndpoint":"/graphql/ws""#));
    }

    #[test]
    fn the_second_visit_is_answered_without_a_body() {
        let first = page(vec![tab("{ a }")], &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        assert_eq!(page(vec![tab("{ a }")], &request).status(), StatusCode::NOT_MODIFIED);
        if bundled() {
            assert_eq!(page(vec![tab("{ b }")], &request).status(), StatusCode::OK);
        }
    }

    #[test]
    fn the_bundle_has_its_placeholder() {
        assert!(TEMPLATE.as_deref().is_none_or(|page| page.contains(PLACEHOLDER)));
    }
}
