//! How lists of disputes are narrowed and sorted.

use async_graphql::{Enum, InputObject};
use domain::dispute as disputes;

use crate::graphql::enums::{DisputeKind, DisputeStatus, OrderDirection};

/// Which disputes are wanted. What is left out does not narrow the list.
#[derive(Debug, Default, InputObject)]
pub struct DisputeFilter {
    /// In one of these states.
    pub status: Option<Vec<DisputeStatus>>,
    /// About one of these.
    pub kind: Option<Vec<DisputeKind>>,
    /// True: only those that you took.
    pub taken_by_me: Option<bool>,
}

/// What a list of disputes can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DisputeOrderField {
    /// When it was opened.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

/// How a list of disputes is sorted. Ties go by creation.
#[derive(Debug, InputObject)]
pub struct DisputeOrder {
    /// By what.
    pub field: DisputeOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl From<DisputeOrder> for disputes::Order {
    fn from(order: DisputeOrder) -> Self {
        let field = match order.field {
            DisputeOrderField::CreatedAt => disputes::OrderField::CreatedAt,
            DisputeOrderField::UpdatedAt => disputes::OrderField::UpdatedAt,
        };
        Self { field, descending: order.direction == OrderDirection::Desc }
    }
}
