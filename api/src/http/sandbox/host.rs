//! Which names this server answers to.
//!
//! In `dev` the page at `/` carries tokens, and a browser lets a page of any site read what comes from that site's own
//! name, whatever address the name leads to (DNS rebinding). So only names that lead here for certain are answered.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::header::HOST;
use http::{StatusCode, uri::Authority};

/// Refuses requests whose host is neither this machine nor the address that is listened on.
pub fn guard(routes: Router, listen: SocketAddr) -> Router {
    routes.layer(middleware::from_fn_with_state(listen.ip(), check))
}

async fn check(State(own): State<IpAddr>, request: Request, next: Next) -> Response {
    let named = match request.headers().get(HOST) {
        Some(host) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        // HTTP/2 has it in the address.
        None => request.uri().authority().cloned(),
    };
    match named {
        Some(authority) if is_here(authority.host(), own) => next.run(request).await,
        _ => {
            let why = "This sandbox answers to localhost and to the address that it listens on, to no other name.\n";
            (StatusCode::MISDIRECTED_REQUEST, why).into_response()
        }
    }
}

fn is_here(host: &str, own: IpAddr) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // Listening on all addresses: any address will do, since rebinding needs a name.
    address.is_ok_and(|address| address.is_loopback() || address == own || own.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_here() {
        let here = |host: &str, own: &str| is_here(host, own.parse().expect("an address"));
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.0.1", "[::1]"] {
            assert!(here(host, "127.0.0.1"), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "10.0.0.7", "127.0.0.1.evil.example", ""] {
            assert!(!here(host, "127.0.0.1"), "{host}");
        }
        assert!(here("10.0.0.7", "10.0.0.7") && here("10.0.0.7", "0.0.0.0"));
        assert!(!here("evil.example", "0.0.0.0"));
    }
}
