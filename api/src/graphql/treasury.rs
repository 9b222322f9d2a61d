//! The treasury, for administrators: what there is, whether it is what the books say, and pausing outgoing money.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::{PaymentRail, Usdc, reconciliation, treasury_switch},
    payment::scan,
    treasury::{
        overview::{self, Books, Flow, OnChain},
        reconcile, switch,
    },
};
use tokio::sync::OnceCell;

use super::{
    connection::{Listing, connect, list_cost, page},
    enums::{PaymentRail as Rail, ReconciliationOutcome},
    scalars::{BigInt, Money},
    support::{actor, app},
    user::User,
};
use crate::{
    error::{UserError, answer, fault},
    loaders::load,
};

/// What the platform holds, and whether it goes out. What the chain has to say is null while it does not answer; everything
/// else is there all the same.
#[derive(Debug, Default)]
pub struct Treasury {
    books: OnceCell<Books>,
    chain: OnceCell<Option<OnChain>>,
    circle: OnceCell<Option<Usdc>>,
}

impl Treasury {
    /// Read once, whatever fields are asked for.
    async fn books(&self, ctx: &Context<'_>) -> Result<&Books> {
        let app = app(ctx)?;
        self.books.get_or_try_init(|| overview::books(app)).await.map_err(fault)
    }

    /// Asked once, and never waited for longer than a few seconds.
    async fn chain(&self, ctx: &Context<'_>) -> Result<Option<OnChain>> {
        let app = app(ctx)?;
        Ok(*self.chain.get_or_init(|| overview::on_chain(app)).await)
    }

    /// Likewise.
    async fn circle(&self, ctx: &Context<'_>) -> Result<Option<Usdc>> {
        let app = app(ctx)?;
        Ok(*self.circle.get_or_init(|| overview::at_circle(app)).await)
    }
}

/// What the platform holds, and whether it goes out. What the chain has to say is null while it does not answer; everything
/// else is there all the same.
#[Object]
impl Treasury {
    /// The treasury's address on the chain.
    async fn address(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(app(ctx)?.chain.treasury().checksummed())
    }

    /// The USDC it has on the chain, in the newest block; null while the chain does not answer.
    #[graphql(complexity = 20)]
    async fn on_chain(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.chain(ctx).await?.map(|chain| chain.usdc.into()))
    }

    /// What it has by the ledger.
    #[graphql(complexity = 5)]
    async fn in_ledger(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.books(ctx).await?.in_ledger.into())
    }

    /// What the chain has more than the ledger at this moment. Deposits and payouts that wait for their confirmations are in
    /// it: whether anything is wrong says `lastReconciliation`. Null while the chain does not answer.
    #[graphql(complexity = 20)]
    async fn difference(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(chain) = self.chain(ctx).await? else { return Ok(None) };
        let difference = chain.usdc.minus(self.books(ctx).await?.in_ledger);
        difference.map(|money| Some(money.into())).map_err(|error| fault(error.into()))
    }

    /// The USDC that may be paid out at Circle now; null without Circle, and while it does not answer.
    #[graphql(complexity = 20)]
    async fn at_circle(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        Ok(self.circle(ctx).await?.map(Money::from))
    }

    /// What is at Circle by the ledger.
    #[graphql(complexity = 5)]
    async fn at_circle_in_ledger(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.books(ctx).await?.at_circle.into())
    }

    /// What others took for moving the platform's money, by the ledger: Circle's fees for payouts. Gas is not in it.
    #[graphql(complexity = 5)]
    async fn costs_in_ledger(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(self.books(ctx).await?.costs.into())
    }

    /// What Circle has more than the ledger at this moment. Circle takes a payout off when it accepts it, the ledger when it has
    /// arrived, so what is under way is in it: whether anything is wrong says `lastCircleReconciliation`. Null without Circle, and
    /// while it does not answer.
    #[graphql(complexity = 20)]
    async fn circle_difference(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let Some(there) = self.circle(ctx).await? else { return Ok(None) };
        let difference = there.minus(self.books(ctx).await?.at_circle);
        difference.map(|money| Some(money.into())).map_err(|error| fault(error.into()))
    }

    /// What came and is not credited yet.
    #[graphql(complexity = "5 + child_complexity")]
    async fn pending_in(&self, ctx: &Context<'_>) -> Result<MoneyFlow> {
        Ok(self.books(ctx).await?.pending_in.into())
    }

    /// What is queued, held or under way to somebody, net.
    #[graphql(complexity = "5 + child_complexity")]
    async fn pending_out(&self, ctx: &Context<'_>) -> Result<MoneyFlow> {
        Ok(self.books(ctx).await?.pending_out.into())
    }

    /// How many payments are held, for whatever reason: `payments(filter: {status: ON_HOLD})` lists them.
    #[graphql(complexity = 5)]
    async fn held_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.books(ctx).await?.held)
    }

    /// The native coin that it has for gas, in wei; null while the chain does not answer.
    #[graphql(complexity = 20)]
    async fn gas(&self, ctx: &Context<'_>) -> Result<Option<BigInt>> {
        let wei = self.chain(ctx).await?.map(|chain| chain.gas);
        // No chain has coins beyond 127 bits.
        Ok(wei.map(|wei| BigInt(i128::try_from(wei).unwrap_or(i128::MAX))))
    }

    /// The nonce that the next payout is signed with; null when nothing was signed yet.
    #[graphql(complexity = 5)]
    async fn next_nonce(&self, ctx: &Context<'_>) -> Result<Option<BigInt>> {
        Ok(self.books(ctx).await?.next_nonce.map(|nonce| BigInt(nonce.into())))
    }

    /// How many of its transactions are mined; null while the chain does not answer.
    #[graphql(complexity = 20)]
    async fn mined_nonce(&self, ctx: &Context<'_>) -> Result<Option<BigInt>> {
        Ok(self.chain(ctx).await?.map(|chain| BigInt(chain.mined_nonce.into())))
    }

    /// How many signed payouts are not mined yet. One that stays is a payout that is stuck; less than nothing means that
    /// somebody else signs with the treasury's key, or that money was moved to Circle and nobody has recorded it yet (`treasuryMove`).
    /// Null while the chain does not answer, and when nothing was signed yet.
    #[graphql(complexity = 20)]
    async fn nonce_gap(&self, ctx: &Context<'_>) -> Result<Option<BigInt>> {
        let books = self.books(ctx).await?;
        // What was moved and recorded is known, whether or not the counter is past it.
        let known = books.next_nonce.map(|next| i128::from(next) + i128::from(books.moved_ahead));
        let mined = self.chain(ctx).await?.map(|chain| chain.mined_nonce);
        Ok(known.zip(mined).map(|(known, mined)| BigInt(known - i128::from(mined))))
    }

    /// The newest comparison of the books with the chain, which is made every ten minutes; null before the first.
    /// `reconciliations` lists them all.
    #[graphql(complexity = "5 + child_complexity")]
    async fn last_reconciliation(&self, ctx: &Context<'_>) -> Result<Option<Reconciliation>> {
        let last = reconcile::last(app(ctx)?.db.reader()).await.map_err(fault)?;
        Ok(last.map(Reconciliation))
    }

    /// The newest comparison of the books with the balance at Circle, which is made every ten minutes; null before the first, and
    /// where there never was a Circle.
    #[graphql(complexity = "5 + child_complexity")]
    async fn last_circle_reconciliation(&self, ctx: &Context<'_>) -> Result<Option<Reconciliation>> {
        let last = reconcile::last_on(app(ctx)?.db.reader(), PaymentRail::Circle).await.map_err(fault)?;
        Ok(last.map(Reconciliation))
    }

    /// What is wrong with the nodes; null while nothing is. Deposits are neither credited nor undone meanwhile, or, where the
    /// final blocks of a node stay behind, those that need a final block.
    #[graphql(complexity = "5 + child_complexity")]
    async fn node_trouble(&self, ctx: &Context<'_>) -> Result<Option<NodeTrouble>> {
        Ok(scan::trouble(app(ctx)?).await.map_err(fault)?.map(NodeTrouble::from))
    }

    /// Since when, by whom and why outgoing payments are paused; null while they go out.
    #[graphql(complexity = "5 + child_complexity")]
    async fn outgoing_paused(&self, ctx: &Context<'_>) -> Result<Option<OutgoingPause>> {
        Ok(switch::paused(app(ctx)?.db.reader()).await.map_err(fault)?.map(OutgoingPause))
    }
}

/// What is wrong with the nodes that have to show each deposit.
#[derive(Debug, SimpleObject)]
pub struct NodeTrouble {
    /// What.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl From<scan::NodeTrouble> for NodeTrouble {
    fn from(scan::NodeTrouble { reason, since }: scan::NodeTrouble) -> Self {
        Self { reason, since }
    }
}

/// Money on its way.
#[derive(Debug, SimpleObject)]
pub struct MoneyFlow {
    /// How much in all.
    pub amount: Money,
    /// In how many parts.
    pub count: i64,
}

impl From<Flow> for MoneyFlow {
    fn from(flow: Flow) -> Self {
        Self { amount: flow.amount.into(), count: flow.count }
    }
}

/// A comparison of the books with the chain, at one block that the chain calls final, or with the balance at Circle.
pub struct Reconciliation(reconciliation::Model);

/// A comparison of the books with the chain, at one block that the chain calls final, or with the balance at Circle.
#[Object]
impl Reconciliation {
    /// The comparison's id, `rec_...`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Which holdings were compared: the treasury on the chain, or the balance at Circle.
    async fn rail(&self) -> Rail {
        self.0.rail.into()
    }

    /// Of LESS: whether an administrator has let payments go on knowing that as much is missing.
    async fn acknowledged(&self) -> bool {
        self.0.acknowledged
    }

    /// What came of it.
    async fn outcome(&self) -> ReconciliationOutcome {
        self.0.outcome.into()
    }

    /// The block; null when nothing could be compared, and of Circle.
    async fn block_number(&self) -> Option<BigInt> {
        self.0.block_number.map(|number| BigInt(number.into()))
    }

    /// That block's hash; null when nothing could be compared, and of Circle.
    async fn block_hash(&self) -> Option<&str> {
        self.0.block_hash.as_deref()
    }

    /// What the treasury had after it, or what Circle says that it has; null when nothing could be compared.
    async fn on_chain(&self) -> Option<Money> {
        self.0.on_chain.map(Money::from)
    }

    /// What it should have had by the books; null when nothing could be compared. Of Circle: what comes next to what it says, with
    /// all, some or nothing taken off of what is under way.
    async fn expected(&self) -> Option<Money> {
        self.0.expected.map(Money::from)
    }

    /// What was there more: less than nothing when money is missing; null when nothing could be compared.
    async fn difference(&self) -> Option<Money> {
        self.0.difference.map(Money::from)
    }

    /// Why nothing could be compared.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Reading the treasury: admins only.
#[derive(Default)]
pub struct TreasuryQuery;

#[Object]
impl TreasuryQuery {
    /// What the platform holds, on the chain and in the books, and whether it goes out. For admins.
    async fn treasury(&self, ctx: &Context<'_>) -> Result<Treasury> {
        overview::enter(actor(ctx)?).map_err(fault)?;
        Ok(Treasury::default())
    }

    /// The comparisons of the books with the chain and with Circle, newest first. For admins.
    #[graphql(complexity = "list_cost(first, last, child_complexity)")]
    async fn reconciliations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Listing<Reconciliation>> {
        let list = reconcile::list(actor(ctx)?).map_err(fault)?;
        connect(app(ctx)?, list, page(first, after, last, before), Reconciliation).await
    }
}

/// A pause of all outgoing payments. What was signed before goes on; everything else is held.
pub struct OutgoingPause(treasury_switch::Model);

/// A pause of all outgoing payments. What was signed before goes on; everything else is held.
#[Object]
impl OutgoingPause {
    /// Since when.
    async fn at(&self) -> Option<DateTime<Utc>> {
        self.0.paused_at
    }

    /// The administrator who paused them; null when the system did.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.paused_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

/// Why outgoing payments are to be paused.
#[derive(Debug, InputObject)]
pub struct OutgoingPauseInput {
    /// Why, 3 to 500 characters: the other administrators are told.
    pub reason: String,
}

/// Letting outgoing payments go on.
#[derive(Debug, InputObject)]
pub struct OutgoingResumeInput {
    /// Why now, up to 500 characters, for the audit log.
    pub note: Option<String>,
    /// Also while money is missing by the newest comparison of a rail (LESS), which would pause them again otherwise. It need not be
    /// said where the pause was made for that.
    #[graphql(default)]
    pub acknowledge_missing: bool,
}

/// The treasury after the change, or why there was none.
#[derive(SimpleObject)]
pub struct TreasuryPayload {
    /// The treasury; null when something has to be mended first.
    pub treasury: Option<Treasury>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl TreasuryPayload {
    fn of(result: domain::Result<()>) -> Result<Self> {
        let (done, user_errors) = answer(result)?;
        Ok(Self { treasury: done.map(|()| Treasury::default()), user_errors })
    }
}

/// What administrators do with the treasury.
#[derive(Default)]
pub struct TreasuryMutation;

#[Object]
impl TreasuryMutation {
    /// Pauses every outgoing payment: what is not signed yet is held until `outgoingResume`. The other administrators are
    /// told. For admins.
    async fn outgoing_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Why.")] input: OutgoingPauseInput,
    ) -> Result<TreasuryPayload> {
        TreasuryPayload::of(switch::pause(app(ctx)?, actor(ctx)?, &input.reason).await)
    }

    /// Lets outgoing payments go on: whatever waits is looked at at once. For admins.
    async fn outgoing_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing has to be said.")] input: OutgoingResumeInput,
    ) -> Result<TreasuryPayload> {
        let (note, knowing) = (input.note.as_deref(), input.acknowledge_missing);
        TreasuryPayload::of(switch::resume(app(ctx)?, actor(ctx)?, note, knowing).await)
    }
}
