//! Access tokens: JWTs signed with HMAC-SHA-256 (RFC 7519, HS256).
//!
//! Ours and short on purpose: `jsonwebtoken` compares with the machine's clock, and its providers bring
//! either the `rsa` advisory or a C build. Of JWT this takes only what we make ourselves: one header, byte
//! for byte, so no other algorithm is ever considered.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entities::{SessionId, UserId};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::{Error, Result};

/// `{"alg":"HS256","typ":"JWT"}`: no other header is accepted.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// Whom our tokens are for.
const AUDIENCE: &str = "megilance";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Who.
    sub: UserId,
    /// By which session.
    sid: SessionId,
    /// Since when, in Unix seconds.
    iat: i64,
    /// Until when, in Unix seconds.
    exp: i64,
    /// For whom.
    aud: String,
}

impl Claims {
    pub(super) fn new(sub: UserId, sid: SessionId, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { sub, sid, iat: from.timestamp(), exp: until.timestamp(), aud: AUDIENCE.to_owned() }
    }

    pub(super) const fn user_id(&self) -> UserId {
        self.sub
    }

    pub(super) const fn session_id(&self) -> SessionId {
        self.sid
    }
}

/// Makes a token.
pub(super) fn sign(claims: &Claims, secret: &SecretString) -> Result<String> {
    let claims = serde_json::to_vec(claims).map_err(|error| Error::bug(format!("claims: {error}")))?;
    let mut token = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = mac(&token, secret)?.finalize().into_bytes();
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

/// What a token says, if we signed it and its time has not passed. Why not is nobody's business: the
/// answer is the same for all of it.
pub(super) fn verify(token: &str, secret: &SecretString, now: DateTime<Utc>) -> Result<Claims> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Error::Unauthenticated)?;
    let (header, claims) = signed.split_once('.').ok_or(Error::Unauthenticated)?;
    if header != HEADER {
        return Err(Error::Unauthenticated);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Error::Unauthenticated)?;
    // Compares in constant time, and before anything inside is read.
    mac(signed, secret)?.verify_slice(&signature).map_err(|_| Error::Unauthenticated)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Error::Unauthenticated)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| Error::Unauthenticated)?;
    if claims.aud == AUDIENCE && now.timestamp() < claims.exp {
        Ok(claims)
    } else {
        Err(Error::Unauthenticated)
    }
}

fn mac(text: &str, secret: &SecretString) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(|error| Error::bug(format!("token key: {error}")))?;
    mac.update(text.as_bytes());
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    fn claims(now: DateTime<Utc>) -> Claims {
        let id = uuid::Uuid::from_u128(7);
        Claims::new(UserId(id), SessionId(id), now, now + Duration::minutes(15))
    }

    #[test]
    fn a_token_is_good_until_it_ends() {
        let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let key = secret("a key of more than thirty-two bytes, for tests");
        let token = sign(&claims(now), &key).expect("signs");
        assert_eq!(verify(&token, &key, now).expect("good"), claims(now));
        let last = now + Duration::minutes(15) - Duration::seconds(1);
        assert!(verify(&token, &key, last).is_ok());
        assert!(verify(&token, &key, last + Duration::seconds(1)).is_err());
        assert!(verify(&token, &secret("another key of more than thirty-two bytes"), now).is_err());
    }

    #[test]
    fn what_was_tampered_with_is_refused() {
        let now = DateTime::UNIX_EPOCH + Duration::days(20_000);
        let key = secret("a key of more than thirty-two bytes, for tests");
        let token = sign(&claims(now), &key).expect("signs");
        let parts: Vec<&str> = token.split('.').collect();
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let none = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let spaced = encode(r#"{"alg": "HS256", "typ": "JWT"}"#);
        let signed_again = |signed: String| {
            let signature = mac(&signed, &key).expect("key").finalize().into_bytes();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        };
        let other_audience =
            encode(&serde_json::to_string(&Claims { aud: "other".into(), ..claims(now) }).expect("json"));
        for bad in [
            String::new(),
            "..".to_owned(),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{token}A"),
            format!("{token}.{}", parts[2]),
            format!("{}.{}.{}", parts[0], encode("{}"), parts[2]),
            signed_again(format!("{spaced}.{}", parts[1])),
            signed_again(format!("{}.{other_audience}", parts[0])),
            signed_again(format!("{}.{}", parts[0], encode("{}"))),
        ] {
            assert!(verify(&bad, &key, now).is_err(), "{bad}");
        }
    }

    /// The HMAC is the standard one: RFC 7515's example of HS256 (appendix A.1), whose key is base64url.
    #[test]
    fn the_signature_is_that_of_rfc_7515() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("key");
        mac.update(b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }
}
