//! Every payment there is.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use domain::payment::{self, OrderField as By};

use crate::{
    error::fault,
    graphql::{
        connection::{Listing, connect, list_cost, page},
        enums::{OrderDirection, PaymentKind, PaymentRail, PaymentStatus},
        payment::Payment,
        support::{actor, app, parse_id},
    },
};

/// Which payments to list; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct PaymentFilter {
    /// In one of these states: ON_HOLD for those that wait for somebody.
    pub status: Option<Vec<PaymentStatus>>,
    /// For this.
    pub kind: Option<PaymentKind>,
    /// Travelling on this.
    pub rail: Option<PaymentRail>,
    /// Of this contract, `ctr_...`.
    pub contract_id: Option<ID>,
    /// Whose money is this person's, `usr_...`.
    pub payer_id: Option<ID>,
    /// That this person gets, `usr_...`.
    pub payee_id: Option<ID>,
}

impl PaymentFilter {
    fn parse(self) -> domain::Result<payment::Filter> {
        Ok(payment::Filter {
            status: self.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            kind: self.kind.map(Into::into),
            rail: self.rail.map(Into::into),
            contract_id: self.contract_id.as_ref().map(|id| parse_id("filter.contractId", id)).transpose()?,
            payer_id: self.payer_id.as_ref().map(|id| parse_id("filter.payerId", id)).transpose()?,
            payee_id: self.payee_id.as_ref().map(|id| parse_id("filter.payeeId", id)).transpose()?,
        })
    }
}

/// By what payments are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum PaymentOrderField {
    /// By when they were made.
    CreatedAt,
    /// By when they were last changed.
    UpdatedAt,
    /// By their gross.
    Amount,
}

/// The order of a list of payments.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct PaymentOrder {
    /// By what.
    pub field: PaymentOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// Reading every payment.
#[derive(Default)]
pub(super) struct PaymentsQuery;

#[Object]
impl PaymentsQuery {
    /// Every payment, newest first unless ordered otherwise. For admins; one's own are at `User.payments`.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection's four, filter and order")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which payments; all of them when left out.")] filter: Option<PaymentFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<PaymentOrder>,
    ) -> Result<Listing<Payment>> {
        let actor = actor(ctx)?;
        let (by, descending) = order_by.map_or((By::CreatedAt, true), |order| {
            (order.field.into(), order.direction == OrderDirection::Desc)
        });
        let filter = filter.unwrap_or_default().parse();
        let list = filter.and_then(|filter| payment::list(actor, &filter, by, descending)).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), Payment).await
    }
}
