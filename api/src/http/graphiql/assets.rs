//! The embedded bundle: what Vite wrote, file by file, as gzip.

use std::io::{self, Read as _};

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, StatusCode};

/// Written by build.rs; empty where npm could not be had.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/graphiql_assets.rs"));

/// One file of the bundle.
pub(super) struct Asset {
    path: &'static str,
    content_type: &'static str,
    /// Its name holds a hash of its content.
    immutable: bool,
    gzip: &'static [u8],
}

/// The file at a path as Vite names it, `assets/index-....js`.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

impl Asset {
    /// The file as it was before compression.
    pub(super) fn inflate(&self) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain)?;
        Ok(plain)
    }

    /// The compressed bytes as they lie in the binary, or inflated for the rare client that cannot do that itself.
    pub(super) fn respond(&self, request: &HeaderMap) -> Response {
        let cache =
            if self.immutable { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, cache), (VARY, "accept-encoding")];
        if accepts_gzip(request) {
            let body = Body::from(Bytes::from_static(self.gzip));
            return (headers, [(CONTENT_ENCODING, "gzip")], body).into_response();
        }
        match self.inflate() {
            Ok(plain) => (headers, plain).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// Whether `Accept-Encoding` names gzip, or anything, and not with a weight of zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches("q=");
        let refused = weight.starts_with('0') && !weight.contains(|digit| ('1'..='9').contains(&digit));
        matches!(name.trim(), "gzip" | "*") && !refused
    };
    request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn gzip_is_sent_only_where_it_is_wanted() {
        for (header, wanted) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("identity", false),
        ] {
            let mut request = HeaderMap::new();
            request.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(accepts_gzip(&request), wanted, "{header}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn every_asset_is_whole() {
        for asset in ASSETS {
            assert!(asset.inflate().is_ok_and(|plain| !plain.is_empty()), "{}", asset.path);
        }
    }
}
