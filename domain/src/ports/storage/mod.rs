//! Objects in S3.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

mod disposition;
mod s3;

pub use s3::{S3Storage, StorageSettings};

/// A request that somebody else may make without our credentials, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedRequest {
    /// `PUT` or `GET`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers that must be sent exactly so: the signature covers them.
    pub headers: Vec<(String, String)>,
}

/// What a HEAD tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes.
    pub byte_size: u64,
    /// The entity tag, to pin what was checked.
    pub etag: String,
    /// The declared type.
    pub content_type: Option<String>,
}

/// One bucket.
#[async_trait]
pub trait Storage: Send + Sync {
    /// A PUT bound to this key, type and length.
    async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        byte_size: u64,
        valid_for: Duration,
    ) -> Result<PresignedRequest, PortError>;
    /// A GET that saves under `filename` (attachment disposition).
    async fn presign_get(
        &self,
        key: &str,
        filename: &str,
        valid_for: Duration,
    ) -> Result<PresignedRequest, PortError>;
    /// What is there; `None` when nothing is.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, PortError>;
    /// The bytes, only if the ETag still matches and they are at most `limit`; `None` otherwise.
    async fn get(&self, key: &str, etag: &str, limit: u64) -> Result<Option<Vec<u8>>, PortError>;
    /// Stores bytes.
    async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), PortError>;
    /// Deletes; deleting what is not there is fine.
    async fn delete(&self, key: &str) -> Result<(), PortError>;
    /// Whether the bucket answers: for readiness and `doctor`.
    async fn verify(&self) -> Result<(), PortError>;
}
