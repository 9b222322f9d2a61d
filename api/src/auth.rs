//! Who is asking: the bearer of an access token, or nobody.

use domain::{Actor, App, Error, account::session};
use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};

/// The access token that a request came with.
#[derive(Debug, Clone)]
pub struct Bearer(SecretString);

/// An `Authorization` that is no `Bearer <token>`. It never shows what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The Authorization header has to be \"Bearer <access token>\", once.")]
pub struct Malformed;

impl Bearer {
    /// From a request's headers; none when it has no `Authorization`.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Malformed> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Self::parse(value.to_str().map_err(|_| Malformed)?).map(Some),
            (Some(_), Some(_)) => Err(Malformed),
        }
    }

    /// From the value of an `Authorization`. The scheme's case does not matter.
    pub fn parse(value: &str) -> Result<Self, Malformed> {
        let (scheme, token) = value.trim().split_once(' ').ok_or(Malformed)?;
        let token = token.trim();
        // RFC 6750's b64token.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.bytes().all(fits) {
            Ok(Self(token.into()))
        } else {
            Err(Malformed)
        }
    }
}

/// The actor of a request: anonymous without a token, `Unauthenticated` with a bad or an expired one.
pub async fn actor(app: &App, bearer: Option<&Bearer>) -> Result<Actor, Error> {
    match bearer {
        None => Ok(Actor::Anonymous),
        Some(bearer) => session::authenticate(app, bearer.0.expose_secret()).await,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(values: &[&'static str]) -> Result<Option<String>, Malformed> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        Ok(Bearer::from_headers(&headers)?.map(|bearer| bearer.0.expose_secret().to_owned()))
    }

    #[test]
    fn bearers() {
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&["Bearer a.b-c_d="]), Ok(Some("a.b-c_d=".into())));
        assert_eq!(found(&["bearer  abc "]), Ok(Some("abc".into())));
        for wrong in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer a b", "Bearer \"a\""] {
            assert_eq!(found(&[wrong]), Err(Malformed), "{wrong}");
        }
        assert_eq!(found(&["Bearer a", "Bearer b"]), Err(Malformed));
    }

    #[test]
    fn a_token_is_never_shown() {
        let bearer = Bearer::parse("Bearer secretsecret").expect("well formed");
        assert!(!format!("{bearer:?}").contains("secretsecret"));
    }
}
