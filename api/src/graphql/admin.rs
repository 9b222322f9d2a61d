//! What administrators see and do beyond the nouns themselves.

use async_graphql::MergedObject;

mod audit;

pub use audit::{AuditEntry, AuditFilter};

/// What administrators read.
#[derive(MergedObject, Default)]
pub struct AdminQuery(audit::AuditQuery);
