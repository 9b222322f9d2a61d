//! What administrators see and do beyond the nouns themselves.

use async_graphql::MergedObject;

pub mod analytics;
pub mod audit;
pub mod contracts;
pub mod fees;
pub mod payments;
pub mod rails;
pub mod unallocated;
pub mod users;

pub use audit::AuditEntry;

/// What administrators read.
#[derive(MergedObject, Default)]
pub struct AdminQuery(
    users::UsersQuery,
    payments::PaymentsQuery,
    contracts::ContractsQuery,
    fees::FeeQuery,
    analytics::AnalyticsQuery,
    audit::AuditQuery,
    unallocated::UnallocatedQuery,
);

/// What administrators do.
#[derive(MergedObject, Default)]
pub struct AdminMutation(
    users::UsersMutation,
    fees::FeeMutation,
    rails::RailsMutation,
    unallocated::UnallocatedMutation,
);
