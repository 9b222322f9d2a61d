//! Money that arrived and pays nothing, for administrators to decide on.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::unallocated_deposit,
    payment::unallocated::{self, OrderField as By},
    policy::{self, Action},
};

use crate::{
    error::{UserError, answer, fault},
    graphql::{
        connection::{Listing, connect, list_cost, page},
        enums::{OrderDirection, UnallocatedReason, UnallocatedStatus},
        payment::{Payment, checksummed},
        scalars::Money,
        support::{actor, app, parse_id},
        user::User,
    },
    loaders::load,
};

/// Money that arrived and pays nothing, until an administrator assigns it to a deposit or sends it back.
pub struct UnallocatedDeposit(pub unallocated_deposit::Model);

/// Money that arrived and pays nothing, until an administrator assigns it to a deposit or sends it back.
#[Object]
impl UnallocatedDeposit {
    /// Its id, `una_...`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// How much it is.
    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// What became of it.
    async fn status(&self) -> UnallocatedStatus {
        self.0.status.into()
    }

    /// Why it pays nothing.
    async fn reason(&self) -> UnallocatedReason {
        self.0.reason.into()
    }

    /// Whose wallet sent it; null when the wallet is nobody's here.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// The address that sent it, with its checksum.
    async fn from(&self) -> String {
        checksummed(&self.0.from_address)
    }

    /// The transaction that brought it.
    async fn transaction_hash(&self) -> &str {
        &self.0.transaction_hash
    }

    /// The deposit that it was assigned to, or the return that sends it back; null while it is open.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        let Some(id) = self.0.payment_id else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(Payment(row)))
    }

    /// The administrator who decided; null until then.
    async fn resolved_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.resolved_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// When that was, or when a reorganisation of the chain undid it; null while it is open.
    async fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.0.resolved_at
    }

    /// When it was set aside.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Which unallocated deposits to list; everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct UnallocatedDepositFilter {
    /// In one of these states: OPEN for those that wait for a decision.
    pub status: Option<Vec<UnallocatedStatus>>,
    /// Sent by a wallet of this person, `usr_...`.
    pub user_id: Option<ID>,
}

impl UnallocatedDepositFilter {
    fn parse(self) -> domain::Result<unallocated::Filter> {
        Ok(unallocated::Filter {
            status: self.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            user_id: self.user_id.as_ref().map(|id| parse_id("filter.userId", id)).transpose()?,
        })
    }
}

/// By what unallocated deposits are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum UnallocatedDepositOrderField {
    /// By when they were set aside.
    CreatedAt,
    /// By how much they are.
    Amount,
}

/// The order of a list of unallocated deposits.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct UnallocatedDepositOrder {
    /// By what.
    pub field: UnallocatedDepositOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// Reading what pays nothing.
#[derive(Default)]
pub(super) struct UnallocatedQuery;

#[Object]
impl UnallocatedQuery {
    /// Money that arrived and pays nothing, newest first unless ordered otherwise. For admins.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a connection's four, filter and order")]
    async fn unallocated_deposits(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all of them when left out.")] filter: Option<UnallocatedDepositFilter>,
        #[graphql(desc = "In which order.")] order_by: Option<UnallocatedDepositOrder>,
    ) -> Result<Listing<UnallocatedDeposit>> {
        let actor = actor(ctx)?;
        let (by, descending) = order_by.map_or((By::CreatedAt, true), |order| {
            (order.field.into(), order.direction == OrderDirection::Desc)
        });
        let filter = filter.unwrap_or_default().parse();
        let list =
            filter.and_then(|filter| unallocated::list(actor, &filter, by, descending)).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), UnallocatedDeposit).await
    }
}

/// What is assigned to which deposit.
#[derive(Debug, InputObject)]
pub struct UnallocatedAssignInput {
    /// What pays nothing yet, `una_...`; OPEN.
    pub unallocated_id: ID,
    /// The DEPOSIT that it is for, `pay_...`: it waits for its funds, and misses exactly this sum.
    pub payment_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same thing.
    pub idempotency_key: ID,
}

/// What is sent back.
#[derive(Debug, InputObject)]
pub struct UnallocatedReturnInput {
    /// What pays nothing, `una_...`; OPEN.
    pub unallocated_id: ID,
    /// A UUID of your making, new for each intent: sent again, it answers with the same thing.
    pub idempotency_key: ID,
}

/// The unallocated deposit after the change, or why there was none.
#[derive(SimpleObject)]
pub struct UnallocatedDepositPayload {
    /// It; null when something has to be mended first.
    pub unallocated_deposit: Option<UnallocatedDeposit>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Deciding on what pays nothing.
#[derive(Default)]
pub(super) struct UnallocatedMutation;

#[Object]
impl UnallocatedMutation {
    /// Gives money that paid nothing to the deposit that it was meant for, which is complete at once: so it has to be exactly
    /// what that deposit misses. A later refund of it goes to the payer's payout wallet. For admins who are no party of
    /// the contract, and whose wallet did not send it.
    async fn unallocated_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and to which deposit.")] input: UnallocatedAssignInput,
    ) -> Result<UnallocatedDepositPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            // Who may not hears that first, whatever id they try.
            policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
            let id = parse_id("unallocatedId", &input.unallocated_id)?;
            let payment = parse_id("paymentId", &input.payment_id)?;
            let done = unallocated::assign(app, actor, id, payment, &input.idempotency_key).await?;
            unallocated::find(app, actor, done).await
        };
        Ok(payload(answer(result.await)?))
    }

    /// Sends money that paid nothing back to the address that it came from, by a RETURN, however little it is. For admins
    /// whose wallet did not send it.
    async fn unallocated_return(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes back.")] input: UnallocatedReturnInput,
    ) -> Result<UnallocatedDepositPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let result = async {
            policy::authorise(actor, Action::Administer, "", "unallocated deposit")?;
            let id = parse_id("unallocatedId", &input.unallocated_id)?;
            let done = unallocated::give_back(app, actor, id, &input.idempotency_key).await?;
            unallocated::find(app, actor, done).await
        };
        Ok(payload(answer(result.await)?))
    }
}

fn payload(
    (row, user_errors): (Option<unallocated_deposit::Model>, Vec<UserError>),
) -> UnallocatedDepositPayload {
    UnallocatedDepositPayload { unallocated_deposit: row.map(UnallocatedDeposit), user_errors }
}
