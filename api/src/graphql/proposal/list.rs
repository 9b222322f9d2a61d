//! How lists of proposals are narrowed and sorted.

use async_graphql::{Enum, InputObject};
use domain::proposal as proposals;

use crate::graphql::enums::{OrderDirection, ProposalStatus};

/// Which proposals are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct ProposalFilter {
    /// In one of these states.
    pub status: Option<Vec<ProposalStatus>>,
}

impl From<ProposalFilter> for proposals::Filter {
    fn from(filter: ProposalFilter) -> Self {
        Self { status: filter.status.unwrap_or_default().into_iter().map(Into::into).collect() }
    }
}

/// What a list of proposals can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "proposals::OrderField")]
pub enum ProposalOrderField {
    /// When it was submitted.
    CreatedAt,
    /// The whole price (FIXED) or the rate an hour (HOURLY).
    Bid,
}

/// How a list of proposals is sorted. Ties go by creation.
#[derive(Debug, InputObject)]
pub struct ProposalOrder {
    /// By what.
    pub field: ProposalOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl From<ProposalOrder> for proposals::Order {
    fn from(order: ProposalOrder) -> Self {
        Self { field: order.field.into(), descending: order.direction == OrderDirection::Desc }
    }
}
