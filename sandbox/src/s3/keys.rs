//! Which object keys are taken, and what `s3s-fs` calls the files beside an object.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest file name of the common file systems, in bytes.
const FILE_NAME: usize = 255;

/// The longest thing that `s3s-fs` adds to a sidecar's name: an upload id and the extension.
const UPLOAD_EXTENSION: usize = ".upload-00000000-0000-0000-0000-000000000000.metadata.json".len();

/// Why a key is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadKey {
    /// It does not stay below the bucket's folder, or two keys would share a file.
    Shape,
    /// It or its metadata's name is longer than a file name may be.
    TooLong,
}

/// Takes only keys that are one file each below the bucket's folder.
///
/// `s3s-fs` joins a key to the folder as it is: `..` would leave the bucket, a leading `/` the whole folder,
/// and `a//b` would be the same file as `a/b`.
pub(super) fn check(bucket: &str, key: &str) -> Result<(), BadKey> {
    let plain = |segment: &str| !matches!(segment, "" | "." | "..");
    if key.contains(['\\', '\0']) || !key.split('/').all(plain) {
        return Err(BadKey::Shape);
    }
    if key.split('/').any(|segment| segment.len() > FILE_NAME)
        || sidecar_stem(bucket, key).len() + UPLOAD_EXTENSION > FILE_NAME
    {
        return Err(BadKey::TooLong);
    }
    Ok(())
}

/// The two files beside an object: its attributes and its checksums.
pub(super) fn sidecars(root: &Path, bucket: &str, key: &str) -> [PathBuf; 2] {
    let stem = sidecar_stem(bucket, key);
    [".metadata.json", ".internal.json"].map(|end| root.join(format!("{stem}{end}")))
}

fn sidecar_stem(bucket: &str, key: &str) -> String {
    format!(".bucket-{}.object-{}", URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key))
}

#[cfg(test)]
mod tests {
    use super::{BadKey, check};

    #[test]
    fn takes_plain_keys_only() {
        for key in ["a", "a/b.png", "avatars/01/…ü.jpg", "..a", "a..b/c"] {
            assert_eq!(check("files", key), Ok(()), "{key}");
        }
        for key in ["", "..", ".", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a/./b", "a\\..\\b", "a\0"] {
            assert_eq!(check("files", key), Err(BadKey::Shape), "{key}");
        }
        assert_eq!(check("files", &"k".repeat(300)), Err(BadKey::TooLong));
    }
}
