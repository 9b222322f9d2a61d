//! Circle's notifications: who signed them. Pure; the key comes from [`Circle::public_key`].
//!
//! [`Circle::public_key`]: super::Circle::public_key

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// What stands before the point of a P-256 key in a `SubjectPublicKeyInfo` (RFC 5480): the lengths, the names of
/// the algorithm and the curve, and the mark of an uncompressed point. DER has one way of writing it.
const HEAD: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// The two coordinates of a point.
const COORDINATES: usize = 64;

/// Not a P-256 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the base64 of a P-256 public key (SubjectPublicKeyInfo)")]
pub struct InvalidKey;

/// The key that notifications are signed with: a point on P-256, uncompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 1 + COORDINATES]);

impl PublicKey {
    /// Reads the base64 of a `SubjectPublicKeyInfo`. That the point lies on the curve is seen when it is used.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let der = STANDARD.decode(text.trim()).map_err(|_| InvalidKey)?;
        if !der.starts_with(&HEAD) {
            return Err(InvalidKey);
        }
        // The mark of the point is a part of it.
        let point = der.get(HEAD.len() - 1..).ok_or(InvalidKey)?;
        point.try_into().map(Self).map_err(|_| InvalidKey)
    }

    /// Whether this key signed exactly these bytes (ECDSA with SHA-256). `signature` is the base64 of its DER, as
    /// `X-Circle-Signature` has it.
    pub fn signed(&self, body: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(body, &signature).is_ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    const BODY: &[u8] = br#"{"notificationId":"1","version":2}"#;

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            let (alg, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(alg, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(alg, pkcs8.as_ref(), &random).unwrap())
        }

        fn der(&self, body: &[u8]) -> Vec<u8> {
            self.0.sign(&SystemRandom::new(), body).unwrap().as_ref().to_vec()
        }

        fn sign(&self, body: &[u8]) -> String {
            STANDARD.encode(self.der(body))
        }

        fn spki(&self) -> Vec<u8> {
            [&HEAD[..26], self.0.public_key().as_ref()].concat()
        }

        fn key(&self) -> PublicKey {
            PublicKey::parse(&STANDARD.encode(self.spki())).unwrap()
        }
    }

    /// A key in the wire's form.
    pub(in super::super) fn a_key() -> String {
        STANDARD.encode(Signer::new().spki())
    }

    #[test]
    fn only_the_signer_of_these_very_bytes_is_believed() {
        let (circle, stranger) = (Signer::new(), Signer::new());
        let (key, signature) = (circle.key(), circle.sign(BODY));
        assert!(key.signed(BODY, &signature));
        assert!(key.signed(BODY, &format!(" {signature}\n")), "white space around a header");
        assert!(key.signed(b"", &circle.sign(b"")));

        assert!(!key.signed(BODY, &stranger.sign(BODY)), "another key");
        assert!(!stranger.key().signed(BODY, &signature), "another key's signature");
        let changed = [BODY, b" "].concat();
        assert!(!key.signed(&changed, &signature), "one byte more");
        assert!(!key.signed(&BODY[1..], &signature), "one byte less");
        assert!(!key.signed(b"", &signature));
    }

    #[test]
    fn a_signature_that_is_none_is_refused_whatever_it_is() {
        let circle = Signer::new();
        let (key, der) = (circle.key(), circle.der(BODY));
        for length in 0..der.len() {
            assert!(!key.signed(BODY, &STANDARD.encode(&der[..length])), "cut to {length}");
        }
        for place in 0..der.len() {
            let mut flipped = der.clone();
            flipped[place] ^= 1;
            assert!(!key.signed(BODY, &STANDARD.encode(flipped)), "bit at {place}");
        }
        assert!(!key.signed(BODY, &STANDARD.encode([der.as_slice(), &[0]].concat())), "a byte behind it");
        for text in ["", "=", "not base64!", "AAAA", "MAYCAQACAQA="] {
            assert!(!key.signed(BODY, text), "{text:?}");
        }
        // The same numbers as 64 plain bytes are another format.
        assert!(!key.signed(BODY, &STANDARD.encode([0x11; 64])));
    }

    #[test]
    fn only_a_p256_key_is_a_key() {
        let spki = Signer::new().spki();
        assert!(PublicKey::parse(&STANDARD.encode(&spki)).is_ok());
        for length in 0..spki.len() {
            assert_eq!(
                PublicKey::parse(&STANDARD.encode(&spki[..length])),
                Err(InvalidKey),
                "cut to {length}"
            );
        }
        let longer = [spki.as_slice(), &[0]].concat();
        assert_eq!(PublicKey::parse(&STANDARD.encode(longer)), Err(InvalidKey));
        for place in 0..HEAD.len() {
            let mut other = spki.clone();
            other[place] ^= 1;
            assert_eq!(PublicKey::parse(&STANDARD.encode(other)), Err(InvalidKey), "byte {place}");
        }
        assert_eq!(PublicKey::parse("no base64"), Err(InvalidKey));
    }

    #[test]
    fn a_point_off_the_curve_believes_nothing() {
        let signer = Signer::new();
        let mut spki = signer.spki();
        let last = spki.len() - 1;
        spki[last] ^= 1;
        let key = PublicKey::parse(&STANDARD.encode(spki)).unwrap();
        assert!(!key.signed(BODY, &signer.sign(BODY)));
    }
}
