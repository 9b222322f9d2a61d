//! The jobs of this noun: ids only.

use entities::{ObjectDeletionId, UploadId};
use serde::{Deserialize, Serialize};

use crate::queue::Job;

/// Checks an upload; also ends one that was never completed or never used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadProcess {
    /// Which upload.
    pub id: UploadId,
}

impl Job for UploadProcess {
    const QUEUE: &'static str = "upload-process";
}

/// Deletes an object from the bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectDelete {
    /// Which deletion.
    pub id: ObjectDeletionId,
}

impl Job for ObjectDelete {
    const QUEUE: &'static str = "object-delete";
}
