//! Every contract there is.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use domain::contract::{self, OrderField as By};

use crate::{
    error::fault,
    graphql::{
        connection::{Listing, connect, list_cost, page},
        contract::Contract,
        enums::{ContractStatus, OrderDirection},
        support::{actor, app, parse_id},
    },
};

/// Which contracts to list; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct ContractFilter {
    /// In one of these states.
    pub status: Option<Vec<ContractStatus>>,
    /// Whose client or freelancer is this person, `usr_...`.
    pub party_id: Option<ID>,
}

impl ContractFilter {
    fn parse(self) -> domain::Result<contract::Filter> {
        Ok(contract::Filter {
            party: self.party_id.as_ref().map(|id| parse_id("filter.partyId", id)).transpose()?,
            status: self.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            ..Default::default()
        })
    }
}

/// By what contracts are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum ContractOrderField {
    /// By when they were offered.
    CreatedAt,
    /// By when they were last changed.
    UpdatedAt,
    /// By the sum of their milestones.
    Amount,
}

/// The order of a list of contracts.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct ContractOrder {
    /// By what.
    pub field: ContractOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// Reading every contract.
#[derive(Default)]
pub(super) struct ContractsQuery;

#[Object]
impl ContractsQuery {
    /// Every contract, newest first unless ordered otherwise. For admins; one's own are at `User.contracts`.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection's four, filter and order")]
    async fn contracts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which contracts; all of them when left out.")] filter: Option<ContractFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<ContractOrder>,
    ) -> Result<Listing<Contract>> {
        let actor = actor(ctx)?;
        let (by, descending) = order_by.map_or((By::CreatedAt, true), |order| {
            (order.field.into(), order.direction == OrderDirection::Desc)
        });
        let filter = filter.unwrap_or_default().parse();
        let list = filter.and_then(|filter| contract::all(actor, &filter, by, descending)).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), Contract).await
    }
}
