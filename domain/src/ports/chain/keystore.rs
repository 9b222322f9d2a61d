//! Keys in files: geth's keystore, which a password opens.

use std::path::Path;

use ethers_signers::LocalWallet;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};

use super::PortError;

/// The private key in a keystore file (Web3 Secret Storage, version 3), as [`super::EvmSettings`] takes it.
/// Opening one takes a second of computing on purpose.
///
/// # Errors
/// [`PortError::Refused`] when the file cannot be read, is no keystore, or the password is another.
pub fn keystore_key(file: &Path, password: &SecretString) -> Result<SecretString, PortError> {
    let wallet = LocalWallet::decrypt_keystore(file, password.expose_secret())
        .map_err(|error| super::refused(format!("the keystore does not open: {error}")))?;
    let bytes = Zeroizing::new(wallet.signer().to_bytes());
    Ok(hex::encode(bytes.as_slice()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the Web3 Secret Storage definition, with fewer rounds.
    #[test]
    fn the_published_vector_opens_with_its_password_only() {
        let file = std::env::temp_dir().join(format!("megilance-keystore-{}", std::process::id()));
        let text = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
            "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
            "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
            "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
            "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
            "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
        std::fs::write(&file, text).unwrap();
        let key = keystore_key(&file, &"testpassword".into()).unwrap();
        let wrong = keystore_key(&file, &"testpasswords".into());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(key.expose_secret(), "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
        assert!(wrong.is_err());
        assert!(keystore_key(&file, &"testpassword".into()).is_err());
    }
}
