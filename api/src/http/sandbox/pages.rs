//! The static pages in `sandbox_pages/`.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// Nothing but this server.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The mailbox shows mails in `srcdoc` frames, which inherit this policy, and mails bring their styles inline.
const MAIL_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, type, text.
const ASSETS: [(&str, &str, &str); 6] = [
    ("sandbox.css", STYLE, include_str!("../sandbox_pages/sandbox.css")),
    ("sandbox.js", SCRIPT, include_str!("../sandbox_pages/sandbox.js")),
    ("index.js", SCRIPT, include_str!("../sandbox_pages/index.js")),
    ("mail.js", SCRIPT, include_str!("../sandbox_pages/mail.js")),
    ("wallet.js", SCRIPT, include_str!("../sandbox_pages/wallet.js")),
    ("frontend.js", SCRIPT, include_str!("../sandbox_pages/frontend.js")),
];

/// Where the links in mails lead: pages of a front end, which a laptop does not have.
const FRONT_END: [&str; 6] =
    ["/verify", "/reset", "/proposals/{id}", "/contracts/{id}", "/milestones/{id}", "/payments/{id}"];

pub(super) fn routes() -> Router {
    let page =
        |text: &'static str, policy: &'static str| get(move || async move { show(HTML, policy, text) });
    let front_end = FRONT_END.into_iter().fold(Router::new(), |routes, path| {
        routes.route(path, page(include_str!("../sandbox_pages/frontend.html"), CSP))
    });
    front_end
        .route("/sandbox", page(include_str!("../sandbox_pages/index.html"), CSP))
        .route("/sandbox/mail", page(include_str!("../sandbox_pages/mail.html"), MAIL_CSP))
        .route("/sandbox/wallet", page(include_str!("../sandbox_pages/wallet.html"), CSP))
        .route("/sandbox/assets/{name}", get(asset))
}

async fn asset(Path(wanted): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, ..)| *name == wanted) {
        Some((_, of, text)) => show(of, CSP, text),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn show(of: &'static str, policy: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, of), (CONTENT_SECURITY_POLICY, policy), (CACHE_CONTROL, "no-cache")], text)
        .into_response()
}
