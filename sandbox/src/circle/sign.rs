//! The key that signs notifications: ECDSA on P-256 with SHA-256, as Circle's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

use super::CircleError;
use super::account::Notice;
use super::deliver::Notification;

/// What stands before the 65 bytes of a P-256 point in a `SubjectPublicKeyInfo` (RFC 5480): two lengths and
/// the names of the algorithm and the curve.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredKey {
    pub(super) id: String,
    /// PKCS #8, in base64. It is worth nothing.
    pkcs8: String,
}

/// An unguessable UUID of version 4.
pub(super) fn new_id() -> Result<String, CircleError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| failed("no randomness"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

pub(super) fn new_key() -> Result<StoredKey, CircleError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
        .map_err(|_| failed("none could be made"))?;
    Ok(StoredKey { id: new_id()?, pkcs8: STANDARD.encode(pkcs8.as_ref()) })
}

/// Signs.
pub(super) struct Signer {
    id: String,
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    pub(super) fn new(key: &StoredKey) -> Result<Self, CircleError> {
        let random = SystemRandom::new();
        let pkcs8 = STANDARD.decode(&key.pkcs8).map_err(|error| failed(&error.to_string()))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &random)
            .map_err(|error| failed(&error.to_string()))?;
        Ok(Self { id: key.id.clone(), pair, random })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The public key: base64 of its `SubjectPublicKeyInfo`.
    pub(super) fn public_key(&self) -> String {
        STANDARD.encode([SPKI_HEAD.as_slice(), self.pair.public_key().as_ref()].concat())
    }

    /// The signature: base64 of its DER.
    pub(super) fn sign(&self, body: &[u8]) -> Result<String, CircleError> {
        let signature = self.pair.sign(&self.random, body).map_err(|_| failed("it does not sign"))?;
        Ok(STANDARD.encode(signature.as_ref()))
    }

    pub(super) fn notification(&self, notice: &Notice) -> Result<Notification, CircleError> {
        Ok(Notification {
            id: notice.id.clone(),
            key_id: self.id.clone(),
            signature: self.sign(notice.body.as_bytes())?,
            body: notice.body.clone(),
        })
    }
}

fn failed(why: &str) -> CircleError {
    CircleError::Key(why.to_owned())
}
