//! Media types: which one the client sent, and which one it wants back.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// The media types that GraphQL is answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells of request errors.
    GraphQl,
    /// `application/json`: well-formed requests are answered 200, as clients from before the watershed expect.
    Json,
}

impl Media {
    /// The `Content-Type` of an answer.
    pub(super) const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphQl => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }

    /// What the client likes best: by `q`, then by how exactly it names the type, then by order. None when it accepts
    /// neither. Without a wish it is `application/json`.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter(|range| !range.trim().is_empty())
            .peekable();
        if ranges.peek().is_none() {
            return Some(Self::Json);
        }
        let mut best: Option<((u16, u8), Self)> = None;
        for (rank, media) in ranges.filter_map(range) {
            if best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, media));
            }
        }
        best.map(|(_, media)| media)
    }
}

/// A media range, its rank and what it means here; none when it means nothing here, or is refused by `q=0`.
fn range(text: &str) -> Option<((u16, u8), Media)> {
    let mut parts = text.split(';').map(str::trim);
    let (exact, media) = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/graphql-response+json" => (2, Media::GraphQl),
        "application/json" => (2, Media::Json),
        "application/*" => (1, Media::Json),
        "*/*" => (0, Media::Json),
        _ => return None,
    };
    let mut quality = 1000;
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value.trim())?,
            "charset" if !is_utf8(value) => return None,
            _ => {}
        }
    }
    (quality > 0).then_some(((quality, exact), media))
}

/// A `q` of at most three decimals, in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 {
        return None;
    }
    let padded = format!("{decimals:0<3}").parse::<u16>().ok()?;
    Some((if whole == "1" { 1000 } else { padded }).min(1000))
}

/// Whether a request's body is declared as JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && parts
            .filter_map(|part| part.split_once('='))
            .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value))
}

fn is_utf8(charset: &str) -> bool {
    matches!(charset.trim().trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &'static str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Media::wanted(&headers)
    }

    #[test]
    fn accept() {
        assert_eq!(Media::wanted(&HeaderMap::new()), Some(Media::Json));
        for json in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/json, */*",
            "application/json; charset=UTF-8",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/graphql-response+json;q=0.5, application/json;q=0.9",
            "application/graphql-response+json;q=0, */*",
        ] {
            assert_eq!(wanted(json), Some(Media::Json), "{json}");
        }
        for graphql in [
            "application/graphql-response+json",
            "Application/GraphQL-Response+JSON; charset=utf-8",
            "application/graphql-response+json, application/json;q=0.9",
            "application/graphql-response+json, application/json",
            "*/*, application/graphql-response+json",
        ] {
            assert_eq!(wanted(graphql), Some(Media::GraphQl), "{graphql}");
        }
        for neither in ["text/html", "application/json;q=0", "application/json; charset=latin1", "image/*"] {
            assert_eq!(wanted(neither), None, "{neither}");
        }
    }

    #[test]
    fn content_type() {
        let is = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
            is_json(&headers)
        };
        for right in
            ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""]
        {
            assert!(is(right), "{right}");
        }
        for wrong in
            ["text/plain", "application/json; charset=utf-16", "application/graphql", "multipart/form-data"]
        {
            assert!(!is(wrong), "{wrong}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
