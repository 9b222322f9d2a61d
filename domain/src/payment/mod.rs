//! Payments: deposits that the chain confirms, and intents to pay out.

use chrono::{DateTime, Utc};
use entities::{
    ContractId, DisputeId, MilestoneId, PaymentId, PaymentKind, PaymentRail, PaymentStatus, Role, Usdc,
    UserId, contract, deposit_hint, payment,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, sea_query::OnConflict,
};

use crate::{
    Actor, App, Error, Tx,
    error::{Code, Result},
    money::Split,
    page::{Below, List},
    policy::{self, Action},
    ports::chain::TxHash,
    wallet,
};

mod allocate;
mod bonus;
pub mod circle;
mod credit;
pub mod deposit;
mod depth;
mod fallen;
pub mod jobs;
mod list;
mod manage;
mod moved;
pub(crate) mod numbers;
pub mod payout;
pub(crate) mod record;
pub(crate) mod refund;
mod retry;
pub mod scan;
mod settle;
pub mod state;
mod strays;
pub mod transfers;
pub mod unallocated;
mod undo;
mod watch;
mod witness;

pub(crate) use credit::SMALLEST_RETURN;
pub use list::{Filter, OrderField, list};
pub use manage::{approve, hold, needs_approval, redirect, resume};
pub use record::look_at;
pub use retry::retry;
pub(crate) use settle::reserve;

/// How long a client has to send a deposit, in block time.
pub const DEPOSIT_WINDOW: chrono::Duration = chrono::Duration::hours(24);

/// Each hint costs a look at the chain.
const MOST_HINTS: u64 = 20;

/// What a new payment is made of.
#[derive(Clone)]
pub(crate) struct NewPayment {
    pub(crate) kind: PaymentKind,
    pub(crate) contract: Option<ContractId>,
    pub(crate) milestone: Option<MilestoneId>,
    pub(crate) payer: Option<UserId>,
    pub(crate) payee: Option<UserId>,
    pub(crate) started_by: Option<UserId>,
    pub(crate) split: Split,
    pub(crate) reason: Option<String>,
    pub(crate) linked: Option<PaymentId>,
    /// The dispute whose resolution it carries out.
    pub(crate) dispute: Option<DisputeId>,
    /// Where to, when that is known from the start: money that goes back to who sent it.
    pub(crate) destination: Option<String>,
}

/// An intent to pay out, queued at once.
pub(crate) async fn open_outgoing(app: &App, tx: &Tx, new: NewPayment) -> Result<payment::Model> {
    let now = app.clock.now();
    record::open(app, tx, blank(app, new, PaymentStatus::Queued, now)).await
}

/// An intent that is a part of a decision over so much, gross: what needs an approval is the decision.
pub(crate) async fn open_part(app: &App, tx: &Tx, new: NewPayment, whole: Usdc) -> Result<payment::Model> {
    let now = app.clock.now();
    let blank = blank(app, new, PaymentStatus::Queued, now);
    record::open(app, tx, payment::Model { decision_total: Some(whole), ..blank }).await
}

/// What a failed intent leaves to the one that comes in its place.
struct Failed {
    id: PaymentId,
    redirected_by: Option<UserId>,
    decision_total: Option<Usdc>,
}

/// An intent to pay out what a failed one did not.
async fn open_retry(app: &App, tx: &Tx, new: NewPayment, of: Failed) -> Result<payment::Model> {
    let now = app.clock.now();
    let row = payment::Model {
        retry_of: Some(of.id),
        redirected_by: of.redirected_by,
        decision_total: of.decision_total,
        ..blank(app, new, PaymentStatus::Queued, now)
    };
    record::open(app, tx, row).await
}

/// A deposit that waits for its funds. Looked at when something arrives, and at its deadline.
pub(crate) async fn open_deposit(app: &App, tx: &Tx, new: NewPayment) -> Result<payment::Model> {
    let deadline = app.clock.now() + DEPOSIT_WINDOW;
    let row = payment::Model {
        deposit_address: Some(app.chain.treasury().to_string()),
        expires_at: Some(deadline),
        required_confirmations: depth::needed(app, new.split.gross),
        ..blank(app, new, PaymentStatus::AwaitingFunds, deadline)
    };
    record::open(app, tx, row).await
}

/// Refuses to ask for a deposit that could not be told from others', or would not be seen. Called before
/// anything is given out to pay to.
pub(crate) async fn require_deposits(app: &App, tx: &Tx, payer: UserId) -> Result<()> {
    if wallet::of_user(&**tx, payer).await?.is_empty() {
        return Err(Error::rejected(
            "",
            Code::Unverified,
            "Link the wallet that you will pay from first (walletLinkBegin): a deposit is known by its sender.",
        ));
    }
    if !scan::hasten(app, tx).await? {
        return Err(Error::rejected(
            "",
            Code::NotConfigured,
            "Deposits cannot be taken yet: the chain has not answered since the service was set up. Try again in a minute.",
        ));
    }
    Ok(())
}

fn blank(app: &App, new: NewPayment, status: PaymentStatus, due: DateTime<Utc>) -> payment::Model {
    let now = app.clock.now();
    payment::Model {
        id: app.clock.new_id(),
        kind: new.kind,
        status,
        rail: if new.kind == PaymentKind::Deposit { PaymentRail::Chain } else { circle::rail(app) },
        contract_id: new.contract,
        milestone_id: new.milestone,
        payer_id: new.payer,
        payee_id: new.payee,
        started_by: new.started_by,
        amount: new.split.gross,
        fee: new.split.fee,
        net: new.split.net,
        reason: new.reason,
        destination: new.destination,
        deposit_address: None,
        expires_at: None,
        required_confirmations: i32::try_from(app.settings.confirmations).ok(),
        hold_reason: None,
        failure_reason: None,
        linked_payment_id: new.linked,
        retry_of: None,
        held_by: None,
        approved_by: None,
        redirected_by: None,
        decision_total: None,
        dispute_id: new.dispute,
        version: 0,
        look: 0,
        due_at: Some(due),
        created_at: now,
        updated_at: now,
        completed_at: None,
        final_at: None,
    }
}

/// The newest credited deposit of a milestone: what a refund of it gives back.
pub(crate) async fn deposit_of(tx: &Tx, milestone: MilestoneId) -> Result<Option<PaymentId>> {
    let deposit = payment::Entity::find()
        .filter(payment::Column::MilestoneId.eq(milestone))
        .filter(payment::Column::Kind.eq(PaymentKind::Deposit))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .order_by_desc(payment::Column::Id)
        .one(&**tx)
        .await?;
    Ok(deposit.map(|row| row.id))
}

/// Whether anything was ever paid out to a contract's freelancer.
pub(crate) async fn paid_out_on(tx: &Tx, contract: ContractId) -> Result<bool> {
    let paid = payment::Entity::find()
        .filter(payment::Column::ContractId.eq(contract))
        .filter(payment::Column::Kind.is_in([PaymentKind::Release, PaymentKind::Bonus]))
        .filter(payment::Column::Status.eq(PaymentStatus::Completed))
        .one(&**tx)
        .await?;
    Ok(paid.is_some())
}

/// The payments that an actor may see: their own, those on their contracts, or all for admins.
pub fn visible(actor: &Actor) -> Select<payment::Entity> {
    let select = payment::Entity::find();
    if actor.sees_all() {
        return select;
    }
    // Nobody is nobody's payer: an anonymous actor gets an empty list.
    let Some(user) = actor.user_id() else { return select.filter(payment::Column::Id.is_null()) };
    let party = Condition::any()
        .add(contract::Column::ClientId.eq(user))
        .add(contract::Column::FreelancerId.eq(user));
    let theirs =
        contract::Entity::find().select_only().column(contract::Column::Id).filter(party).into_query();
    select.filter(
        Condition::any()
            .add(payment::Column::PayerId.eq(user))
            .add(payment::Column::PayeeId.eq(user))
            .add(payment::Column::ContractId.in_subquery(theirs)),
    )
}

/// One payment, if the actor may see it.
pub async fn find(app: &App, actor: &Actor, id: PaymentId) -> Result<payment::Model> {
    visible(actor)
        .filter(payment::Column::Id.eq(id))
        .one(app.db.reader())
        .await?
        .ok_or_else(|| Error::not_found("paymentId", "payment"))
}

/// People's payments that the actor may see, newest first.
pub fn of_users(actor: &Actor) -> Below<payment::Entity> {
    newest_first(actor).below([payment::Column::PayerId, payment::Column::PayeeId])
}

/// Contracts' payments that the actor may see, newest first.
pub fn of_contracts(actor: &Actor) -> Below<payment::Entity> {
    newest_first(actor).below([payment::Column::ContractId])
}

fn newest_first(actor: &Actor) -> List<payment::Entity> {
    List::by_id(visible(actor), payment::Column::Id, true)
}

/// Takes a client's word that a transaction pays a deposit: a hint, never proof. The chain is read next.
pub async fn report_transaction(
    app: &App,
    actor: &Actor,
    id: PaymentId,
    hash: &str,
) -> Result<payment::Model> {
    policy::enter(actor, &[Role::Client])?;
    let hash: TxHash = hash.trim().parse().map_err(|error| {
        Error::rejected("transactionHash", Code::Invalid, format!("That is no transaction hash: {error}."))
    })?;
    let tx = app.db.begin().await?;
    let payment = payment::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&*tx)
        .await?
        .ok_or_else(|| Error::not_found("paymentId", "payment"))?;
    policy::authorise(actor, Action::PaymentReport(&payment), "paymentId", "payment")?;
    if payment.kind != PaymentKind::Deposit {
        return Err(Error::rejected(
            "paymentId",
            Code::Invalid,
            "Only a deposit is paid by a client's transaction.",
        ));
    }
    match payment.status {
        PaymentStatus::AwaitingFunds => {}
        // A late or repeated hint tells nothing new.
        PaymentStatus::Confirming | PaymentStatus::Completed => return Ok(payment),
        other => return Err(Error::illegal("paymentId", "payment", other.as_str(), "CONFIRMING")),
    }
    let hints =
        deposit_hint::Entity::find().filter(deposit_hint::Column::PaymentId.eq(id)).count(&*tx).await?;
    if hints >= MOST_HINTS {
        return Err(Error::rejected(
            "transactionHash",
            Code::LimitReached,
            "That many transactions were reported already. A real deposit is found without a report too.",
        ));
    }
    let hint = deposit_hint::ActiveModel {
        payment_id: Set(id),
        transaction_hash: Set(hash.to_string()),
        reported_by: Set(actor.signed_in()?.id),
        outcome: Set(None),
        created_at: Set(app.clock.now()),
    };
    let once = OnConflict::columns([deposit_hint::Column::PaymentId, deposit_hint::Column::TransactionHash])
        .do_nothing()
        .to_owned();
    let news = deposit_hint::Entity::insert(hint).on_conflict(once).exec_without_returning(&*tx).await?;
    if news == 1 {
        look_at(app, &tx, &payment, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(payment)
}
